/** Threads in Chromium: in a page that is cross-origin isolated, and one thread where it is not. */

import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { fluxion } from "fluxion/esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser, serve } from "./browser.ts";

const folder = path.join(import.meta.dirname, "out/threads");
let browser: Browser;

beforeAll(async () => {
  await mkdir(folder, { recursive: true });
  await build({
    entryPoints: [path.join(import.meta.dirname, "threads.app.ts")],
    outfile: path.join(folder, "app.js"),
    bundle: true,
    // As people ship it: the text of a worker must survive it.
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
    plugins: [fluxion()],
  });
  await writeFile(
    path.join(folder, "index.html"),
    '<!doctype html><title></title><script type="module" src="app.js"></script>',
  );
  browser = await openBrowser();
});
afterAll(() => browser?.close());

test.each([
  [true, 2],
  [false, 1],
])("isolated: %s", { timeout: 60_000 }, async (isIsolated, threads) => {
  const server = await serve(folder, { isIsolated });
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(server.url);
  await page.waitForFunction(() => document.title !== "", undefined, { timeout: 50_000 });
  expect(JSON.parse(await page.title())).toEqual({ threads, isSame: true, isIsolated });
  expect(complaints).toEqual([]);
  await server.close();
});
