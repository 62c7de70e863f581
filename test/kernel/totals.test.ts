/** Whole arrays in one number, in lines that threads may share: the same for every number of them. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { type Dim, symbol } from "../../compiler/ir/dim.ts";
import { ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type DType } from "../../compiler/ir/types.ts";
import { runs } from "../random/runs.ts";
import { expectSame, fnOf, forks } from "./support.ts";

/** Around one line of 4,096 elements, around the most lines, and what is left of vectors. */
const sizes = [0, 1, 5, 17, 127, 4095, 4096, 4097, 8195, 12_289, 70_001, 262_144, 300_003];

const given = fc.record({
  dtype: fc.constantFrom<DType>("f32", "f64", "i32", "f16"),
  op: fc.constantFrom("sum", "reduce_max", "reduce_min"),
  /** One axis, whole rows, or rows of which the neighbours are read in another order. */
  form: fc.constantFrom<"line" | "rows" | "turned" | "outer">("line", "rows", "turned", "outer"),
  size: fc.constantFrom(...sizes),
  isSymbolic: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
});

it("sums and extremes of whole arrays", async () => {
  const before = forks.count;
  await fc.assert(
    fc.asyncProperty(given, async ({ dtype, op, form, size, isSymbolic, seed }) => {
      const columns = form === "line" ? 1 : 7;
      const rows = Math.ceil(size / columns);
      const extent: Dim = isSymbolic ? symbol("N") : rows;
      const shape = form === "line" ? [extent] : [extent, columns];
      const axes = [...shape.keys()];
      const concrete = form === "line" ? [rows] : [rows, columns];
      const fn = fnOf([arrayType(dtype, shape)], (b, [x]) => {
        if (x === undefined) throw new Error("no argument");
        const scaled = b.mul(b.transpose(x, form === "turned" ? [1, 0] : axes), 3);
        const read = form === "outer" ? b.broadcast(x, [extent, 3, columns], [0, 2]) : scaled;
        return [b.reduce(op, read, [...read.type.shape.keys()])];
      });
      // Eighths, whose sums are exact in any order.
      const values = Float64Array.from({ length: rows * columns }, (_, k) =>
        Math.round(Math.sin(k * seed + seed) * 8),
      );
      const data = dtype === "i32" ? values : values.map((value) => value / 8);
      await expectSame(fn, [ndarray(dtype, concrete, data)]);
    }),
    runs(60, 41),
  );
  expect(forks.count).toBeGreaterThan(before);
});
