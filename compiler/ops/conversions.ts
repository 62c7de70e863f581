/**
 * Choices between values, and changes of element type.
 *
 * `cast` from floating point to an integer truncates and saturates, and NaN gives 0; between
 * integers it keeps the low bits; to bool it asks whether x differs from 0. With `whole`, x is a
 * whole number of 32 bits wherever the result is used, and the result is anything elsewhere.
 */

import { isFloat, type Value, type DType } from "../ir/types.ts";
import { defineOp, type Op } from "./define.ts";
import { dtypeOf } from "./support/parameters.ts";
import { elementwise, fill, outputOf } from "./support/reference.ts";
import { bool, f16, f32, f64, i32, u32, u8 } from "./support/samples.ts";
import {
  boolean,
  expectDtype,
  expectSameDtype,
  expectSameShape,
  floats,
  like,
  one,
  three,
} from "./support/types.ts";

const edges = [
  0,
  -0,
  1.5,
  -1.5,
  2.5,
  255.9,
  300,
  2147483647.5,
  4294967295.5,
  1e20,
  -1e20,
  NaN,
  Infinity,
  -Infinity,
];

export const select = defineOp({
  name: "select",
  summary: "x where the condition holds, else y",
  laws: { elementwise: true, rearranges: true },
  type: (inputs) => {
    const [condition, x, y] = three(inputs);
    expectDtype(condition, boolean);
    expectSameDtype(x, y);
    expectSameShape(x, y);
    expectSameShape(condition, x);
    return [x];
  },
  reference: elementwise((_, condition, x, y) => (condition ? x : y)),
  derivative: {
    kind: "linear",
    in: [1, 2],
    transpose: ({ builder, inputs }, w) => {
      const condition = inputs[0] as Value;
      return [builder.select(condition, w, 0), builder.select(condition, 0, w)];
    },
  },
  batch: "elementwise",
  lower: { kind: "elementwise" },
  samples: [
    { inputs: [bool([1, 0, 1]), f64([1, 2, 3]), f64([-4, 5, 0.5])] },
    { inputs: [bool([1], []), f64([1], []), f64([2], [])] },
    { inputs: [bool([0, 1], [2, 1]), i32([1, 2], [2, 1]), i32([3, 4], [2, 1])] },
    { inputs: [bool([]), f32([]), f32([])], differentiate: [] },
    { inputs: [bool([1, 0]), f16([0.1, 2]), f16([NaN, -0])], differentiate: [] },
    { inputs: [bool([0, 1]), bool([1, 0]), bool([0, 0])] },
    {
      inputs: [bool([1, 0]), f64([1, NaN]), f64([Infinity, -0])],
      differentiate: [],
      note: "the other side does not matter",
    },
  ],
});

export const cast = defineOp({
  name: "cast",
  summary: "The same numbers in another element type",
  laws: { elementwise: true },
  type: (inputs, parameters) => [like(one(inputs), dtypeOf(parameters))],
  reference: (inputs, _, context) => {
    const type = outputOf(context);
    const x = one(inputs);
    return fill(type, (out) => {
      for (let k = 0; k < out.length; k++) {
        out[k] = convert(x.data[k] as number, x.dtype, type.dtype);
      }
    });
  },
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs, equation }, w) => {
      const { dtype } = (inputs[0] as Value).type;
      return [
        isFloat(dtype) && isFloat(dtypeOf(equation.parameters))
          ? builder.cast(w, dtype)
          : undefined,
      ];
    },
  },
  batch: "elementwise",
  lower: { kind: "elementwise" },
  samples: [
    ...(["f32", "f16", "i32", "u32", "u8", "bool", "f64"] as const).map((dtype) => ({
      inputs: [f64(edges)],
      parameters: { dtype },
      differentiate: [],
      note: "from doubles",
    })),
    ...(["f64", "f32", "f16", "u32", "u8", "bool"] as const).map((dtype) => ({
      inputs: [i32([0, 1, -1, 255, 256, 16777217, 2147483647, -2147483648])],
      parameters: { dtype },
    })),
    { inputs: [f32([1.5, 3e9], [2, 1])], parameters: { dtype: "f64" }, differentiate: [] },
    ...(["f64", "f32", "i32", "u32", "u8", "bool"] as const).map((dtype) => ({
      inputs: [f16(edges)],
      parameters: { dtype },
      differentiate: [],
      note: "from halves",
    })),
    ...[f32([0.1, 65519, 65520, 2 ** -25, 1e-7, NaN]), u32([0, 1, 65519, 65520, 4294967295])].map(
      (x) => ({ inputs: [x], parameters: { dtype: "f16" }, differentiate: [] }),
    ),
    { inputs: [u8([0, 1, 255])], parameters: { dtype: "f16" } },
    { inputs: [bool([0, 1])], parameters: { dtype: "f16" } },
    { inputs: [f32([1.5, 3e9, -3e9, NaN])], parameters: { dtype: "i32" } },
    { inputs: [u32([0, 1, 4294967295])], parameters: { dtype: "i32" } },
    { inputs: [u32([0, 1, 4294967295])], parameters: { dtype: "f32" } },
    { inputs: [u8([0, 1, 255])], parameters: { dtype: "f32" } },
    { inputs: [bool([0, 1])], parameters: { dtype: "f64" } },
    { inputs: [f64([2.25], [])], parameters: { dtype: "f64" } },
    { inputs: [f64([])], parameters: { dtype: "i32" } },
  ],
});

export const to_int32 = toInteger("to_int32", "x modulo 2³² as a signed integer", "i32");
export const to_uint32 = toInteger("to_uint32", "x modulo 2³² as an unsigned integer", "u32");

/** ToInt32 and ToUint32 of JavaScript: what its bit operations do with their operands. */
function toInteger(name: string, summary: string, dtype: "i32" | "u32"): Op {
  return defineOp({
    name,
    summary,
    laws: { elementwise: true },
    type: (inputs) => {
      const x = one(inputs);
      expectDtype(x, floats);
      return [like(x, dtype)];
    },
    reference: elementwise((_, x) => x | 0),
    derivative: { kind: "zero" },
    batch: "elementwise",
    lower: { kind: "elementwise" },
    samples: [
      { inputs: [f64([...edges, 4294967296, 4294967301, -1, 1e300, 2 ** 53, -(2 ** 40) - 3])] },
      { inputs: [f32([1.5, -1.5, 5e9])] },
      { inputs: [f16([1.5, -1.5, Infinity])] },
      { inputs: [f64([7.9], [])] },
      { inputs: [f64([])] },
    ],
  });
}

function convert(x: number, from: DType, to: DType): number {
  if (to === "bool") return Number(x !== 0);
  if (!isFloat(from) || isFloat(to)) return x;
  const [low, high] = ranges[to as keyof typeof ranges];
  return Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high);
}

const ranges = {
  i32: [-2147483648, 2147483647],
  u32: [0, 4294967295],
  u8: [0, 255],
} as const;
