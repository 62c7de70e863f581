/**
 * Elements and sub-arrays at places known at run time. An index out of range is an error.
 *
 * Ops that write consume the array that they write. Their batching goes through the batch in a
 * loop of single accesses, so that an update of one element never copies a row.
 */

import { type Dim, sameShape, shapeText } from "../ir/dim.ts";
import { forEachIndex, type NdArray, offsetOf, stridesOf } from "../ir/ndarray.ts";
import { arrayType, type Shape, type Value, type ValueType } from "../ir/types.ts";
import { defineOp, fault, type Batching } from "./define.ts";
import { byLoop, repeated } from "./support/batching.ts";
import { maskOf, orAt } from "./support/masks.ts";
import { dimension, integer, text } from "./support/parameters.ts";
import { fill, outOfRange, outputOf } from "./support/reference.ts";
import { f16, f32, f64, i32, index, wave } from "./support/samples.ts";
import {
  arithmetic,
  expectAxis,
  expectDtype,
  expectExtent,
  expectIndex,
  expectSameDtype,
  three,
  two,
  withDim,
} from "./support/types.ts";

/** Made by `passes/bounds.ts`, which says what for. */
export const check_bounds = defineOp({
  name: "check_bounds",
  summary: "Fails unless count is 0 or each point is whole, in 0 … length-1, or both",
  laws: { effect: true, partial: true, onceFor: ["marks"] },
  type: () => [],
  reference: (inputs, parameters) => {
    const [length, count, ...points] = inputs.map((input) => input.data[0] as number) as [
      number,
      number,
      ...number[],
    ];
    if (count <= 0) return [];
    const marks = String(parameters["marks"]).split(" ");
    points.forEach((point, k) => {
      if (marks[k] !== "range" && !Number.isInteger(point)) throw outOfRange(-1, length);
      const inside = point >= 0 && point < length;
      if (marks[k] !== "whole" && !inside) throw outOfRange(point, length);
    });
    return [];
  },
  derivative: { kind: "zero" },
  batch: "loop",
  lower: { kind: "schedule" },
  samples: [
    {
      inputs: [index(5), index(2), f64([0], []), f64([8], []), f64([2], [])],
      parameters: { marks: "both whole range" },
      differentiate: [],
    },
    {
      inputs: [index(0), index(-1), f64([-1.5], [])],
      parameters: { marks: "both" },
      differentiate: [],
      note: "a loop that does not run",
    },
  ],
});

/** Made where the reader finds lengths that must agree, and cannot know whether they do. */
export const check_extent = defineOp({
  name: "check_extent",
  summary: "Fails unless the two extents are equal",
  laws: { effect: true, partial: true, onceFor: ["array"] },
  type: (inputs, parameters) => {
    two(inputs).forEach(expectIndex);
    text(parameters, "array");
    return [];
  },
  reference: (inputs) => {
    const [found, expected] = two(inputs).map(({ data }) => data[0] as number);
    if (found !== expected) {
      throw new RangeError(`${found} elements are given where ${expected} belong`);
    }
    return [];
  },
  derivative: { kind: "zero" },
  batch: "loop",
  lower: { kind: "schedule" },
  // Of lengths that a batch does not change: any others would differ in it.
  samples: [
    { inputs: [index(0), index(0)], parameters: { array: "x" }, differentiate: [] },
    { inputs: [index(0), index(0)], parameters: { array: "" }, differentiate: [] },
  ],
});

