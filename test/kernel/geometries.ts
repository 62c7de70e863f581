/** Convolutions of random geometries: sizes that fit no tile, strides, dilations, groups. */

import fc from "fast-check";
import { symbol } from "../../compiler/ir/dim.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type DType, type Fn, type Value } from "../../compiler/ir/types.ts";
import { fnOf } from "./support.ts";

interface Geometry {
  readonly dtype: DType;
  readonly batch: number;
  readonly isSymbolic: boolean;
  readonly axes: readonly Axis[];
  readonly groups: number;
  readonly channels: number;
  readonly outputs: number;
}

interface Axis {
  /** Positions of the result, if the images have no rest beyond the last one. */
  readonly positions: number;
  readonly rest: number;
  readonly window: number;
  readonly stride: number;
  readonly dilation: number;
  readonly low: number;
  readonly high: number;
}

const few = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
const axis: fc.Arbitrary<Axis> = fc.record({
  positions: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9, 17),
  rest: fc.nat(1),
  window: few(4),
  stride: few(3),
  dilation: few(3),
  low: fc.nat(2),
  high: fc.nat(2),
});

const geometry: fc.Arbitrary<Geometry> = fc
  .record({
    dtype: fc.constantFrom<DType>("f32", "f64"),
    batch: fc.constantFrom(0, 1, 2, 3),
    isSymbolic: fc.boolean(),
    axes: fc.array(axis, { minLength: 1, maxLength: 2 }),
    kind: fc.constantFrom("dense", "depthwise", "grouped"),
    channels: fc.constantFrom(1, 2, 3, 4, 5, 8, 17),
    outputs: fc.constantFrom(1, 2, 3, 4, 5, 8, 17, 33),
  })
  .map(({ kind, channels, outputs, ...rest }) => {
    if (kind === "dense") return { ...rest, groups: 1, channels, outputs };
    if (kind === "depthwise") return { ...rest, groups: outputs, channels: 1, outputs };
    return { ...rest, groups: 3, channels, outputs: 3 * (outputs % 6 || 1) };
  });

/** Small integers: their sums are exact in either type, in any order. */
function integers(dtype: DType, shape: readonly number[], seed: number): NdArray {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const data = Array.from({ length: count }, (_, k) => (((k + seed) * 7919) % 13) - 6);
  return ndarray(dtype, shape, data);
}

export interface Case {
  readonly fn: Fn;
  readonly inputs: readonly NdArray[];
}

/** The convolution of a geometry and both of its transposes; undefined where the images are nothing. */
function caseOf(given: Geometry): Case | undefined {
  const { dtype, axes, groups, channels, outputs, batch, isSymbolic } = given;
  const reach = axes.map(({ window, dilation }) => (window - 1) * dilation + 1);
  const input = axes.map(({ positions, rest, stride, low, high }, k) => {
    const extra = rest % stride;
    return (positions - 1) * stride + (reach[k] as number) + extra - low - high;
  });
  if (input.some((extent) => extent <= 0)) return undefined;
  const settings = {
    stride: axes.map(({ stride }) => stride),
    low: axes.map(({ low }) => low),
    high: axes.map(({ high }) => high),
    dilation: axes.map(({ dilation }) => dilation),
    groups,
  };
  const window = axes.map((each) => each.window);
  const x = [...input, groups * channels];
  const k = [...window, channels, outputs];
  const y = [...axes.map(({ positions }) => positions), outputs];
  const rows = isSymbolic ? symbol("B") : batch;
  const types = [
    arrayType(dtype, [rows, ...x]),
    arrayType(dtype, k),
    arrayType(dtype, [rows, ...y]),
  ];
  const fn = fnOf(types, (b, [images, filter, slopes]) => {
    const [one, two, three] = [images, filter, slopes] as [Value, Value, Value];
    return [
      b.one("conv", [one, two], settings),
      b.one("conv_input", [three, two], { ...settings, input }),
      b.one("conv_filter", [one, three], { ...settings, window }),
    ];
  });
  const inputs = [
    integers(dtype, [batch, ...x], 0),
    integers(dtype, k, 1),
    integers(dtype, [batch, ...y], 2),
  ];
  return { fn, inputs };
}

/** Convolutions with images of at least one pixel, and their transposes. */
export const convolutions: fc.Arbitrary<Case> = geometry
  .map(caseOf)
  .filter((each) => each !== undefined);
