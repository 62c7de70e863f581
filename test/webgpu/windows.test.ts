/** Windows and convolutions on a grid: of any geometry, overlapping, with borders, a thread an element. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { symbol } from "../../compiler/ir/dim.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type DType, type Fn, type Value } from "../../compiler/ir/types.ts";
import { convolutions } from "../kernel/geometries.ts";
import { fnOf, graphOf } from "../kernel/support.ts";
import { runs } from "../random/runs.ts";
import { troublesOf } from "./entries.ts";
import { expectSameOnDevice } from "./support.ts";

interface Given {
  readonly dtype: DType;
  readonly batch: number;
  readonly channels: number;
  readonly axes: readonly Axis[];
  /** Whether the extent of the batch has a name. */
  readonly isSymbolic: boolean;
  readonly seed: number;
}

interface Axis {
  readonly positions: number;
  readonly rest: number;
  readonly window: number;
  readonly stride: number;
  readonly low: number;
  readonly high: number;
}

const axis: fc.Arbitrary<Axis> = fc.record({
  positions: fc.constantFrom(1, 2, 3, 6),
  rest: fc.nat(1),
  window: fc.constantFrom(1, 2, 3, 5),
  stride: fc.constantFrom(1, 2, 3),
  low: fc.nat(2),
  high: fc.nat(2),
});

const given: fc.Arbitrary<Given> = fc.record({
  dtype: fc.constantFrom<DType>("f32", "f64"),
  batch: fc.constantFrom(0, 1, 2),
  channels: fc.constantFrom(1, 3),
  axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
  isSymbolic: fc.boolean(),
  seed: fc.integer({ min: 1, max: 1000 }),
});

interface Case {
  readonly fn: Fn;
  readonly inputs: readonly NdArray[];
}

/** What gives each window's number to its greatest element; undefined where there is nothing. */
function caseOf({ dtype, batch, channels, axes, isSymbolic, seed }: Given): Case | undefined {
  const sizes = axes.map(
    ({ positions, rest, window, stride, low, high }) =>
      (positions - 1) * stride + window + (rest % stride) - low - high,
  );
  if (sizes.some((size) => size <= 0)) return undefined;
  const of = (name: "window" | "stride" | "low" | "high"): readonly number[] =>
    axes.map((each) => each[name]);
  const parameters = {
    window: of("window"),
    stride: of("stride"),
    low: of("low"),
    high: of("high"),
  };
  const rows = isSymbolic ? symbol("B") : batch;
  const windowed = axes.map(({ positions }) => positions);
  const types = [
    arrayType(dtype, [rows, ...sizes, channels]),
    arrayType(dtype, [rows, ...windowed, channels]),
  ];
  const fn = fnOf(types, (b, [x, w]) => [
    b.one("window_max_grad", [x as Value, w as Value], parameters),
  ]);
  const inputs = [
    integers(dtype, [batch, ...sizes, channels], seed),
    integers(dtype, [batch, ...windowed, channels], seed + 1),
  ];
  return { fn, inputs };
}

/** Small integers, many of them equal: their sums are exact. */
function integers(dtype: DType, shape: readonly number[], seed: number): NdArray {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const data = Array.from({ length: count }, (_, k) => ((k * k * 7 + k * seed) % 11) - 5);
  return ndarray(dtype, shape, data);
}

const windows = given.map(caseOf).filter((each) => each !== undefined);

it("greatest elements get what their windows have", { timeout: 120_000 }, async () => {
  const property = fc.asyncProperty(windows, async ({ fn, inputs }) => {
    expect(troublesOf(graphOf(fn))).toEqual([]);
    await expectSameOnDevice(fn, inputs);
  });
  await fc.assert(property, runs(60, 51));
});

it("greatest elements where many extents are known when it runs", async () => {
  const [h, c] = [symbol("H"), symbol("C")];
  const parameters = { window: [3], stride: [2], low: [1], high: [1] };
  const fn = fnOf([arrayType("f32", [1, h, c])], (b, [x]) => {
    const most = b.one("window_max", [x as Value], parameters);
    return [b.one("window_max_grad", [x as Value, most], parameters)];
  });
  for (const height of [2, 4, 9]) {
    await expectSameOnDevice(fn, [integers("f32", [1, height, 2], height)]);
  }
});

it("convolutions and their transposes", { timeout: 240_000 }, async () => {
  const property = fc.asyncProperty(convolutions, ({ fn, inputs }) =>
    expectSameOnDevice(fn, inputs),
  );
  await fc.assert(property, runs(30, 52));
});