export const at = defineOp({
  name: "at",
  summary: "The element or sub-array of x at leading indices",
  laws: { partial: true, rearranges: true },
  type: (inputs) => {
    const [x, ...indices] = inputs as readonly [ValueType, ...ValueType[]];
    return [arrayType(x.dtype, partShape(x, indices))];
  },
  reference: (inputs, _, context) =>
    fill(outputOf(context), (out) => {
      const [x, ...indices] = inputs as readonly [NdArray, ...NdArray[]];
      const start = startOf(x, indices);
      out.set(x.data.subarray(start, start + out.length));
    }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs }, w) => [
      { accumulate: (accumulator) => builder.addAt(accumulator, w, inputs.slice(1)) },
    ],
  },
  batch: ({ builder, equation, size }, inputs, batched) => {
    const [x, ...indices] = inputs as readonly [Value, ...Value[]];
    const part = (equation.outputs[0] as Value).type;
    const type = arrayType(part.dtype, [size, ...part.shape]);
    const body = builder.block([arrayType("i32", []), type], (inner, [i, result]) => {
      const row = i as Value;
      const place = indices.map((k, n) => (batched[n + 1] ? inner.at(k, [row]) : k));
      const value = inner.at(x, batched[0] ? [row, ...place] : place);
      return [inner.update(result as Value, value, [row])];
    });
    return builder.for(builder.extent(size), [builder.zerosOf(type)], body);
  },
  lower: { kind: "schedule" },
  samples: [
    { inputs: [f64([1, 2, 3]), index(1)] },
    { inputs: [wave("f64", [2, 3]), index(1)] },
    { inputs: [wave("f64", [2, 3]), index(0), index(2)] },
    { inputs: [f64([5], [])] },
    { inputs: [wave("f64", [1, 0]), index(0)] },
    { inputs: [f32([1, 2]), index(0)], differentiate: [] },
    { inputs: [f16([1, 2]), index(1)], differentiate: [] },
    { inputs: [f16([1, 2, 3, 4], [2, 2]), index(1)], differentiate: [] },
    { inputs: [i32([4, 5, 6], [3, 1]), index(2)] },
  ],
});

export const update = defineOp({
  name: "update",
  summary: "x with value at leading indices",
  laws: { partial: true, consumes: [0], rearranges: true },
  type: (inputs) => [writtenType(inputs)],
  reference: write((_, value) => value),
  derivative: {
    kind: "linear",
    in: [0, 1],
    transpose: ({ builder, inputs }, w) => {
      const [, value, ...indices] = inputs as readonly [Value, Value, ...Value[]];
      // Read before w is written.
      const part = builder.at(w, indices);
      return [builder.update(w, builder.zerosOf(value.type), indices), part];
    },
  },
  batch: writeByLoop("update"),
  lower: { kind: "schedule" },
  samples: [
    { inputs: [f64([1, 2, 3]), f64([9], []), index(1)] },
    { inputs: [wave("f64", [2, 3]), wave("f64", [3], 1), index(1)] },
    { inputs: [wave("f64", [2, 3]), f64([4], []), index(1), index(0)] },
    { inputs: [f64([1], []), f64([2], [])] },
    { inputs: [f32([1, 2]), f32([3], []), index(0)], differentiate: [] },
    { inputs: [f16([0.1, 0.2]), f16([3], []), index(1)], differentiate: [] },
    { inputs: [f16([1, 2, 3, 4], [2, 2]), f16([0.1, -0.2]), index(1)], differentiate: [] },
    { inputs: [i32([1, 2]), i32([3], []), index(0)] },
  ],
});

export const add_at = defineOp({
  name: "add_at",
  summary: "x with value added at leading indices",
  laws: { partial: true, consumes: [0] },
  type: (inputs) => {
    const type = writtenType(inputs);
    expectDtype(type, arithmetic);
    return [type];
  },
  reference: write((old, value) => old + value),
  derivative: {
    kind: "linear",
    in: [0, 1],
    transpose: ({ builder, inputs }, w) => {
      // Read before w goes on to whoever writes it.
      const part = builder.at(w, inputs.slice(2));
      return [w, part];
    },
  },
  dependence: ({ builder, inputs }, masks) => {
    const [x, value, ...indices] = inputs as readonly [Value, Value, ...Value[]];
    const [old, added] = [maskOf(builder, x, masks[0]), maskOf(builder, value, masks[1])];
    return orAt(builder, old, added, indices);
  },
  batch: writeByLoop("add_at"),
  lower: { kind: "schedule" },
  samples: [
    { inputs: [f64([1, 2, 3]), f64([9], []), index(1)] },
    { inputs: [wave("f64", [2, 3]), wave("f64", [3], 1), index(1)] },
    { inputs: [wave("f64", [2, 3]), f64([4], []), index(1), index(0)] },
    { inputs: [f64([1], []), f64([2], [])] },
    { inputs: [f32([1, 2]), f32([3], []), index(0)], differentiate: [] },
    { inputs: [f16([0.1, 0.2]), f16([3], []), index(1)], differentiate: [] },
    { inputs: [f16([1, 2, 3, 4], [2, 2]), f16([0.1, -0.2]), index(1)], differentiate: [] },
    { inputs: [i32([2147483647, 2]), i32([3], []), index(0)] },
  ],
});

