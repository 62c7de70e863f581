/**
 * The examples, and every example of the page of the language, printed: the texts type-check, and
 * compute the same numbers on sample inputs, as they stand and compiled again.
 */

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Argument, Tree } from "../../compiler/compile.ts";
import { symbolsOf } from "../../compiler/ir/dim.ts";
import { isFloat } from "../../compiler/ir/types.ts";
import { newArray } from "../../runtime/arrays.ts";
import { evaluate } from "../../runtime/dims.ts";
import { constantOf, type DType } from "../../runtime/manifest.ts";
import { Tensor, tensor } from "../../runtime/index.ts";
import { examplesFile } from "../languagePage.ts";
import { Press, type Printed } from "./support.ts";

const folder = resolve("test/readable/out/examples");
const press = new Press(folder);

/** Files of the examples; lengths and numbers for those that do not take any. */
interface Example {
  readonly file: string;
  readonly sizes?: Readonly<Record<string, number>>;
}
const files: Readonly<Record<string, Example>> = {
  scalar: { file: "examples/01-scalar/main.ts" },
  regression: { file: "examples/02-linear-regression/main.ts", sizes: { xs_length: 9 } },
  logistic: { file: "examples/03-logistic-regression/main.ts" },
  mlp: { file: "examples/04-mnist/mlp.ts" },
  cnn: { file: "examples/04-mnist/cnn.ts" },
  ode: {
    file: "examples/05-neural-ode/main.ts",
    sizes: { w1_length: 6, w2_length: 6, b2_length: 2, start_length: 2, path_length: 8, steps: 4 },
  },
  bodies: {
    file: "examples/06-n-body/main.ts",
    sizes: { position_length: 6, velocity_length: 6, launch_length: 2, target_length: 2, end: 0.1 },
  },
  kepler: { file: "examples/07-kepler/main.ts" },
  sorting: {
    file: "examples/08-sorting-network/main.ts",
    sizes: { x_length: 8, values_length: 8 },
  },
  tuples: {
    file: "test/programs/arrays-of-tuples/main.ts",
    sizes: { k: 1, i: 1, n: 3, steps: 2, dt: 0.1 },
  },
  searches: { file: "test/programs/array-searches/main.ts", sizes: { k: 1, v: 0.5, m_width: 2 } },
  tupleGradients: { file: "test/programs/gradients-of-tuples/main.ts" },
  cloth: {
    file: "examples/09-cloth/main.ts",
    sizes: { wind_length: 8, seen_length: 128, steps: 3 },
  },
};

/** Its matrices lie in arrays, and say by numbers how large they are, and which rows change places. */
const pageSizes = { m: 2, n: 3, k: 2, a_length: 4, b_length: 6, p: 0, q: 2 };

/** The page of the language as one file. */
function writePage(): string {
  const file = join(folder, "page.ts");
  writeFileSync(file, examplesFile);
  return file;
}

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  const given = Object.entries(files).map(([name, { file }]) => [name, resolve(file)] as const);
  await press.print({ ...Object.fromEntries(given), page: writePage() });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What an input is made of: a counter, and the sizes that are asked for. */
interface Source {
  readonly next: () => number;
  readonly sizes: Readonly<Record<string, number>>;
}

/** An input of a tree, from a counter; small numbers, whole ones for integers. */
function sample(tree: Tree, name: string, source: Source): unknown {
  switch (tree.kind) {
    case "constant":
      return constantOf(tree);
    case "record":
      return Object.fromEntries(
        tree.fields.map(([field, inner]) => [field, sample(inner, field, source)]),
      );
    case "tuple":
      return tree.items.map((inner) => sample(inner, name, source));
    case "table":
      return Array.from({ length: 3 }, () => sample(rowOf(tree.columns), name, source));
    case "leaf": {
      const symbols = tree.shape.flatMap(symbolsOf);
      const extents = new Map(symbols.map((name) => [name, source.sizes[name] ?? 3]));
      const shape = tree.shape.map((dim) => evaluate(dim, extents) as number);
      const size = shape.reduce((product, length) => product * length, 1);
      const whole = !isFloat(tree.dtype);
      const values = Array.from({ length: size }, () => {
        const value = Math.abs(Math.sin(source.next() * 12.9898));
        return whole ? Math.floor(value * 10) : value;
      });
      if (tree.as === "number") return source.sizes[name] ?? values[0];
      return outside(tree.as, tree.dtype, values, shape);
    }
  }
}

