/** The samples of all ops and random programs on WebGPU in Chromium, compiled here. */

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import fc from "fast-check";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ops } from "../../compiler/ops/index.ts";
import { openBrowser, type Server, serve } from "../builds/browser.ts";
import { fnOfSamples } from "../ops/support.ts";
import { programs } from "../random/programs.ts";
import { runs } from "../random/runs.ts";
import type { Page as Programs } from "./page.ts";
import { type Count, type Device, expectSameIfRun, expectSameOnDevice } from "./support.ts";

declare const window: { readonly page: Programs };

const folder = path.join(import.meta.dirname, "out");
let server: Server;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, "page.ts")],
    outfile: path.join(folder, "page.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
  });
  const html = '<!doctype html><title></title><script type="module" src="page.js"></script>';
  await writeFile(path.join(folder, "index.html"), html);
  server = await serve(folder);
  browser = await openBrowser({ hasGraphics: true });
  page = await browser.newPage();
  await page.goto(server.url);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

const inPage = (target: Device["target"]): Device => ({
  target,
  load: (shipped) => (inputs) =>
    page.evaluate(([program, values]) => window.page.run(program, values), [
      shipped,
      inputs,
    ] as const),
});

describe("webgpu in Chromium", () => {
  it("is there, by SwiftShader", async () => {
    const described = await page.evaluate(async () => {
      const adapter = await navigator.gpu.requestAdapter();
      return adapter?.info.architecture;
    });
    expect(described).toBe("swiftshader");
  });

  for (const op of Object.values(ops)) {
    if (op.samples.length === 0) continue;
    it(op.name, async () => {
      const inputs = op.samples.flatMap((sample) => sample.inputs);
      await expectSameOnDevice(fnOfSamples(op, op.samples), inputs, inPage("webgpu"));
    });
  }

  it("computes random programs", async () => {
    const count: Count = { ran: 0, refused: 0 };
    const property = fc.asyncProperty(programs({ smooth: false }), ({ fn, inputs }) =>
      expectSameIfRun(fn, inputs, count, inPage("webgpu")),
    );
    await fc.assert(property, runs(25, 27));
    expect(count.ran).toBeGreaterThan(3 * count.refused);
  });
});
