/** Tensors on canvases and images as tensors, in a page of Chromium with graphics devices. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { fluxion } from "fluxion/esbuild";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBrowser, type Server, serve } from "../builds/browser.ts";
import type { App, Drawing, Kind, Place, Seen, SourceKind } from "./image.app.ts";

declare const window: { readonly app: App };

const places: readonly Place[] = ["host", "wasm", "webgpu", "webgl"];
const kinds: readonly Kind[] = ["html", "offscreen"];

let server: Server;
let browser: Browser;
let page: Page;

async function open(): Promise<Page> {
  const opened = await browser.newPage();
  await opened.goto(server.url);
  await opened.waitForFunction(() => document.title === "ready", null, { timeout: 50_000 });
  return opened;
}

beforeAll(async () => {
  const folder = path.join(import.meta.dirname, "out/page");
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, "image.app.ts")],
    outfile: path.join(folder, "app.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
    plugins: [fluxion()],
  });
  const html =
    '<!doctype html><title></title><body></body><script type="module" src="app.js"></script>';
  await writeFile(path.join(folder, "index.html"), html);
  server = await serve(folder);
  browser = await openBrowser({ hasGraphics: true, hasCanvases: true });
  page = await open();
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const [height, width] = [5, 7];

/** Each channel of each pixel is another number; some are none that a canvas can show. */
function gradient(shape: readonly number[], place: Place, shift = 0): Drawing {
  const channels = shape[2] ?? 1;
  const odd = ["NaN", "Infinity", "-Infinity", -0.5, 1.5];
  const elements = Array.from({ length: height * width * channels }, (_, k) => {
    const [pixel, channel] = [Math.floor(k / channels), k % channels];
    if (channel === 3) return pixel === 4 ? 0 : 0.5 + pixel / 80;
    const strange = odd[pixel - 8 + channel];
    if (strange !== undefined && shift === 0) return strange;
    return ((pixel * 7 + channel * 90 + shift) % 256) / 255;
  });
  return { shape, elements, place };
}

/** What a canvas shows of it, as alpha is not premultiplied. */
function expectSeen({ shape, elements }: Drawing, { bytes, ...size }: Seen): void {
  expect(size).toEqual({ width: shape[1], height: shape[0] });
  const channels = shape[2] ?? 1;
  const byteOf = (k: number): number => {
    const value = Number(elements[k]);
    return Number.isNaN(value) ? 0 : 255 * Math.min(1, Math.max(0, value));
  };
  for (let pixel = 0; pixel < (shape[0] ?? 0) * (shape[1] ?? 0); pixel++) {
    const alpha = channels === 4 ? byteOf(4 * pixel + 3) : 255;
    expect(Math.abs((bytes[4 * pixel + 3] as number) - alpha), `alpha of ${pixel}`).toBeLessThan(1);
    for (let k = 0; k < 3; k++) {
      const value = alpha === 0 ? 0 : byteOf(channels * pixel + (channels === 1 ? 0 : k));
      // Canvases keep colours multiplied by alpha, in bytes.
      const most = alpha === 255 ? 1 : 1 + 255 / Math.max(1, alpha);
      const off = Math.abs((bytes[4 * pixel + k] as number) - value);
      expect(off, `channel ${k} of pixel ${pixel}`).toBeLessThanOrEqual(most);
    }
  }
}

const draw = (drawings: readonly Drawing[], kind: Kind): Promise<Seen[]> =>
  page.evaluate(([all, to]) => window.app.draw(all, to), [drawings, kind] as const);

it("ships no eager language", async () => {
  const text = await readFile(path.join(import.meta.dirname, "out/page/app.js"), "utf8");
  expect(text).toContain("fromImage: ");
  expect(text).not.toContain("needs the compiler here");
});