function outside(as: string, dtype: string, values: number[], shape: readonly number[]): unknown {
  switch (as) {
    case "tensor":
      return tensor(values, shape, dtype as "f32");
    case "typed": {
      if (shape.length > 1) return rowsOutside(as, dtype, values, shape);
      const data = newArray(dtype as DType, values.length);
      data.set(values);
      return data;
    }
    case "array": {
      if (shape.length === 1) return dtype === "bool" ? values.map((v) => v > 5) : values;
      return rowsOutside(as, dtype, values, shape);
    }
    default:
      return as === "boolean" ? (values[0] as number) > 5 : values[0];
  }
}

function rowsOutside(
  as: string,
  dtype: string,
  values: number[],
  [length = 0, ...inner]: readonly number[],
): unknown {
  const width = values.length / length;
  return Array.from({ length }, (_, k) =>
    outside(as, dtype, values.slice(k * width, (k + 1) * width), inner),
  );
}

/** The tree of one record of a table. */
function rowOf(tree: Tree): Tree {
  switch (tree.kind) {
    case "leaf":
      return { ...tree, shape: tree.shape.slice(1) };
    case "record":
      return { ...tree, fields: tree.fields.map(([name, inner]) => [name, rowOf(inner)] as const) };
    case "tuple":
      return { ...tree, items: tree.items.map(rowOf) };
    case "table":
      return { ...tree, columns: rowOf(tree.columns) };
    case "constant":
      return tree;
  }
}

/** Every number of a result, in order. */
function numbersOf(result: unknown): readonly number[] {
  if (typeof result === "number") return [result];
  if (typeof result === "boolean") return [Number(result)];
  if (result instanceof Tensor) return Array.from(result.dataSync());
  if (ArrayBuffer.isView(result)) return Array.from(result as Float64Array);
  if (typeof result !== "object" || result === null) return [];
  return Object.values(result).flatMap(numbersOf);
}

function inputsOf(
  { program }: Printed,
  sizes: Readonly<Record<string, number>>,
): readonly unknown[] {
  let counter = 0;
  const { parameters, captured } = program.signature;
  const source = { next: () => ++counter, sizes };
  return [...parameters, ...captured].map(({ name, tree }: Argument) => sample(tree, name, source));
}

function expectClose(actual: readonly number[], expected: readonly number[], within: number): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, k) => {
    const other = expected[k] as number;
    if (Object.is(value, other)) return;
    expect(Math.abs(value - other) / Math.max(1, Math.abs(other))).toBeLessThan(within);
  });
}

describe.each([...Object.keys(files), "page"])("%s", (name) => {
  test("as it stands, and compiled again", async () => {
    const all = press.printed(name);
    expect(all.length).toBeGreaterThan(0);
    for (const one of all) {
      const inputs = inputsOf(one, name === "page" ? pageSizes : (files[name]?.sizes ?? {}));
      const expected = numbersOf((await press.original(one))(...inputs));
      // Sums of single precision are made in another order.
      const single = one.text.includes("Tensor<") || /f(16)?round/.test(one.text);
      for (const version of [await press.plain(one), await press.compiled(one)]) {
        expectClose(numbersOf(version(...inputs)), expected, single ? 5e-3 : 1e-9);
      }
    }
  });
});

test("they type-check", () => {
  expect(press.typeErrors()).toEqual([]);
});
