/** Pictures for the examples: lines and points in axes, as SVG. */

import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Default: a line. Rings lie around points of another series without hiding them. */
  readonly kind?: "line" | "points" | "rings";
}

export interface PlotOptions {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** One unit is as long on both axes. */
  readonly square?: boolean;
}

const width = 640;
const height = 440;
const margin = { left: 64, right: 20, top: 68, bottom: 52 };
const colours = ["#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed"];

/** An SVG document with the series in one pair of axes. */
export function plot(series: readonly Series[], { title, x, y, square }: PlotOptions): string {
  const all = series.flatMap(({ points }) => points);
  let [left, right] = padded(all.map(([a]) => a));
  let [low, high] = padded(all.map(([, b]) => b));
  const inner = { w: width - margin.left - margin.right, h: height - margin.top - margin.bottom };
  if (square) {
    const unit = Math.max((right - left) / inner.w, (high - low) / inner.h);
    const spare = [unit * inner.w - (right - left), unit * inner.h - (high - low)];
    [left, right] = [left - spare[0] / 2, right + spare[0] / 2];
    [low, high] = [low - spare[1] / 2, high + spare[1] / 2];
  }
  const px = (a: number): number => margin.left + ((a - left) / (right - left)) * inner.w;
  const py = (b: number): number => margin.top + ((high - b) / (high - low)) * inner.h;
  const at = ([a, b]: readonly [number, number]): string =>
    `${px(a).toFixed(1)},${py(b).toFixed(1)}`;

  const grid = [
    ...ticks(left, right).map(
      (a) =>
        `<path d="M${px(a)} ${margin.top}V${margin.top + inner.h}" class="grid"/>` +
        `<text x="${px(a)}" y="${height - 32}" text-anchor="middle">${label(a)}</text>`,
    ),
    ...ticks(low, high).map(
      (b) =>
        `<path d="M${margin.left} ${py(b)}H${margin.left + inner.w}" class="grid"/>` +
        `<text x="${margin.left - 8}" y="${py(b) + 4}" text-anchor="end">${label(b)}</text>`,
    ),
  ];
  const drawn = series.map(({ points, kind }, k) => {
    const colour = colours[k % colours.length];
    if (kind === "points" || kind === "rings") {
      const look =
        kind === "points"
          ? `r="3.5" fill="${colour}"`
          : `r="6" fill="none" stroke="${colour}" stroke-width="1.5"`;
      return points
        .map((point) => {
          const [cx, cy] = at(point).split(",");
          return `<circle cx="${cx}" cy="${cy}" ${look}/>`;
        })
        .join("");
    }
    return `<polyline points="${points.map(at).join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>`;
  });
  let legendAt = margin.left;
  const legend = series.map(({ name }, k) => {
    const text = `<rect x="${legendAt}" y="38" width="12" height="12" fill="${colours[k % colours.length]}"/><text x="${legendAt + 17}" y="48">${name}</text>`;
    legendAt += 34 + name.length * 7;
    return text;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    "<style>text{fill:#334155}.grid{stroke:#e2e8f0;fill:none}</style>",
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${margin.left}" y="26" font-size="16" font-weight="600">${title}</text>`,
    ...grid,
    ...drawn,
    ...legend,
    `<text x="${margin.left + inner.w / 2}" y="${height - 10}" text-anchor="middle">${x}</text>`,
    `<text transform="translate(16 ${margin.top + inner.h / 2}) rotate(-90)" text-anchor="middle">${y}</text>`,
    "</svg>",
    "",
  ].join("\n");
}

/** Writes a picture beside the example that `url` is, in `out/`; says where. */
export function savePicture(url: string, name: string, svg: string): void {
  const folder = path.join(path.dirname(fileURLToPath(url)), "out");
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, name);
  writeFileSync(file, svg);
  console.log(`picture: ${path.relative(process.cwd(), file)}`);
}

/** The range of numbers, a little wider. */
function padded(values: readonly number[]): readonly [number, number] {
  const low = Math.min(...values);
  const high = Math.max(...values);
  const room = (high - low) * 0.06 || 1;
  return [low - room, high + room];
}

/** Round numbers in a range: 1, 2 or 5 times a power of ten apart. */
function ticks(low: number, high: number): readonly number[] {
  const rough = (high - low) / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const first = Math.ceil(low / step);
  const count = Math.floor(high / step) - first + 1;
  return Array.from({ length: Math.max(0, count) }, (_, k) => (first + k) * step);
}

function label(value: number): string {
  return String(Number(value.toPrecision(6)));
}