describe("draw", () => {
  const shapes = [[], [1], [3], [4]].map((channels) => [[height, width, ...channels]]);
  for (const place of places) {
    it.each(shapes)(`shows a tensor on ${place} of shape %j`, async (shape) => {
      const drawing = gradient(shape, place);
      for (const kind of kinds) {
        const [shown] = await draw([drawing], kind);
        expectSeen(drawing, shown as Seen);
      }
    });
  }

  it("shows what people see on the page", async () => {
    for (const place of places) {
      const drawing = gradient([height, width, 3], place);
      await page.evaluate((one) => window.app.show(one), drawing);
      const screenshot = (await page.screenshot()).toString("base64");
      const shown = await page.evaluate((given) => window.app.pixelsOf(...given), [
        screenshot,
        width,
        height,
      ] as const);
      expectSeen(drawing, shown);
    }
  });

  it("shows tensors from everywhere on one canvas, of one size after the other", async () => {
    for (const first of places) {
      for (const kind of kinds) {
        const drawings = [first, ...places, first].map((place, k) =>
          gradient(k % 2 === 0 ? [height, width, 3] : [width, height, 4], place, 10 * k),
        );
        const all = await draw(drawings, kind);
        drawings.forEach((drawing, k) => expectSeen(drawing, all[k] as Seen));
      }
    }
  });

  it("keeps the order in which it is asked, and what tensors were", async () => {
    for (const last of places) {
      for (const before of places) {
        const drawings = [
          gradient([height, width], "webgpu", 5),
          gradient([width, height], before, 30),
          gradient([height, width, 3], last, 60),
        ];
        for (const all of [drawings, drawings.slice(1)]) {
          const shown = await page.evaluate((given) => window.app.drawAtOnce(given, "html"), all);
          expectSeen(drawings[2] as Drawing, shown);
        }
      }
    }
  });

  it("draws past what the context of the canvas is set to, and leaves that", async () => {
    for (const place of places) {
      const drawing = gradient([height, width, 4], place);
      const found = await page.evaluate((one) => window.app.drawToSetContext(one), drawing);
      expectSeen(drawing, found.seen);
      expect(found).toMatchObject({ moved: [2, 1], alpha: 0.5 });
    }
  });

  it("draws after the memory has moved", async () => {
    for (const place of ["webgpu", "webgl"] as const) {
      const drawing = gradient([height, width, 3], place);
      const shown = await page.evaluate((one) => window.app.drawAfterGrowth(one), drawing);
      expectSeen(drawing, shown);
    }
  });

  it("leaves nothing in the memory of the device, and reads nothing from it", async () => {
    for (const kind of kinds) {
      for (const place of ["webgpu", "webgl"] as const) {
        const found = await page.evaluate(([where, to]) => window.app.drawOften(where, 100, to), [
          place,
          kind,
        ] as const);
        expect(found.before).toBeGreaterThan(0);
        expect(found.after).toBe(found.before);
        // Whether calls failed is read, and nothing as large as the picture.
        expect(found.most).toBeLessThan(4096);
        expect(found.seen.bytes.slice(0, 8)).toEqual([0, 51, 102, 255, 153, 204, 255, 255]);
      }
    }
  });

  it("fails where the tensor failed", async () => {
    for (const place of ["webgpu", "webgl"] as const) {
      const [first, again, after] = await page.evaluate(
        (where) => window.app.drawFailing(where, 7),
        place,
      );
      expect(first).toContain("index 7 is out of range for length 4");
      expect(again).toBe(first);
      expect(after).toBe("nothing failed");
    }
  });

  it("refuses a canvas that others draw to", async () => {
    for (const place of places) {
      const said = await page.evaluate((where) => window.app.drawToForeign(where), place);
      expect(said).toMatch(/^TypeError: draw: this canvas has a context .* canvas of its own/);
    }
  });
});

describe("asTexture", () => {
  for (const place of places) {
    it(`has the elements of a tensor on ${place}, of bytes or as they are`, async () => {
      for (const channels of [[], [1], [3], [4]]) {
        const drawing = gradient([height, width, ...channels], place);
        const [bytes, floats] = [
          await page.evaluate((one) => window.app.texture(one, "rgba8unorm"), drawing),
          await page.evaluate((one) => window.app.texture(one, "rgba32float"), drawing),
        ];
        const count = channels[0] ?? 1;
        expect([floats.width, floats.height]).toEqual([width, height]);
        for (let k = 0; k < 4 * width * height; k++) {
          const at = Math.floor(k / 4) * count + (count === 1 ? 0 : k % 4);
          const value = k % 4 < 3 || count === 4 ? Number(drawing.elements[at]) : 1;
          expect(Number(floats.values[k]), `float ${k}`).toBe(Math.fround(value));
          const byte = Number.isNaN(value) ? 0 : 255 * Math.min(1, Math.max(0, value));
          expect(Math.abs(Number(bytes.values[k]) - byte), `byte ${k}`).toBeLessThanOrEqual(0.501);
        }
      }
    });
  }

  it("fails where the tensor failed", async () => {
    const said = await page.evaluate(() => window.app.failingTexture());
    expect(said).toContain("index 7 is out of range for length 4");
  });
});

