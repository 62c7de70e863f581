/**
 * Kernels with loops as fragment programs: sums, products and convolutions of sizes that are whole
 * texels and of others, known or not, of arrays that begin in the middle of one, in one row or four
 * at a time.
 */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { addDims, type Dim, symbol } from "../../compiler/ir/dim.ts";
import { ndarray, type NdArray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type Fn, type Value } from "../../compiler/ir/types.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { targets } from "../../compiler/targets/target.ts";
import { convolutions } from "../kernel/geometries.ts";
import { fnOf, graphOf } from "../kernel/support.ts";
import { runs } from "../random/runs.ts";
import { devices } from "./devices.ts";
import { expectSameOnDevice, here } from "./support.ts";

const size = fc.constantFrom(1, 2, 3, 4, 5, 6, 8, 12, 16, 20);

interface Product {
  readonly m: number;
  readonly k: number;
  readonly n: number;
  readonly batch: number;
  readonly isTurned: readonly [boolean, boolean];
  /** Columns in front of those of the operands, in the same arrays. */
  readonly skipped: number;
  /** Extents that only the caller knows. */
  readonly isSymbolic: boolean;
}

const product: fc.Arbitrary<Product> = fc.record({
  m: size,
  k: size,
  n: size,
  batch: fc.constantFrom(1, 1, 2, 3),
  isTurned: fc.tuple(fc.boolean(), fc.boolean()),
  skipped: fc.constantFrom(0, 0, 1, 4),
  isSymbolic: fc.boolean(),
});

function numbers(shape: readonly number[], seed: number): NdArray {
  const count = shape.reduce((all, each) => all * each, 1);
  return ndarray(
    "f32",
    shape,
    Array.from({ length: count }, (_, at) => (((at + seed) * 37) % 64) / 32 - 1),
  );
}

/** A product of batches of matrices, each inside of a larger array. */
function productOf({ m, k, n, batch, isTurned, skipped, isSymbolic }: Product): {
  readonly fn: Fn;
  readonly inputs: readonly NdArray[];
} {
  const turned = <T>(rows: T, columns: T, isTurned: boolean): readonly [T, T] =>
    isTurned ? [columns, rows] : [rows, columns];
  const extents = [turned(m, k, isTurned[0]), turned(k, n, isTurned[1])];
  const [M, K, N]: readonly Dim[] = isSymbolic ? ["M", "K", "N"].map(symbol) : [m, k, n];
  const dims = [
    turned(M as Dim, K as Dim, isTurned[0]),
    turned(K as Dim, N as Dim, isTurned[1]),
  ] as const;
  const types = dims.map(([rows, columns]) =>
    arrayType("f32", [batch, rows, addDims(columns, skipped)]),
  );
  // It says what the extents are: those of the others are sums.
  const witness = isSymbolic ? [arrayType("f32", [M as Dim, K as Dim, N as Dim])] : [];
  const fn = fnOf([...types, ...witness], (b, values) => {
    const inner = values.slice(0, 2).map((value, at) => {
      const [rows, columns] = dims[at] as readonly [Dim, Dim];
      if (skipped === 0) return value;
      const limit = [batch, rows, addDims(columns, skipped)];
      return b.one("slice", [value], { start: [0, 0, skipped], limit, stride: [1, 1, 1] });
    }) as [Value, Value];
    const dot = b.one("dot", inner, {
      lhsBatch: [0],
      rhsBatch: [0],
      lhsContract: [isTurned[0] ? 1 : 2],
      rhsContract: [isTurned[1] ? 2 : 1],
    });
    return [dot];
  });
  const inputs = extents.map(([rows, columns], at) =>
    numbers([batch, rows, columns + skipped], 7 * at),
  );
  return { fn, inputs: isSymbolic ? [...inputs, numbers([m, k, n], 0)] : inputs };
}

interface Reduction {
  readonly shape: readonly [number, number, number];
  readonly axis: number;
  readonly op: string;
  readonly isSymbolic: boolean;
}

const reduction: fc.Arbitrary<Reduction> = fc.record({
  shape: fc.tuple(size, size, size),
  axis: fc.nat(2),
  op: fc.constantFrom("sum", "reduce_max", "prod", "reduce_min"),
  isSymbolic: fc.boolean(),
});

describe.each(devices)("%s", (target) => {
  const device = here(target);

  it("computes products", { timeout: 240_000 }, async () => {
    const property = fc.asyncProperty(product, (given) => {
      const { fn, inputs } = productOf(given);
      return expectSameOnDevice(fn, inputs, device, 1e-4);
    });
    await fc.assert(property, runs(40, 61));
  });

  it("reduces", { timeout: 240_000 }, async () => {
    const property = fc.asyncProperty(reduction, ({ shape, axis, op, isSymbolic }) => {
      const dims = isSymbolic ? ["L", "M", "N"].map(symbol) : shape;
      const fn = fnOf([arrayType("f32", dims)], (b, [x]) => [
        b.one(op, [b.one("exp", [x as Value])], { axes: [axis] }),
      ]);
      return expectSameOnDevice(fn, [numbers(shape, 3)], device, 1e-4);
    });
    await fc.assert(property, runs(30, 62));
  });

  it("convolves", { timeout: 240_000 }, async () => {
    const property = fc.asyncProperty(convolutions, ({ fn, inputs }) =>
      expectSameOnDevice(fn, inputs, device, 1e-3),
    );
    await fc.assert(property, runs(15, 63));
  });
});

/** What kinds of programs there are for WebGL of the kernels of a function. */
async function kindsOf(fn: Fn): Promise<readonly string[]> {
  const { code } = await targets.webgl.emit(lower(graphOf(fn), targets.webgl.lowering));
  return code.entries.map((entry) => {
    if ("host" in entry) return "host";
    return entry.forms
      .map(({ rows, aligned, fours }) => {
        const kind = rows !== undefined ? "rows" : aligned === undefined ? "single" : "quads";
        return fours === undefined ? kind : `${kind} of fours`;
      })
      .join(", ");
  });
}

describe("kernels for WebGL", () => {
  const square = { batch: 1, isTurned: [false, false], skipped: 0, isSymbolic: false } as const;

  it("do four rows at a time where rows read the same", async () => {
    expect(await kindsOf(productOf({ m: 8, k: 8, n: 8, ...square }).fn)).toEqual(["rows"]);
    expect(await kindsOf(productOf({ m: 8, k: 8, n: 5, ...square }).fn)).toEqual(["quads"]);
  });

  it("do so of extents that turn out to be multiples of four", async () => {
    const { fn } = productOf({ m: 8, k: 8, n: 8, ...square, isSymbolic: true });
    expect(await kindsOf(fn)).toEqual(["rows of fours, quads"]);
  });

  it("leave nothing to the processor that a fragment can do", async () => {
    const sum = fnOf([arrayType("f32", [6, 8])], (b, [x]) => [
      b.one("sum", [x as Value], { axes: [1] }),
    ]);
    expect(await kindsOf(sum)).toEqual(["quads"]);
  });
});
