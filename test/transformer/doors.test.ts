/**
 * The ways in: bundlers, the loader of Node, ts-patch, the command line. They find the language as
 * a user's project does, in the built package: `npm test` builds first.
 */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import * as esbuild from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { build } from "vite";
import { packageRoot } from "../../transformer/read/world.ts";
import esbuildPlugin from "../../transformer/bundlers/esbuild.ts";
import vitePlugin from "../../transformer/bundlers/vite.ts";

const run = promisify(execFile);
const root = packageRoot();
const cli = join(root, "transformer/cli/main.ts");
let folder = "";

const main = `import { compile, grad, sparseJacobian, sparsity, sparsityOf } from "fluxion";
import { square } from "./square.ts";

const rate = Number("0.5");
export const f = compile((x: number) => square(x) * rate);
export const g = grad((x: Float64Array) => x[0]! * x[1]!);
const steps = (x: Float64Array) => x.map((v, i) => v * (i > 0 ? x[i - 1]! : 1));
const pattern = sparsity(steps);
const jacobian = sparseJacobian(steps);
const x = new Float64Array([2, 5]);
const matrices = [pattern(x), sparsityOf([[0], [1, 0]], 2)].map((p) => [...jacobian(p, x).values]);
const walk = compile(async (start: Float64Array, n: number) => {
  let total = 0;
  for (let i = 0; i < n; i++) {
    const more = start.map((v) => v * (i + 1));
    await Promise.resolve();
    total += more.reduce((a, b) => a + b, 0);
  }
  return total;
});
async function later(x: Float64Array): Promise<number[]> {
  const y: Float64Array = x.map((v) => v + 1);
  await Promise.resolve();
  return [...y];
}
const whole = compile(later);
void Promise.all([walk(x, 2), whole(x)]).then((both) =>
  console.log(JSON.stringify([f(3), [...g(x)], ...matrices, ...both])),
);
`;
const expected = "[4.5,[5,2],[1,5,2],[1,5,2],21,[3,6]]\n";

beforeAll(() => {
  mkdirSync(join(root, "out"), { recursive: true });
  folder = mkdtempSync(join(root, "out/doors-"));
  writeFileSync(join(folder, "main.ts"), main);
  writeFileSync(join(folder, "square.ts"), "export const square = (x: number) => x * x;\n");
  writeFileSync(
    join(folder, "bad.ts"),
    'import { compile } from "fluxion";\nexport const f = compile((x: number) => { console.log(x); return x; });\n',
  );
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "es2023",
        module: "nodenext",
        strict: true,
        types: ["node"],
        skipLibCheck: true,
        rewriteRelativeImportExtensions: true,
        outDir: "built",
        rootDir: ".",
        declaration: true,
      },
      include: ["main.ts", "square.ts"],
    }),
  );
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/fluxion"));
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs JavaScript that imports the runtime from its sources. */
async function output(file: string, code: string): Promise<string> {
  const runtime = JSON.stringify(join(root, "runtime/index.ts"));
  writeFileSync(file, code.replaceAll('"fluxion/runtime"', runtime));
  return (await run(process.execPath, [file])).stdout;
}

describe("bundlers", () => {
  test("vite puts programs in place of roots, and leaves the language out", async () => {
    const result = await build({
      root: folder,
      logLevel: "silent",
      configFile: false,
      plugins: [vitePlugin()],
      build: {
        write: false,
        minify: false,
        lib: { entry: join(folder, "main.ts"), formats: ["es"], fileName: "main" },
        rollupOptions: { external: ["fluxion/runtime", "fluxion"] },
      },
    });
    const [bundle] = Array.isArray(result) ? result : [result];
    if (bundle === undefined || !("output" in bundle)) throw new Error("vite gave no output");
    const { code } = bundle.output[0];
    expect(code).not.toContain('from "fluxion"');
    expect(await output(join(folder, "vite.mjs"), code)).toBe(expected);
  });

  test("esbuild runs the same program, with a source map", async () => {
    const result = await esbuild.build({
      entryPoints: [join(folder, "main.ts")],
      bundle: true,
      write: false,
      format: "esm",
      sourcemap: "external",
      outdir: folder,
      external: ["fluxion", "fluxion/runtime"],
      plugins: [esbuildPlugin()],
    });
    const code = result.outputFiles.find((file) => file.path.endsWith(".js"))?.text ?? "";
    const map = result.outputFiles.find((file) => file.path.endsWith(".map"))?.text ?? "";
    expect(await output(join(folder, "esbuild.mjs"), code)).toBe(expected);
    expect((JSON.parse(map) as { readonly sources: string[] }).sources.join()).toContain("main.ts");
  });

  test("colourings ship where they are used, and only there", async () => {
    const shipped = async (file: string): Promise<string> => {
      const result = await esbuild.build({
        entryPoints: [join(folder, file)],
        bundle: true,
        write: false,
        format: "esm",
        plugins: [esbuildPlugin()],
      });
      return result.outputFiles[0]?.text ?? "";
    };
    writeFileSync(
      join(folder, "plain.ts"),
      'import { compile } from "fluxion";\nexport const f = compile((x: number) => x * 2);\n',
    );
    expect(await shipped("main.ts")).toContain("colouring(");
    expect(await shipped("plain.ts")).not.toContain("colour");
  });

  test("an error of the language is an error of the build", async () => {
    const failed = esbuild.build({
      entryPoints: [join(folder, "bad.ts")],
      bundle: true,
      write: false,
      logLevel: "silent",
      external: ["fluxion", "fluxion/runtime"],
      plugins: [esbuildPlugin()],
    });
    await expect(failed).rejects.toThrow(/FX1004: `console.log`/);
  });
});