export const dynamic_slice = defineOp({
  name: "dynamic_slice",
  summary: "`size` elements of x from `start` on, along an axis",
  laws: { partial: true, rearranges: true },
  type: (inputs, parameters) => {
    const [x, start] = two(inputs);
    const axis = integer(parameters, "axis");
    const size = dimension(parameters, "size");
    expectAxis(x.shape, axis);
    expectIndex(start);
    expectExtent(size, "the length of a slice");
    expectRoom(x.shape, axis, size);
    return [arrayType(x.dtype, withDim(x.shape, axis, size))];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, start] = two(inputs);
      const axis = integer(parameters, "axis");
      const { shape } = outputOf(context);
      const strides = stridesOf(x.shape);
      const base = startAlong(x, start, axis, shape[axis] as number) * (strides[axis] as number);
      forEachIndex(shape, (place, position) => {
        out[position] = x.data[base + offsetOf(place, strides)] as number;
      });
    }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs, equation }, w) => {
      const start = inputs[1] as Value;
      const axis = integer(equation.parameters, "axis");
      const accumulate = (accumulator: Value): Value => {
        const part = builder.one("dynamic_slice", [accumulator, start], equation.parameters);
        const sum = builder.add(part, w);
        return builder.one("dynamic_update", [accumulator, sum, start], { axis });
      };
      return [{ accumulate }];
    },
  },
  batch: (context, inputs, batched) => {
    if (batched[1]) return byLoop(context, inputs, batched);
    const { builder, equation } = context;
    const axis = integer(equation.parameters, "axis") + 1;
    return builder.emit("dynamic_slice", inputs, { ...equation.parameters, axis });
  },
  lower: { kind: "schedule" },
  samples: [
    { inputs: [wave("f64", [5]), index(2)], parameters: { axis: 0, size: 3 } },
    { inputs: [wave("f64", [2, 4, 2]), index(1)], parameters: { axis: 1, size: 2 } },
    { inputs: [wave("f64", [3]), index(3)], parameters: { axis: 0, size: 0 } },
    { inputs: [i32([1, 2, 3]), index(0)], parameters: { axis: 0, size: 1 } },
  ],
});

export const dynamic_update = defineOp({
  name: "dynamic_update",
  summary: "x with the elements of value in it from `start` on, along an axis",
  laws: { partial: true, consumes: [0], rearranges: true },
  type: (inputs, parameters) => {
    const [x, value, start] = three(inputs);
    const axis = integer(parameters, "axis");
    expectSameDtype(x, value);
    expectAxis(x.shape, axis);
    expectIndex(start);
    const size = value.shape[axis];
    if (size === undefined || !sameShape(withDim(x.shape, axis, size), value.shape)) {
      fault(`${shapeText(value.shape)} does not fit into ${shapeText(x.shape)} along axis ${axis}`);
    }
    expectRoom(x.shape, axis, value.shape[axis] as Dim);
    return [x];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, value, start] = three(inputs);
      const axis = integer(parameters, "axis");
      const strides = stridesOf(x.shape);
      const from = startAlong(x, start, axis, value.shape[axis] as number);
      const base = from * (strides[axis] as number);
      out.set(x.data);
      forEachIndex(value.shape, (place, position) => {
        out[base + offsetOf(place, strides)] = value.data[position] as number;
      });
    }),
  derivative: {
    kind: "linear",
    in: [0, 1],
    transpose: ({ builder, inputs, equation }, w) => {
      const [, value, start] = three(inputs);
      const axis = integer(equation.parameters, "axis");
      const size = value.type.shape[axis] as Dim;
      // Read before w is written.
      const part = builder.one("dynamic_slice", [w, start], { axis, size });
      const cleared = [w, builder.zerosOf(value.type), start];
      return [builder.one("dynamic_update", cleared, { axis }), part];
    },
  },
  batch: (context, inputs, batched) => {
    if (batched[2]) return byLoop(context, inputs, batched, [0]);
    const { builder, equation, size } = context;
    const [x, value, start] = three(inputs);
    const all = [
      batched[0] ? x : repeated(builder, x, size),
      batched[1] ? value : repeated(builder, value, size),
      start,
    ];
    const axis = integer(equation.parameters, "axis") + 1;
    return builder.emit("dynamic_update", all, { axis });
  },
  lower: { kind: "schedule" },
  samples: [
    { inputs: [wave("f64", [5]), wave("f64", [3], 1), index(2)], parameters: { axis: 0 } },
    {
      inputs: [wave("f64", [2, 4, 2]), wave("f64", [2, 2, 2], 1), index(1)],
      parameters: { axis: 1 },
    },
    { inputs: [wave("f64", [3]), f64([]), index(1)], parameters: { axis: 0 } },
    { inputs: [i32([1, 2, 3]), i32([9]), index(0)], parameters: { axis: 0 } },
  ],
});

