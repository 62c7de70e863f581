/** Programs for "auto", as people ship them: a minified page, with a graphics device and without; the doors. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { build } from "esbuild";
import { fluxion } from "fluxion/esbuild";
import type { DeviceReport } from "fluxion/runtime";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser, type Server, serve } from "./browser.ts";

interface Found {
  readonly losses: readonly number[];
  /** Of each loss, whether it is on a device that answers later. */
  readonly away: readonly boolean[];
  readonly started: DeviceReport;
  readonly ended: DeviceReport;
}

const root = path.resolve(import.meta.dirname, "../..");

describe("a page", () => {
  let server: Server;
  beforeAll(async () => {
    const folder = path.join(import.meta.dirname, "out/auto");
    await mkdir(folder, { recursive: true });
    await build({
      entryPoints: [path.join(import.meta.dirname, "auto.app.ts")],
      outfile: path.join(folder, "app.js"),
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2022",
      external: ["node:*"],
      plugins: [fluxion({ target: "auto" })],
    });
    const html = '<!doctype html><title></title><script type="module" src="app.js"></script>';
    await writeFile(path.join(folder, "index.html"), html);
    // No code from text: a page may forbid it.
    server = await serve(folder, { policy: "script-src 'self' 'wasm-unsafe-eval'" });
  });
  afterAll(() => server?.close());

  async function trained(has: "WebGPU" | "WebGL" | "neither"): Promise<Found> {
    const browser = await openBrowser({ hasGraphics: has === "WebGPU" });
    try {
      const page = await browser.newPage();
      if (has === "neither") {
        await page.addInitScript(
          "delete globalThis.OffscreenCanvas; document.createElement = null;",
        );
      }
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      await page.goto(server.url);
      await expect.poll(() => page.title(), { timeout: 50_000 }).not.toBe("");
      expect(complaints).toEqual([]);
      return JSON.parse(await page.title()) as Found;
    } finally {
      await browser.close();
    }
  }

  test("starts on wasm, and goes on on the device with the losses of wasm", async () => {
    const [there, here] = [await trained("WebGPU"), await trained("neither")];
    expect(there.started.inUse).toBe("wasm");
    expect(there.ended).toEqual({
      inUse: "webgpu",
      others: [
        { target: "webgl", why: "WebGPU goes first, and is there" },
        { target: "wasm", why: "WebGPU goes first, and is there" },
      ],
      staying: [],
    });
    expect(there.away[0]).toBe(false);
    expect(there.away.slice(20)).toEqual(Array.from({ length: 40 }, () => true));
    expect(here.ended.inUse).toBe("wasm");
    expect(here.ended.others[0]?.why).toMatch(/no WebGPU|no graphics device/);
    expect(here.away).not.toContain(true);
    expect(here.losses).toHaveLength(60);
    expect(here.losses.at(-1)).toBeLessThan(0.3 * (here.losses[0] as number));
    there.losses.forEach((loss, k) => expect(loss).toBeCloseTo(here.losses[k] as number, 4));
    const old = await trained("WebGL");
    expect(old.ended.inUse).toBe("webgl");
    expect(old.away.at(-1)).toBe(true);
    old.losses.forEach((loss, k) => expect(loss).toBeCloseTo(here.losses[k] as number, 4));
  });
});

