/** Measurements as text: a table for the terminal, and one in Markdown with a plot. */

import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import path from "node:path";
import type { Measurement } from "./harness.ts";

const reference = "fluxion-wasm";

/** Whether a system is ours. */
export function own(system: string): boolean {
  return system.startsWith("fluxion");
}

/** The number that is compared; none where the system failed. */
function amountOf(result: Measurement | undefined): number | undefined {
  if (result === undefined || "failed" in result) return undefined;
  return "bytes" in result ? result.bytes : result.median_ms;
}

function amountText(result: Measurement): string {
  if ("failed" in result) return "failed";
  if ("bytes" in result) return bytesText(result.bytes);
  return `${result.median_ms.toFixed(3)} ms`;
}

function bytesText(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function ratioText(ratio: number): string {
  return `${ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(2)}×`;
}

/** How many times ours a result is. */
function ratioOf(result: Measurement, results: readonly Measurement[]): number | undefined {
  const ours = amountOf(results.find(({ system }) => system === reference));
  const amount = amountOf(result);
  return ours === undefined || amount === undefined ? undefined : amount / ours;
}

function rateOf(result: Measurement): string {
  const rate = "median_ms" in result ? result.gflops : undefined;
  return rate === undefined ? "" : `${rate.toFixed(1)} GFLOP/s`;
}

function noteOf(result: Measurement): string {
  return "failed" in result ? result.failed : (result.note ?? "");
}

/** A workload's results for a terminal. */
export function tableOf(name: string, results: readonly Measurement[]): string {
  const rows = results.map((result) => {
    const ratio = ratioOf(result, results);
    return [
      `  ${result.system.padEnd(20)}`,
      amountText(result).padStart(13),
      rateOf(result).padStart(16),
      (ratio === undefined ? "" : ratioText(ratio)).padStart(10),
      `  ${noteOf(result)}`,
    ]
      .join("")
      .trimEnd();
  });
  return [name, ...rows].join("\n");
}

/** Writes a table as Markdown to a file, and a plot beside it; the files. */
export function writeReport(
  file: string,
  all: readonly Measurement[],
  args: readonly string[],
): readonly string[] {
  const picture = file.replace(/\.md$/, ".svg");
  mkdirSync(path.dirname(path.resolve(file)), { recursive: true });
  writeFileSync(file, markdownOf(all, args, path.basename(picture)));
  writeFileSync(picture, plotOf(all));
  return [file, picture];
}

type Groups = ReadonlyMap<string, readonly Measurement[]>;

function byWorkload(all: readonly Measurement[]): Groups {
  return Map.groupBy(all, ({ workload }) => workload);
}

function systemsOf(all: readonly Measurement[]): readonly string[] {
  const names = [...new Set(all.map(({ system }) => system))];
  return names.toSorted((a, b) => rankOf(a) - rankOf(b));
}

/** Ours come first, the limit last. */
function rankOf(system: string): number {
  if (system === reference) return 0;
  if (own(system)) return 1;
  return system === "limit" ? 3 : 2;
}

/** Workloads by systems, with ratios to ours. */
export function markdownOf(
  all: readonly Measurement[],
  args: readonly string[],
  picture: string,
): string {
  const systems = systemsOf(all);
  const rows = [...byWorkload(all)].map(([name, results]) => {
    const cells = systems.map((system) => cellOf(system, results));
    return `| ${[name, ...cells].join(" | ")} |`;
  });
  const notes = all
    .filter((result) => noteOf(result) !== "")
    .map((result) => `- ${result.workload}, ${result.system}: ${noteOf(result)}`);
  return [
    "# Benchmark",
    "",
    `\`npm run bench -- ${args.join(" ")}\` on ${cpus()[0]?.model.trim() ?? "an unknown processor"},`,
    `${cpus().length} logical cores, Node ${process.version}, one thread, ${new Date().toISOString().slice(0, 10)}. Medians; in`,
    `brackets how many times ${reference} that is. \`limit\` is what the machine can do: the`,
    "multiply-adds of the workload in registers, or its bytes copied.",
    "",
    `| workload | ${systems.join(" | ")} |`,
    `| --- |${systems.map(() => " ---: |").join("")}`,
    ...rows,
    "",
    `![ratios](${picture})`,
    ...(notes.length === 0 ? [] : ["", ...notes]),
    "",
  ].join("\n");
}

function cellOf(system: string, results: readonly Measurement[]): string {
  const result = results.find((one) => one.system === system);
  if (result === undefined) return "";
  const ratio = ratioOf(result, results);
  const text = amountText(result);
  return system === reference || ratio === undefined ? text : `${text} (${ratioText(ratio)})`;
}

const colours: Readonly<Record<string, string>> = {
  "jax-js-wasm": "#d97706",
  "tfjs-wasm": "#059669",
  "onnxruntime-web": "#7c3aed",
  limit: "#334155",
};
const spare = ["#dc2626", "#0891b2", "#be185d"];

const width = 860;
const margin = { left: 220, right: 30, top: 84, bottom: 48 };
const rowHeight = 22;

/** A row for each workload: dots where the others stand, ours being 1, on a logarithmic axis. */
export function plotOf(all: readonly Measurement[]): string {
  const rows = [...byWorkload(all)]
    .map(([name, results]) => ({
      name,
      dots: results.flatMap((result) => {
        const ratio = ratioOf(result, results);
        return result.system === reference || ratio === undefined || !(ratio > 0)
          ? []
          : [{ system: result.system, ratio }];
      }),
    }))
    .filter(({ dots }) => dots.length > 0);
  const systems = systemsOf(all).filter((system) =>
    rows.some(({ dots }) => dots.some((dot) => dot.system === system)),
  );
  const colourOf = (system: string): string =>
    colours[system] ?? spare[systems.indexOf(system) % spare.length] ?? "#000000";
  const ratios = rows.flatMap(({ dots }) => dots.map(({ ratio }) => ratio));
  const low = Math.floor(Math.log10(Math.min(0.5, ...ratios)));
  const high = Math.ceil(Math.log10(Math.max(2, ...ratios)));
  const inner = width - margin.left - margin.right;
  const height = margin.top + rows.length * rowHeight + margin.bottom;
  const bottom = height - margin.bottom;
  const x = (ratio: number): number =>
    margin.left + ((Math.log10(ratio) - low) / (high - low)) * inner;
  const y = (row: number): number => margin.top + (row + 0.5) * rowHeight;

  const ticks = Array.from({ length: high - low + 1 }, (_, k) => 10 ** (low + k));
  const grid = ticks.flatMap((ratio) => {
    const at = x(ratio).toFixed(1);
    return [
      `<path d="M${at} ${margin.top}V${bottom}" class="grid"/>`,
      `<text x="${at}" y="${bottom + 18}" text-anchor="middle">${Number(ratio.toPrecision(3))}×</text>`,
    ];
  });
  const drawn = rows.flatMap(({ name, dots }, row) => [
    `<text x="${margin.left - 10}" y="${y(row) + 4}" text-anchor="end">${name}</text>`,
    `<path d="M${margin.left} ${y(row)}H${width - margin.right}" class="row"/>`,
    ...dots.map(({ system, ratio }) => {
      const [cx, cy] = [x(ratio).toFixed(1), y(row)];
      const title = `<title>${name}, ${system}: ${ratioText(ratio)}</title>`;
      return system === "limit"
        ? `<path d="M${cx} ${cy - 8}v16" stroke="${colourOf(system)}" stroke-width="3">${title}</path>`
        : `<circle cx="${cx}" cy="${cy}" r="5" fill="${colourOf(system)}">${title}</circle>`;
    }),
  ]);
  let legendAt = margin.right;
  const legend = systems.map((system) => {
    const text = `<rect x="${legendAt}" y="46" width="12" height="12" fill="${colourOf(system)}"/><text x="${legendAt + 17}" y="56">${system}</text>`;
    legendAt += 36 + system.length * 6.5;
    return text;
  });
  const one = x(1).toFixed(1);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    "<style>text{fill:#334155}.grid{stroke:#e2e8f0;fill:none}.row{stroke:#f1f5f9;fill:none}</style>",
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${margin.left}" y="28" font-size="16" font-weight="600">How many times ${reference} the others take</text>`,
    ...grid,
    ...drawn,
    `<path d="M${one} ${margin.top}V${bottom}" stroke="#2563eb" stroke-width="2"/>`,
    ...legend,
    `<text x="${margin.left + inner / 2}" y="${height - 10}" text-anchor="middle">time or bytes, ours being 1; right of the line we are better</text>`,
    "</svg>",
    "",
  ].join("\n");
}
