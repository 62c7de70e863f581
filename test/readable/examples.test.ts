/** The readable derivatives of the examples: they type-check, and compute the same numbers. */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
// The built package: the printed modules import it, and tensors must be of one class.
import { load, Tensor, tensor } from "fluxion/runtime";
import { type Argument, compile, explain, type Tree } from "../../compiler/compile.ts";
import { readFile } from "../../transformer/plan.ts";
import { ProjectCache } from "../../transformer/project.ts";

/** Roots of the examples, and what cannot be said of them. */
const files: Readonly<Record<string, readonly string[]>> = {
  "examples/01-scalar/main.ts": ["compiled", "slope"],
  "examples/02-linear-regression/main.ts": ["step"],
  "examples/03-logistic-regression/main.ts": ["step", "accuracy"],
  "examples/04-mnist/mlp.ts": ["init", "step", "classify"],
  "examples/04-mnist/cnn.ts": ["init", "step", "classify"],
};

const folder = path.resolve("test/readable/out/examples");
const projects = new ProjectCache();

beforeAll(() => mkdirSync(folder, { recursive: true }));
afterAll(() => rmSync(folder, { recursive: true }));

/** Symbolic extents, by name: the rows of linear regression are flat. */
function extentOf(name: string): number {
  return name === "xs_length" ? 9 : 3;
}

/** An input of a tree, from a counter; small numbers, whole ones for integers. */
function sample(tree: Tree, next: () => number): unknown {
  switch (tree.kind) {
    case "constant":
      return tree.value;
    case "record":
      return Object.fromEntries(tree.fields.map(([name, inner]) => [name, sample(inner, next)]));
    case "tuple":
      return tree.items.map((inner) => sample(inner, next));
    case "leaf": {
      const shape = tree.shape.map((dim) =>
        typeof dim === "number" ? dim : extentOf(String(dim.terms[0]?.factors[0])),
      );
      const size = shape.reduce((product, length) => product * length, 1);
      const whole = tree.dtype !== "f32" && tree.dtype !== "f64";
      const values = Array.from({ length: size }, () => {
        const value = Math.abs(Math.sin(next() * 12.9898));
        return whole ? Math.floor(value * 10) : value;
      });
      if (tree.as === "tensor") return tensor(values, shape, tree.dtype);
      return tree.as === "typed" ? Float64Array.from(values) : values[0];
    }
    default:
      throw new Error(`no sample of a ${(tree as { kind: string }).kind}`);
  }
}

/** Every number of a result, in order. */
function numbersOf(result: unknown): readonly number[] {
  if (typeof result === "number") return [result];
  if (result instanceof Tensor) return Array.from(result.dataSync());
  if (ArrayBuffer.isView(result)) return Array.from(result as Float64Array);
  return Object.values(result as object).flatMap(numbersOf);
}

const written: string[] = [];

describe.each(Object.entries(files))("%s", (file, roots) => {
  const { world, program } = projects.projectOf(path.resolve(file));
  const source = program.getSourceFile(path.resolve(file));
  if (source === undefined) throw new Error(`${file} is in no program`);
  const read = readFile(world, source);

  test.each(roots)("%s", async (name) => {
    const root = read.roots.find((one) => one.name === name);
    const [only] = root?.programs ?? [];
    if (only === undefined) throw new Error(`${file} has no root ${name}`);
    const { graph, signature } = only;
    const text = await explain(graph, "ts", { target: "js", signature });
    const module = path.join(folder, `${path.basename(path.dirname(file))}-${written.length}.ts`);
    writeFileSync(module, text);
    written.push(module);

    const { manifest, code } = await compile(graph, signature, { target: "js" });
    let counter = 0;
    const next = (): number => ++counter;
    const inputs = signature.parameters.map(({ tree }: Argument) => sample(tree, next));
    const expected = numbersOf(load(manifest, code)(...inputs));
    const script = ts.transpile(text, {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
    });
    const ready = module.replace(/\.ts$/, ".mjs");
    writeFileSync(ready, script);
    const exported = (await import(pathToFileURL(ready).href)) as Record<string, Function>;
    const actual = numbersOf(exported[signature.name]!(...inputs));
    expect(actual.length).toBe(expected.length);
    actual.forEach((value, k) => {
      const scale = Math.max(1, Math.abs(expected[k]!));
      expect(Math.abs(value - expected[k]!) / scale).toBeLessThan(5e-3);
    });
  });
});

test("they type-check", () => {
  const options = {
    ...projects.projectOf(path.resolve("examples/01-scalar/main.ts")).program.getCompilerOptions(),
  };
  const program = ts.createProgram(written, { ...options, noEmit: true });
  const diagnostics = ts.getPreEmitDiagnostics(program);
  expect(
    ts.formatDiagnostics(diagnostics, {
      getCanonicalFileName: (name) => name,
      getCurrentDirectory: () => folder,
      getNewLine: () => "\n",
    }),
  ).toBe("");
});