describe("the doors", () => {
  const main = `import { compile, device, onReady, type Tensor, tensor, useThreads } from "fluxion";

const twice = compile((x: Tensor<[2]>) => x.mul(2));
const number = compile((x: number) => x + 1);
const isLong = compile((x: Int32Array) => x.length > 2, { target: "auto" });
await useThreads(1);
const x = twice(tensor([1, 2]));
const started = device().inUse;
const { inUse, others } = await new Promise(onReady);
const y = twice(x);
const found = [await y.data(), await isLong(Int32Array.of(1))].map(String);
console.log([started, inUse, ...found, number(1)].join(" "));
if (inUse === "wasm") console.log(others[0].why);
`;
  let folder = "";
  beforeAll(() => {
    mkdirSync(path.join(root, "out"), { recursive: true });
    folder = mkdtempSync(path.join(root, "out/auto-"));
    writeFileSync(path.join(folder, "package.json"), '{ "type": "module" }');
    writeFileSync(path.join(folder, "main.ts"), main);
    const compilerOptions = {
      ...{ target: "es2023", module: "nodenext", strict: true, skipLibCheck: true },
      ...{ types: ["node"], lib: ["es2024", "dom"], outDir: "built", rootDir: "." },
      plugins: [{ transform: "fluxion/transformer", target: "auto" }],
    };
    const config = JSON.stringify({ compilerOptions, files: ["main.ts"] });
    writeFileSync(path.join(folder, "tsconfig.json"), config);
    mkdirSync(path.join(folder, "node_modules"));
    symlinkSync(root, path.join(folder, "node_modules/fluxion"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const node = (args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
    promisify(execFile)(process.execPath, args, { cwd: folder, env: { ...process.env, ...env } });
  const command = path.join(root, "bin/fluxion.js");
  /** As on a machine without a card. */
  const noDriver = { VK_DRIVER_FILES: "/there/is/none.json" };
  const onDevice = "wasm webgpu 4,8 false 2\n";

  test("fluxion run, with SwiftShader where there is no card", async () => {
    const args = [command, "run", "--target", "auto", "main.ts"];
    const { stdout, stderr } = await node(args, noDriver);
    expect(stderr).toBe("no graphics card found: WebGPU runs on SwiftShader, slowly\n");
    expect(stdout).toBe(onDevice);
  });

  test("the loader of Node, which stays on wasm where there is no device", async () => {
    const env = { ...noDriver, FLUXION_TARGET: "auto" };
    const { stdout, stderr } = await node(["--import", "fluxion/register", "main.ts"], env);
    expect(stderr).not.toContain("SwiftShader");
    expect(stdout).toMatch(
      /^wasm wasm 4,8 false 2\nWebGPU is there, and no graphics device that it can use/,
    );
  });

  test("a bundle, which leaves the eager language out", async () => {
    const outfile = path.join(folder, "built/bundle.js");
    await build({
      absWorkingDir: folder,
      entryPoints: ["main.ts"],
      ...{ outfile, bundle: true, minify: true, format: "esm", platform: "node" },
      plugins: [fluxion({ target: "auto" })],
    });
    expect((await node([outfile])).stdout).toBe(onDevice);
    const text = await readFile(outfile, "utf8");
    for (const word of ["conv_filter", "window_max"]) {
      expect(text.includes(word), `the bundle contains ${word}`).toBe(false);
    }
  });

  test("fluxion build", async () => {
    await node([command, "build", "--target", "auto"]);
    expect((await node(["built/main.js"])).stdout).toBe(onDevice);
  });

  test("tspc", async () => {
    await node([path.join(root, "node_modules/ts-patch/bin/tspc.js"), "-p", "tsconfig.json"]);
    expect((await node(["built/main.js"])).stdout).toBe(onDevice);
  });

  test("fluxion explain shows what it starts with", async () => {
    const explain = (stage: string) =>
      node([command, "explain", "main.ts:isLong", "--stage", stage]);
    expect((await explain("placed")).stdout).toContain("all of it, on wasm");
    expect((await explain("wgsl")).stdout).toContain("@compute");
  });

  test("the file as it is", async () => {
    const { stdout } = await node(["main.ts"]);
    expect(stdout).toBe("js js 4,8 false 2\n");
  });

  test("an unknown target is refused, with those that there are", async () => {
    const failed = node([command, "run", "--target", "cuda", "main.ts"]);
    await expect(failed).rejects.toThrow(/Allowed choices are js, wasm, webgpu, .*auto/);
  });
});
