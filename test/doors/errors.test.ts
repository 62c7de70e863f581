/** A faulty program gives one error, the same one, at every door, and fails the build. */

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as esbuild from "esbuild";
import { fluxion as esbuildPlugin } from "fluxion/esbuild";
import { fluxion as vitePlugin } from "fluxion/vite";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

interface Faulty {
  readonly name: string;
  readonly text: string;
  readonly code: string;
  /** Line and column of the first character at fault. */
  readonly place: readonly [line: number, column: number];
  readonly reason: string;
  readonly hint: string;
}

const faulty: readonly Faulty[] = [
  {
    name: "a matmul that the types cannot see",
    text: `import { compile, type Tensor } from "fluxion";

export const f = compile((x: Tensor<[4, 6]>, w: Tensor<[5, 2]>) => {
  const halves = x.reshape([8, 6 / 2]);
  return halves.matmul(w);
});
`,
    code: "FX2001",
    place: [5, 10],
    reason: "`matmul` needs the columns of its 1st argument to match the rows of its 2nd: 3 and 5",
    hint: "give the 2nd argument 3 rows, or the 1st 5 columns",
  },
  {
    name: "a matmul that the types see as well",
    text: `import { compile, type Tensor } from "fluxion";

export const f = compile((x: Tensor<[4, 6]>, w: Tensor<[5, 2]>) => x.matmul(w));
`,
    code: "FX2001",
    place: [3, 68],
    reason: "`matmul` needs the columns of its 1st argument to match the rows of its 2nd: 6 and 5",
    hint: "give the 2nd argument 6 rows, or the 1st 5 columns",
  },
  {
    name: "unsupported syntax",
    text: `import { compile } from "fluxion";

export const f = compile((x: number) => {
  try {
    return Math.sqrt(x);
  } finally {
    x = 0;
  }
});
`,
    code: "FX1001",
    place: [4, 3],
    reason: "`try` cannot be compiled: compiled code has no errors to catch",
    hint: "put the `try` around the call of the compiled function",
  },
  {
    name: "a missing derivative",
    text: `import { grad } from "fluxion";

const twice = (n: Int32Array): number => n[0] * 2;
export const f = grad(twice);
`,
    code: "FX3002",
    place: [4, 18],
    reason: "argument 1 of `twice` is made of integers (i32), which has no derivative",
    hint: "differentiate with respect to floating-point numbers, arrays and tensors",
  },
  {
    name: "a derivative that a rule holds back",
    text: `import { compile, customJvp, grad } from "fluxion";

const held = (x: number): number => {
  const scaled = customJvp(
    (z: number) => z * x,
    ([z], [dz]) => [z * x, dz * x],
  );
  return scaled(x);
};
export const f = compile((x: number) => grad(held)(x));
`,
    code: "FX3007",
    place: [8, 10],
    reason: "`scaled` has a derivative of its own, and none for `x`, which it captures",
    hint: "pass `x` as an argument",
  },
  {
    name: "an unknown callee, in a function that two roots share",
    text: `import { compile, grad } from "fluxion";

declare function secret(x: number): number;
function next(x: number): number {
  return secret(x) + 1;
}
export const f = grad(next);
export const g = compile((x: number) => next(x) * 2);
`,
    code: "FX1003",
    place: [5, 10],
    reason: "`secret` cannot be compiled: its source is not available",
    hint: "write the function in TypeScript in this project, or call it outside the compiled function",
  },
];

const root = path.resolve(import.meta.dirname, "../..");
let folder = "";
let config = "";
let file = "";

/** What a command says, which must fail. */
async function failing(...args: string[]): Promise<string> {
  return new Promise((done, unexpected) => {
    execFile(process.execPath, args, { cwd: folder }, (error, stdout, stderr) => {
      if (error === null) unexpected(new Error(`it ended well, and said:\n${stdout}${stderr}`));
      else done(stdout + stderr);
    });
  });
}

/** What is rejected, as text. */
async function rejected(building: Promise<unknown>): Promise<string> {
  const error = await building.then(
    () => new Error("it ended well"),
    (thrown: unknown) => thrown,
  );
  return error instanceof Error ? error.message : String(error);
}

const doors: Readonly<Record<string, () => Promise<string>>> = {
  tspc: () =>
    failing(`${root}/node_modules/ts-patch/bin/tspc.js`, "-p", config, "--pretty", "false"),
  "fluxion check": () => failing(`${root}/bin/fluxion.js`, "check", "-p", config),
  "fluxion run": () => failing(`${root}/bin/fluxion.js`, "run", file),
  Vite: () =>
    rejected(
      build({
        root: folder,
        configFile: false,
        logLevel: "silent",
        plugins: [vitePlugin()],
        build: { write: false, lib: { entry: file, formats: ["es"] } },
      }),
    ),
  esbuild: () =>
    rejected(
      esbuild.build({
        entryPoints: [file],
        bundle: true,
        write: false,
        logLevel: "silent",
        plugins: [esbuildPlugin()],
      }),
    ),
};

describe.each(faulty)("$name", ({ text, code, place, reason, hint }) => {
  beforeAll(() => {
    mkdirSync(`${root}/out`, { recursive: true });
    folder = mkdtempSync(`${root}/out/faulty-`);
    file = path.join(folder, "model.ts");
    config = path.join(folder, "tsconfig.json");
    writeFileSync(file, text);
    const compilerOptions = {
      noEmit: false,
      rootDir: ".",
      outDir: "built",
      noUncheckedIndexedAccess: false,
      lib: ["es2024", "esnext.disposable"],
      types: [],
      plugins: [{ transform: "fluxion/transformer" }],
    };
    const settings = { extends: `${root}/tsconfig.json`, compilerOptions, files: ["model.ts"] };
    writeFileSync(config, JSON.stringify({ ...settings, include: [] }));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.concurrent.each(Object.keys(doors))("%s", async (door) => {
    const said = (await doors[door]!()).replaceAll(`${folder}/`, "");
    expect(said.match(/\berror (FX|TS)\d+/g), said).toHaveLength(1);
    // TypeScript puts a code of its own kind before every message.
    const label = door === "tspc" ? `error TS${code.slice(2)}: ${code}` : `error ${code}`;
    expect(said).toContain(`model.ts(${place.join(",")}): ${label}: ${reason}\n`);
    expect(said.match(/hint: /g), said).toHaveLength(1);
    expect(said).toContain(`hint: ${hint}`);
  });
});
