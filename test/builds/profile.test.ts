/** A page that profiles a program on WebGPU, under a policy against code from text. */

import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import type { KernelTime, Timing } from "fluxion";
import { fluxion } from "fluxion/esbuild";
import { expect, test } from "vitest";
import { openBrowser, serve } from "./browser.ts";

interface Found {
  readonly kernels: readonly KernelTime[];
  readonly timing: Timing;
  readonly milliseconds: number;
  readonly result: number;
  readonly trace: string;
}

test("has the lines of its kernels, and their times from the device", async () => {
  const folder = path.join(import.meta.dirname, "out/profile");
  const app = path.join(import.meta.dirname, "profile.app.ts");
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [app],
    outfile: path.join(folder, "app.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
    plugins: [fluxion({ profile: true })],
  });
  const html = '<!doctype html><title></title><script type="module" src="app.js"></script>';
  await writeFile(path.join(folder, "index.html"), html);
  const server = await serve(folder, { policy: "script-src 'self'" });
  const browser = await openBrowser({ hasGraphics: true });
  try {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(server.url);
    await expect.poll(() => page.title(), { timeout: 50_000 }).not.toBe("");
    expect(complaints).toEqual([]);
    const found = JSON.parse(await page.title()) as Found;
    expect(found).toMatchObject({ timing: "device", result: 128 });
    expect(found.milliseconds).toBeGreaterThan(0);
    const lines = (await readFile(app, "utf8")).split("\n");
    const at = (comment: string): string =>
      `profile.app.ts:${lines.findIndex((line) => line.endsWith(`// ${comment}`)) + 1}`;
    const places = new Set(found.kernels.flatMap((kernel) => kernel.places));
    expect([...places].sort()).toEqual([at("square"), at("cube")].sort());
    const { traceEvents } = JSON.parse(found.trace) as {
      readonly traceEvents: readonly { readonly ph: string; readonly dur?: number }[];
    };
    const complete = traceEvents.filter(({ ph }) => ph === "X");
    expect(complete).toHaveLength(found.kernels.reduce((sum, { launches }) => sum + launches, 0));
    for (const { dur } of complete) expect(dur).toBeGreaterThanOrEqual(0);
  } finally {
    await browser.close();
    await server.close();
  }
});
