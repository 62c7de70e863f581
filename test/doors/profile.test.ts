/** The profiler through every door: there where it is asked for, or where nothing ships, else left out. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createServer } from "vite";
import esbuildPlugin from "../../transformer/bundlers/esbuild.ts";
import vitePlugin from "../../transformer/bundlers/vite.ts";
import { packageRoot } from "../../transformer/read/world.ts";

const root = packageRoot();
let folder = "";

const main = `import { compile, type Dim, tensor, type Tensor } from "fluxion";

const onDevice = compile(<N extends Dim>(x: Tensor<[N]>) => {
  const y = x.mul(2);
  return y.exp();
}, { target: "webgpu" });
const here = compile((x: number) => x / 2);
const said = async (profile: Promise<{ readonly kernels: readonly object[] }>) => {
  try {
    return (await profile).kernels;
  } catch (error) {
    return String(error);
  }
};
const x = tensor([1, 2, 3]);
console.log(JSON.stringify([await said(onDevice.profile(x)), await said(here.profile(3))]));
`;
const places = ["main.ts:4", "main.ts:5"];
const withProfiler = [
  [{ name: "value: f32[N]", places, launches: 1, threads: 3 }],
  [{ name: "here", places: [], launches: 1, threads: 1 }],
];
const withoutProfiler = [
  expect.stringContaining("Error: onDevice.profile: this build has no profiler"),
  expect.stringContaining("Error: here.profile: this build has no profiler"),
];

const compilerOptions = {
  target: "es2023",
  module: "nodenext",
  strict: true,
  types: ["node"],
  skipLibCheck: true,
  rootDir: ".",
};

beforeAll(() => {
  mkdirSync(join(root, "out"), { recursive: true });
  folder = mkdtempSync(join(root, "out/profile-"));
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  writeFileSync(join(folder, "main.ts"), main);
  configure("tsconfig.json", { outDir: "built" });
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/fluxion"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function configure(name: string, options: object): void {
  const config = { compilerOptions: { ...compilerOptions, ...options }, include: ["main.ts"] };
  writeFileSync(join(folder, name), JSON.stringify(config));
}

async function node(...args: readonly string[]): Promise<string> {
  return (await promisify(execFile)(process.execPath, [...args], { cwd: folder })).stdout;
}

/** What the program says of its profiles. */
async function saidBy(...args: readonly string[]): Promise<unknown> {
  return JSON.parse(await node(...args));
}

test("`fluxion run` has it", async () => {
  expect(await saidBy(`${root}/bin/fluxion.js`, "run", "main.ts")).toMatchObject(withProfiler);
});

test("the loader of Node has it", async () => {
  expect(await saidBy("--import", "fluxion/register", "main.ts")).toMatchObject(withProfiler);
});

describe.each([true, false])("asked for: %s", (profile) => {
  const expected = profile ? withProfiler : withoutProfiler;

  test("`fluxion build`", async () => {
    const flags = profile ? ["--profile"] : [];
    await node(`${root}/bin/fluxion.js`, "build", ...flags);
    expect(await saidBy("built/main.js")).toMatchObject(expected);
  });

  test("tspc", async () => {
    const plugins = [{ transform: "fluxion/transformer", ...(profile ? { profile } : {}) }];
    const name = `patched-${profile}`;
    configure(`${name}.json`, { outDir: name, plugins });
    await node(`${root}/node_modules/ts-patch/bin/tspc.js`, "-p", `${name}.json`);
    expect(await saidBy(`${name}/main.js`)).toMatchObject(expected);
  });

  test("a bundler", async () => {
    const outfile = join(folder, `bundle-${profile}.mjs`);
    await esbuild.build({
      entryPoints: [join(folder, "main.ts")],
      outfile,
      bundle: true,
      minify: true,
      format: "esm",
      platform: "node",
      external: ["webgpu"],
      plugins: [esbuildPlugin(profile ? { profile } : {})],
    });
    expect(await saidBy(outfile)).toMatchObject(expected);
    // Nothing of it is in a bundle that cannot use it.
    for (const word of ["traceEvents", "timestampWrites", "main.ts:4"]) {
      expect(readFileSync(outfile, "utf8").includes(word), word).toBe(profile);
    }
  });
});

test.each([undefined, true, false])("Vite serves it, where profile is %s", async (profile) => {
  const server = await createServer({
    root: folder,
    configFile: false,
    logLevel: "silent",
    server: { middlewareMode: true, ws: false },
    plugins: [vitePlugin(profile === undefined ? {} : { profile })],
  });
  try {
    const served = await server.transformRequest("/main.ts");
    expect(served?.code.includes("main.ts:4")).toBe(profile ?? true);
    expect(served?.code.includes("profiler as __fluxion_profiler")).toBe(profile ?? true);
  } finally {
    await server.close();
  }
});
