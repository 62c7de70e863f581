/** A page that trains on WebGPU, as people ship it, beside the same page on WebAssembly. */

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { fluxion } from "fluxion/esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, serve } from "./browser.ts";

interface Found {
  readonly losses: readonly number[];
  /** Whether tensors are on a device that answers later. */
  readonly isElsewhere: boolean;
  /** Whether the page may make code of text. */
  readonly takesText: boolean;
}

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser({ hasGraphics: true });
});
afterAll(() => browser?.close());

/** Builds the page, and has it train under a policy for scripts. */
async function trained(target: "wasm" | "webgpu", policy: string): Promise<Found> {
  const folder = path.join(import.meta.dirname, "out", `training-${target}`);
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, "webgpu.app.ts")],
    outfile: path.join(folder, "app.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
    plugins: [fluxion({ target })],
  });
  const html = '<!doctype html><title></title><script type="module" src="app.js"></script>';
  await writeFile(path.join(folder, "index.html"), html);
  const server = await serve(folder, { policy });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(server.url);
  await expect.poll(() => page.title(), { timeout: 50_000 }).not.toBe("");
  expect(complaints).toEqual([]);
  const found = JSON.parse(await page.title()) as Found;
  await server.close();
  return found;
}

test("without code from text, with the losses of WebAssembly", async () => {
  const device = await trained("webgpu", "script-src 'self'");
  const host = await trained("wasm", "script-src 'self' 'wasm-unsafe-eval'");
  expect(device).toMatchObject({ isElsewhere: true, takesText: false });
  expect(host.isElsewhere).toBe(false);
  expect(host.losses).toHaveLength(60);
  expect(host.losses.at(-1)).toBeLessThan(0.3 * (host.losses[0] as number));
  device.losses.forEach((loss, k) => expect(loss).toBeCloseTo(host.losses[k] as number, 4));
});
