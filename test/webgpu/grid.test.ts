/** Ops whose kernels are others on a grid, at sizes around those of their lines and blocks. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { type Dim, elementCount, symbol } from "../../compiler/ir/dim.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type DType, type Fn, type Value } from "../../compiler/ir/types.ts";
import { ops } from "../../compiler/ops/index.ts";
import { fnOf, graphOf } from "../kernel/support.ts";
import { functionOf } from "../ops/support.ts";
import { runs } from "../random/runs.ts";
import { troublesOf } from "./entries.ts";
import { expectSameOnDevice } from "./support.ts";

interface Case {
  readonly fn: Fn;
  readonly inputs: readonly NdArray[];
}

async function expectGrid({ fn, inputs }: Case): Promise<void> {
  expect(troublesOf(graphOf(fn))).toEqual([]);
  await expectSameOnDevice(fn, inputs);
}

/** A shape with names for its extents, or without. */
function named(shape: readonly number[], isSymbolic: boolean): readonly Dim[] {
  return isSymbolic ? shape.map((_, axis) => symbol(`N${axis}`)) : shape;
}

const shapes = fc.array(fc.constantFrom(0, 1, 2, 3, 5, 8), { minLength: 1, maxLength: 3 });

it("bits are those of their words", { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(
    fc.oneof(shapes, fc.constantFrom([127], [128], [1001])),
    fc.boolean(),
    fc.nat(),
    (shape, isSymbolic, seed) => {
      const dims = named(shape, isSymbolic);
      const types = [arrayType("u32", [2]), arrayType("f32", dims)];
      const fn = fnOf(types, (b, [key]) => [
        b.one("random_bits", [key as Value], { shape: dims }),
        b.one("random_bits", [key as Value], { shape: [elementCount([3, ...dims])] }),
      ]);
      const count = shape.reduce<number>((product, extent) => product * extent, 1);
      const x = ndarray("f32", shape, new Array<number>(count).fill(0));
      return expectGrid({ fn, inputs: [ndarray("u32", [2], [seed, 2 ** 32 - 1 - seed]), x] });
    },
  );
  await fc.assert(property, runs(30, 61));
});

const sizes = [0, 1, 2, 32, 33, 64, 65, 200, 2048, 2049, 4097, 20_001];

it("running totals along an axis", { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(
    fc.constantFrom(...sizes),
    fc.constantFrom<readonly [number[], number[]]>([[], []], [[2], []], [[], [3]], [[2], [3]]),
    fc.constantFrom<DType>("f64", "f32", "f16", "i32"),
    fc.boolean(),
    fc.nat(100),
    async (size, [before, after], dtype, isSymbolic, seed) => {
      const shape = [...before, size, ...after];
      // Sums of few of them are exact in halves.
      const x = integers(dtype, shape, seed, dtype === "f16" ? 200 : 1);
      const fn = fnOf([arrayType(dtype, named(shape, isSymbolic))], (b, [value]) => [
        b.one("cumsum", [value as Value], { axis: before.length }),
      ]);
      await expectGrid({ fn, inputs: [x] });
    },
  );
  await fc.assert(property, runs(40, 62));
});

it("positions of extremes of lines, and of a whole array", { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(
    fc.constantFrom(...sizes.slice(1)),
    fc.constantFrom<DType>("f64", "f16", "i32", "u32"),
    fc.boolean(),
    fc.integer({ min: 1, max: 1000 }),
    fc.constantFrom(0, 1, 50),
    async (size, dtype, isSymbolic, seed, nans) => {
      const data = Array.from({ length: size }, (_, k) => {
        const isNan = nans > 0 && dtype !== "i32" && dtype !== "u32" && (k * seed) % 997 < nans;
        return isNan ? NaN : Math.abs((k * k * seed) % 1009);
      });
      const shape = named([size], isSymbolic);
      const fn = fnOf([arrayType(dtype, shape)], (b, [x]) => {
        const scaled = b.mul(x as Value, 3);
        return [b.one("argmax", [scaled], { axis: 0 }), b.one("argmin", [scaled], { axis: 0 })];
      });
      const left = troublesOf(graphOf(fn)).map(({ trouble, comment }) => `${trouble}: ${comment}`);
      expect(left).toEqual([
        expect.stringMatching(/^one thread loops: argm.. of the lines; argm.. of the lines$/),
      ]);
      await expectSameOnDevice(fn, [ndarray(dtype, [size], data)]);
    },
  );
  await fc.assert(property, runs(40, 63));
});

it("reductions of any axes", { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(
    fc.array(fc.constantFrom(1, 2, 3, 7, 70), { minLength: 2, maxLength: 3 }),
    fc.nat(6),
    fc.constantFrom("sum", "reduce_max", "prod"),
    fc.constantFrom<DType>("f32", "i32"),
    fc.boolean(),
    async (shape, mask, kind, dtype, isSymbolic) => {
      const axes = [...shape.keys()].filter((axis) => ((mask + 1) >> axis) % 2 === 1);
      fc.pre(axes.length > 0 && axes.length < shape.length);
      const isProduct = kind === "prod";
      const fn = fnOf([arrayType(dtype, named(shape, isSymbolic))], (b, [x]) => [
        b.reduce(kind, b.add(x as Value, isProduct ? 1 : 0), axes),
      ]);
      // Of a product few factors are not 1.
      await expectGrid({ fn, inputs: [integers(dtype, shape, 3, isProduct ? 100 : 1)] });
    },
  );
  await fc.assert(property, runs(40, 64));
});

/** Small integers, one in so many of which is not 0. */
function integers(dtype: DType, shape: readonly number[], seed: number, every: number): NdArray {
  const count = shape.reduce<number>((product, extent) => product * extent, 1);
  const data = Array.from({ length: count }, (_, k) =>
    (k + seed) % every === 0 ? (((k + seed) * 7919) % 13) - 6 : 0,
  );
  return ndarray(dtype, shape, data);
}

it("what one thread does, or a thread writes in a loop, is known", () => {
  const left: string[] = [];
  for (const op of Object.values(ops)) {
    if (op.samples.length === 0) continue;
    const troubles = op.samples.flatMap((sample) => troublesOf(graphOf(functionOf(op, sample))));
    const kinds = troubles.map(({ trouble, comment }) => {
      const what = /(of the lines|one by one)$/.exec(comment)?.[0];
      return `${op.name}: ${trouble}${what === undefined ? "" : `, ${what}`}`;
    });
    left.push(...new Set(kinds));
  }
  const totals = "sum prod reduce_max reduce_min any all reduce_or argmax argmin dot".split(" ");
  expect(left).toEqual([
    ...totals.map((name) => `${name}: one thread loops, of the lines`),
    "gemm: one thread loops, one by one",
  ]);
});
