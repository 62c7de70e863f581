/** Constants, extents as values and values as extents, copies, and the end of derivatives. */

import { dimText, elementCount, sameDim } from "../ir/dim.ts";
import { arrayType, scalarType } from "../ir/types.ts";
import { defineOp, fault } from "./define.ts";
import { dimension, dimensions, dtypeOf, numbers, text } from "./support/parameters.ts";
import { fill, identity, outputOf } from "./support/reference.ts";
import { f16, f32, f64, i32, index, wave } from "./support/samples.ts";
import { expectIndex, none, one } from "./support/types.ts";

export const constant = defineOp({
  name: "constant",
  summary: "An array that is known at compile time",
  laws: {},
  type: (inputs, parameters) => {
    none(inputs);
    const shape = dimensions(parameters, "shape");
    const values = numbers(parameters, "values");
    const count = elementCount(shape);
    if (!sameDim(count, values.length)) {
      fault(`${values.length} values are given for ${dimText(count)} elements`);
    }
    return [arrayType(dtypeOf(parameters), shape)];
  },
  reference: (_, parameters, context) =>
    fill(outputOf(context), (out) => out.set(numbers(parameters, "values"))),
  derivative: { kind: "zero" },
  batch: "elementwise",
  lower: { kind: "frame" },
  samples: [
    { inputs: [], parameters: { dtype: "f64", shape: [], values: [0.1] } },
    {
      inputs: [],
      parameters: {
        dtype: "f64",
        shape: [2, 4],
        values: [NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308, 1e21, -1e-7],
      },
    },
    { inputs: [], parameters: { dtype: "f32", shape: [2], values: [0.1, -0] } },
    { inputs: [], parameters: { dtype: "f16", shape: [3], values: [0.1, -0, 1e6] } },
    { inputs: [], parameters: { dtype: "f16", shape: [], values: [0.1] } },
    { inputs: [], parameters: { dtype: "i32", shape: [1], values: [-2147483648] } },
    { inputs: [], parameters: { dtype: "bool", shape: [2], values: [1, 0] } },
    { inputs: [], parameters: { dtype: "f64", shape: [0], values: [] } },
  ],
});

export const extent = defineOp({
  name: "extent",
  summary: "A dimension as an integer",
  laws: {},
  type: (inputs, parameters) => {
    none(inputs);
    dimension(parameters, "dim");
    return [scalarType("i32")];
  },
  reference: (_, parameters, context) =>
    fill(outputOf(context), (out) => {
      out[0] = context.extent(dimension(parameters, "dim"));
    }),
  derivative: { kind: "zero" },
  batch: "elementwise",
  lower: { kind: "frame" },
  samples: [{ inputs: [], parameters: { dim: 7 } }],
});

export const bind = defineOp({
  name: "bind",
  summary: "From here on in its block, the symbol has this extent",
  laws: { effect: true },
  type: (inputs, parameters) => {
    text(parameters, "symbol");
    expectIndex(one(inputs));
    return [];
  },
  reference: (inputs) => {
    const n = one(inputs).data[0] as number;
    if (n < 0) throw new RangeError(`an array cannot have ${n} elements`);
    return [];
  },
  derivative: { kind: "zero" },
  batch: "apart",
  lower: { kind: "frame" },
  samples: [{ inputs: [index(3)], parameters: { symbol: "n" } }],
});

export const copy = defineOp({
  name: "copy",
  summary: "The same array in memory of its own",
  laws: { elementwise: true, rearranges: true },
  type: (inputs) => [one(inputs)],
  reference: identity,
  derivative: { kind: "linear", in: [0], transpose: (_, w) => [w] },
  batch: "elementwise",
  lower: { kind: "schedule" },
  samples: [
    { inputs: [wave("f64", [2, 3])] },
    { inputs: [f64([-0], [])] },
    { inputs: [f32([1, NaN])], differentiate: [] },
    { inputs: [f16([1, NaN])], differentiate: [] },
    { inputs: [i32([])] },
  ],
});

export const stop_gradient = defineOp({
  name: "stop_gradient",
  summary: "x, as a constant for differentiation",
  laws: { elementwise: true },
  type: (inputs) => [one(inputs)],
  reference: identity,
  derivative: { kind: "zero" },
  batch: "elementwise",
  lower: { kind: "element", alias: true, element: (_, _equation, place, read) => read(0, place) },
  samples: [
    { inputs: [wave("f64", [2, 3])], differentiate: [] },
    { inputs: [f64([-0], [])], differentiate: [] },
    { inputs: [i32([])] },
  ],
});