describe("ts-patch", () => {
  const tspc = (project: string): Promise<{ stdout: string }> =>
    run(process.execPath, [join(root, "node_modules/ts-patch/bin/tspc.js"), "-p", project], {
      cwd: folder,
    });
  const configure = (name: string, include: readonly string[], outDir: string): void => {
    const config = JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8")) as {
      readonly compilerOptions: object;
    };
    const compilerOptions = {
      ...config.compilerOptions,
      outDir,
      plugins: [{ transform: "fluxion/transformer", target: "js" }],
    };
    writeFileSync(join(folder, name), JSON.stringify({ compilerOptions, include }));
  };

  test("tspc emits programs in place of roots", async () => {
    configure("patched.json", ["main.ts", "square.ts"], "patched");
    await tspc("patched.json");
    const file = join(folder, "patched/main.js");
    const code = readFileSync(file, "utf8");
    expect(code).not.toContain('from "fluxion"');
    expect(await output(file, code)).toBe(expected);
  });

  test("tspc reports errors of the language as its own", async () => {
    configure("unpatched.json", ["bad.ts"], "unpatched");
    await expect(tspc("unpatched.json")).rejects.toMatchObject({
      stdout: expect.stringContaining("FX1004: `console.log`"),
    });
  });
});

describe("a fault that differentiation finds", () => {
  const source = `import { customJvp, grad } from "fluxion";
export const f = grad((y: number) => {
  const scaled = customJvp(
    (z: number) => z * y,
    ([z], [dz]) => [z * y, dz * y],
  );
  return scaled(y);
});
`;
  const said = "FX3007: `scaled` has a derivative of its own, and none for `y`, which it captures";
  beforeAll(() => writeFileSync(join(folder, "captured.ts"), source));
  const failure = (...args: string[]): Promise<string> =>
    run(process.execPath, args, { cwd: folder }).then(
      () => "no error",
      ({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) => stdout + stderr,
    );

  test("has the same words from tspc as from the command", async () => {
    const config = JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8")) as {
      readonly compilerOptions: object;
    };
    const plugins = [{ transform: "fluxion/transformer", target: "js" }];
    const compilerOptions = { ...config.compilerOptions, outDir: "captured", plugins };
    const file = { compilerOptions, include: ["captured.ts"] };
    writeFileSync(join(folder, "captured.json"), JSON.stringify(file));
    const tspc = join(root, "node_modules/ts-patch/bin/tspc.js");
    const [patched, command] = await Promise.all([
      failure(tspc, "-p", "captured.json"),
      failure(cli, "run", "captured.ts"),
    ]);
    for (const text of [patched, command]) {
      expect(text).toContain("captured.ts(7,10): error ");
      expect(text).toContain(said);
      expect(text).toContain("hint: pass `y` as an argument");
      expect(text).not.toContain("FX9");
    }
  });
});

describe("the command line", () => {
  const fluxion = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
    run(process.execPath, [cli, ...args], { cwd: folder });

  test("run runs a program", async () => {
    expect((await fluxion("run", "main.ts")).stdout).toBe(expected);
    expect((await fluxion("run", "--target", "js", "main.ts")).stdout).toBe(expected);
  });

  test("run ends with 1 where the program has errors", async () => {
    await expect(fluxion("run", "bad.ts")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("error FX1004: `console.log`"),
    });
  });

  test("run prints warnings, and goes on", async () => {
    const warned = `import { grad } from "fluxion";
const f = grad((x: number) => Math.floor(x));
console.log(f(2.5));
`;
    writeFileSync(join(folder, "warned.ts"), warned);
    const { stdout, stderr } = await fluxion("run", "warned.ts");
    expect(stdout).toBe("0\n");
    expect(stderr).toContain("warned.ts(2,11): warning FX3008: this derivative is always zero");
    expect(stderr).toContain("warned.ts(2,31): the derivative stops here, at `floor`");
  });

  test("check tells all errors", async () => {
    expect((await fluxion("check")).stdout).toContain("2 files checked, no errors");
    const config = JSON.parse(readFileSync(join(folder, "tsconfig.json"), "utf8")) as object;
    const bad = { ...config, include: ["bad.ts"] };
    writeFileSync(join(folder, "bad.json"), JSON.stringify(bad));
    await expect(fluxion("check", "-p", "bad.json")).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining("bad.ts(2,43): error FX1004"),
    });
  });

  test("build emits JavaScript and declarations", async () => {
    const { stdout } = await fluxion("build");
    expect(stdout).toContain("6 roots compiled");
    const code = readFileSync(join(folder, "built/main.js"), "utf8");
    expect(readFileSync(join(folder, "built/main.d.ts"), "utf8")).toContain(
      "export declare const f",
    );
    expect(await output(join(folder, "built/main.js"), code)).toBe(expected);
  });

  test("explain prints a stage, and refuses what is not there", async () => {
    expect((await fluxion("explain", "main.ts:f")).stdout).toContain("mul");
    expect((await fluxion("explain", "main.ts:g", "--stage", "grad")).stdout).toContain("fn @g");
    await expect(fluxion("explain", "main.ts", "--stage", "spirv")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/'spirv' is invalid. Allowed choices are read, grad, /),
    });
    writeFileSync(join(folder, "plain.ts"), `export { f } from "./main.ts";\n`);
    await expect(fluxion("explain", "plain.ts")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("plain.ts has no roots of its own"),
    });
    await expect(fluxion("explain", "main.ts:nothing")).rejects.toMatchObject({
      stderr: expect.stringContaining("it has f, g"),
    });
  });

  test("the help says what there is", async () => {
    const { stdout } = await fluxion("--help");
    for (const command of ["run", "check", "build", "explain"]) expect(stdout).toContain(command);
  });
});