describe("fromImage", () => {
  const pixels = (alpha: number): Seen => ({
    width,
    height,
    bytes: Array.from({ length: 4 * width * height }, (_, k) =>
      k % 4 === 3 ? alpha : (Math.floor(k / 4) * 7 + (k % 4) * 90) % 256,
    ),
  });
  const expected = ({ bytes }: Seen, channels: number): number[] => {
    const all: number[] = [];
    for (let k = 0; k < bytes.length; k += 4) {
      const [r, g, b, a] = bytes.slice(k, k + 4).map((byte) => byte / 255);
      if (channels === 1) all.push(0.2126 * r! + 0.7152 * g! + 0.0722 * b!);
      else all.push(...[r!, g!, b!, a!].slice(0, channels));
    }
    return all;
  };
  const exact: readonly SourceKind[] = ["bitmap", "canvas", "data", "frame", "image", "offscreen"];

  for (const device of ["wasm", "webgpu"] as const) {
    it.each(exact)(`takes the pixels of a %s to ${device}`, async (kind) => {
      const image = pixels(255);
      for (const channels of [1, 3, 4] as const) {
        const found = await page.evaluate((given) => window.app.read(...given), [
          image,
          kind,
          channels,
          device,
        ] as const);
        expect(found.shape).toEqual([height, width, channels]);
        expect(found.isHere).toBe(device === "wasm");
        const wanted = expected(image, channels);
        const off = found.data.map((value, k) => Math.abs(value - (wanted[k] as number)));
        expect(found.data).toHaveLength(wanted.length);
        expect(Math.max(...off)).toBeLessThan(1e-6);
      }
    });

    it(`takes the frame of a video to ${device}`, async () => {
      const bytes = Array.from({ length: 4 * 64 * 48 }, (_, k) => [200, 100, 50, 255][k % 4]!);
      const image: Seen = { width: 64, height: 48, bytes };
      const found = await page.evaluate((given) => window.app.read(...given), [
        image,
        "video",
        3,
        device,
      ] as const);
      expect(found.shape).toEqual([48, 64, 3]);
      const wanted = expected(image, 3);
      const off = found.data.map((value, k) => Math.abs(value - (wanted[k] as number)));
      // Videos are coded.
      expect(Math.max(...off)).toBeLessThan(6 / 255);
    });

    it(`gives colours that are not multiplied by alpha to ${device}`, async () => {
      const image = pixels(51);
      for (const kind of ["data", "canvas"] as const) {
        const found = await page.evaluate((given) => window.app.read(...given), [
          image,
          kind,
          4,
          device,
        ] as const);
        const wanted = expected(image, 4);
        const off = found.data.map((value, k) => Math.abs(value - (wanted[k] as number)));
        // A canvas keeps a fifth of each colour.
        expect(Math.max(...off)).toBeLessThan(kind === "data" ? 1e-6 : 3.1 / 255);
      }
    });
  }

  it("takes an image as it is, before there is a device", async () => {
    const image = pixels(255);
    for (const kind of ["canvas", "data", "frame"] as const) {
      const fresh = await open();
      const found = await fresh.evaluate((given) => window.app.read(...given), [
        image,
        kind,
        3,
        "webgpu",
      ] as const);
      await fresh.close();
      const wanted = expected(image, 3);
      const off = found.data.map((value, k) => Math.abs(value - (wanted[k] as number)));
      expect(Math.max(...off), kind).toBeLessThan(1e-6);
    }
  });

  it("gives programs what they compute with, and canvases what comes of it", async () => {
    const image = pixels(255);
    for (const [place, device] of [
      ["wasm", "wasm"],
      ["webgl", "wasm"],
      ["webgpu", "wasm"],
      ["webgpu", "webgpu"],
    ] as const) {
      const found = await page.evaluate((given) => window.app.pass(...given), [
        image,
        place,
        device,
      ] as const);
      const wanted = image.bytes.map((byte) => Math.min(255, 2 * byte));
      expect(found).toEqual({ ...image, bytes: wanted });
    }
  });

  it("leaves nothing in the memory of the device", async () => {
    const { before, after } = await page.evaluate(
      (image) => window.app.readOften(image, 50),
      pixels(255),
    );
    expect(after).toBe(before);
  });

  it("refuses what has no pixels, and other options", async () => {
    const [image, video, closed, channels, device, wide, large] = await page.evaluate(() =>
      window.app.refusals(),
    );
    for (const said of [image, video, closed]) {
      expect(said).toMatch(/^RangeError: fromImage: the image has no pixels, or not yet: wait/);
    }
    expect(channels).toBe("RangeError: fromImage: channels: 2 is none of 1, 3 and 4");
    expect(device).toMatch(/^RangeError: fromImage: device: "gpu" is neither "wasm" nor "webgpu"/);
    expect(wide).toMatch(/^TypeError: fromImage: an ImageData is taken as bytes in sRGB/);
    expect(large).toMatch(/^RangeError: a picture of 9000 × 1 pixels is more than/);
  });
});