/** The shape of x behind leading indices. */
function partShape(x: ValueType, indices: readonly ValueType[]): Shape {
  indices.forEach(expectIndex);
  if (indices.length > x.shape.length) {
    fault(`a value of shape ${shapeText(x.shape)} does not take ${indices.length} indices`);
  }
  return x.shape.slice(indices.length);
}

function writtenType(inputs: readonly ValueType[]): ValueType {
  const [x, value, ...indices] = inputs as readonly [ValueType, ValueType, ...ValueType[]];
  expectSameDtype(x, value);
  const part = partShape(x, indices);
  if (!sameShape(part, value.shape)) {
    fault(`a value of shape ${shapeText(value.shape)} is written where ${shapeText(part)} fits`);
  }
  return x;
}

/** Position of the first element behind leading indices. */
function startOf(x: NdArray, indices: readonly NdArray[]): number {
  const strides = stridesOf(x.shape);
  return indices.reduce((start, { data }, axis) => {
    const [i, extent] = [data[0] as number, x.shape[axis] as number];
    if (i < 0 || i >= extent) throw outOfRange(i, extent);
    return start + i * (strides[axis] as number);
  }, 0);
}

/** The meaning of `update` and `add_at`. */
function write(combine: (old: number, value: number) => number) {
  return (
    inputs: readonly NdArray[],
    _parameters: unknown,
    context: Parameters<typeof outputOf>[0],
  ): readonly NdArray[] =>
    fill(outputOf(context), (out) => {
      const [x, value, ...indices] = inputs as readonly [NdArray, NdArray, ...NdArray[]];
      const start = startOf(x, indices);
      out.set(x.data);
      for (let k = 0; k < value.data.length; k++) {
        out[start + k] = combine(out[start + k] as number, value.data[k] as number);
      }
    });
}

/** One write for each index of the batch, all into one array. */
function writeByLoop(op: "update" | "add_at"): Batching {
  return ({ builder, size }, inputs, batched) => {
    const [x, value, ...indices] = inputs as readonly [Value, Value, ...Value[]];
    const all = batched[0] ? x : repeated(builder, x, size);
    const body = builder.block([arrayType("i32", []), all.type], (inner, [i, written]) => {
      const row = i as Value;
      const place = indices.map((k, n) => (batched[n + 2] ? inner.at(k, [row]) : k));
      const part = batched[1] ? inner.at(value, [row]) : value;
      return [inner.one(op, [written as Value, part, row, ...place])];
    });
    return builder.for(builder.extent(size), [all], body);
  };
}

function expectRoom(shape: Shape, axis: number, size: Dim): void {
  const extent = shape[axis] as Dim;
  if (typeof extent === "number" && typeof size === "number" && size > extent) {
    fault(`${size} elements do not fit into axis ${axis} of shape ${shapeText(shape)}`);
  }
}

/** The start of a run of `size` elements along an axis, checked. */
function startAlong(x: NdArray, start: NdArray, axis: number, size: number): number {
  const first = start.data[0] as number;
  const extent = x.shape[axis] as number;
  if (first < 0) throw outOfRange(first, extent);
  if (first + size > extent) throw outOfRange(first + size - 1, extent);
  return first;
}
