/**
 * Many elements at once, at indices known at run time, and the transpose of that: additions at
 * many indices. An index out of range is an error.
 */

import { type NdArray, sizeOf } from "../ir/ndarray.ts";
import { arrayType, scalarType, type Shape, type Value, type ValueType } from "../ir/types.ts";
import { elementCount, sameShape, shapeText } from "../ir/dim.ts";
import { defineOp, fault } from "./define.ts";
import { byLoop, moveAxis, repeated } from "./support/batching.ts";
import { maskOf, orAt } from "./support/masks.ts";
import { integer } from "./support/parameters.ts";
import { fill, outOfRange, outputOf } from "./support/reference.ts";
import { f16, f32, f64, i32, index, wave } from "./support/samples.ts";
import {
  arithmetic,
  expectAxis,
  expectDtype,
  expectSameDtype,
  three,
  two,
} from "./support/types.ts";

export const gather = defineOp({
  name: "gather",
  summary: "The elements of x along an axis at many indices",
  laws: { partial: true, rearranges: true },
  type: (inputs, parameters) => {
    const [x, indices] = two(inputs);
    const axis = integer(parameters, "axis");
    expectAxis(x.shape, axis);
    expectIndices(indices);
    return [arrayType(x.dtype, gatheredShape(x.shape, indices.shape, axis))];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, indices] = two(inputs);
      forEachGathered(x, indices, integer(parameters, "axis"), (source, position) => {
        out[position] = x.data[source] as number;
      });
    }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs, equation }, w) => {
      const indices = inputs[1] as Value;
      const accumulate = (accumulator: Value): Value =>
        builder.one("scatter_add", [accumulator, indices, w], equation.parameters);
      return [{ accumulate }];
    },
  },
  batch: (context, inputs, batched) => {
    const { builder, equation } = context;
    const axis = integer(equation.parameters, "axis");
    if (!batched[1]) return builder.emit("gather", inputs, { axis: axis + 1 });
    if (batched[0]) return byLoop(context, inputs, batched);
    const [result] = builder.emit("gather", inputs, { axis });
    return [moveAxis(builder, result as Value, axis, 0)];
  },
  lower: { kind: "schedule" },
  samples: [
    { inputs: [wave("f64", [4]), i32([3, 0, 3, 1])], parameters: { axis: 0 } },
    { inputs: [wave("f64", [3, 2]), i32([2, 0], [1, 2])], parameters: { axis: 0 } },
    { inputs: [wave("f64", [2, 3, 2]), i32([1, 1, 0, 2], [2, 2])], parameters: { axis: 1 } },
    { inputs: [wave("f64", [3, 2]), index(1)], parameters: { axis: 1 } },
    { inputs: [wave("f64", [3]), i32([])], parameters: { axis: 0 } },
    { inputs: [f32([1, 2]), i32([1, 0])], parameters: { axis: 0 }, differentiate: [] },
    { inputs: [f16([1, 2]), i32([1, 0])], parameters: { axis: 0 }, differentiate: [] },
  ],
});

export const scatter_add = defineOp({
  name: "scatter_add",
  summary: "x with updates added along an axis at many indices; repeated ones accumulate",
  laws: { partial: true, consumes: [0] },
  type: (inputs, parameters) => {
    const [x, indices, updates] = three(inputs);
    const axis = integer(parameters, "axis");
    expectAxis(x.shape, axis);
    expectIndices(indices);
    expectSameDtype(x, updates);
    expectDtype(x, arithmetic);
    const expected = gatheredShape(x.shape, indices.shape, axis);
    if (!sameShape(expected, updates.shape)) {
      fault(`the updates must have shape ${shapeText(expected)}, not ${shapeText(updates.shape)}`);
    }
    return [x];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, indices, updates] = three(inputs);
      out.set(x.data);
      forEachGathered(x, indices, integer(parameters, "axis"), (target, position) => {
        out[target] = (out[target] as number) + (updates.data[position] as number);
      });
    }),
  derivative: {
    kind: "linear",
    in: [0, 2],
    transpose: ({ builder, inputs, equation }, w) => {
      // Read before w goes on to whoever writes it.
      const part = builder.one("gather", [w, inputs[1] as Value], equation.parameters);
      return [w, part];
    },
  },
  // One index after the other, with the axis in front.
  dependence: ({ builder, inputs, equation }, masks) => {
    const [x, indices, updates] = three(inputs);
    const axis = integer(equation.parameters, "axis");
    const [rank, axes] = [x.type.shape.length, indices.type.shape.length];
    const last = axis + axes - 1;
    const count = elementCount(indices.type.shape);
    const places = builder.reshape(indices, [count]);
    const others = x.type.shape.toSpliced(axis, 1);
    const lines = moveAxis(builder, maskOf(builder, x, masks[0]), axis, 0);
    const order = Array.from({ length: rank - 1 + axes }, (_, k) => k);
    const front = order.slice(axis, last + 1);
    const given = builder.transpose(maskOf(builder, updates, masks[2]), [
      ...front,
      ...order.filter((k) => !front.includes(k)),
    ]);
    const added = builder.reshape(given, [count, ...others]);
    const body = builder.block([scalarType("i32"), lines.type], (inner, [k, mask]) => {
      const [at, part] = [inner.at(places, [k as Value]), inner.at(added, [k as Value])];
      return [orAt(inner, mask as Value, part, [at])];
    });
    const [result] = builder.for(builder.extent(count), [lines], body);
    return moveAxis(builder, result as Value, 0, axis);
  },
  batch: (context, inputs, batched) => {
    const { builder, equation, size } = context;
    if (batched[1]) return byLoop(context, inputs, batched, [0]);
    const [x, indices, updates] = three(inputs);
    const all = [
      batched[0] ? x : repeated(builder, x, size),
      indices,
      batched[2] ? updates : repeated(builder, updates, size),
    ];
    return builder.emit("scatter_add", all, { axis: integer(equation.parameters, "axis") + 1 });
  },
  lower: { kind: "schedule" },
  samples: [
    {
      inputs: [wave("f64", [4]), i32([3, 0, 3, 1]), wave("f64", [4], 1)],
      parameters: { axis: 0 },
      note: "repeated indices",
    },
    {
      inputs: [wave("f64", [2, 3, 2]), i32([1, 1, 0, 2], [2, 2]), wave("f64", [2, 2, 2, 2], 1)],
      parameters: { axis: 1 },
    },
    { inputs: [wave("f64", [3, 2]), index(1), wave("f64", [3], 1)], parameters: { axis: 1 } },
    { inputs: [wave("f64", [3]), i32([]), f64([])], parameters: { axis: 0 } },
    { inputs: [i32([1, 2]), i32([1, 1]), i32([5, 6])], parameters: { axis: 0 } },
  ],
});

function expectIndices(type: ValueType): void {
  if (type.dtype !== "i32") {
    fault(`indices must be 32-bit integers, and these have type ${type.dtype}`);
  }
}

function gatheredShape(x: Shape, indices: Shape, axis: number): Shape {
  return [...x.slice(0, axis), ...indices, ...x.slice(axis + 1)];
}

/** Each element of the gathered array: its position, and that of its source in x. */
function forEachGathered(
  x: NdArray,
  indices: NdArray,
  axis: number,
  visit: (source: number, position: number) => void,
): void {
  const outer = sizeOf(x.shape.slice(0, axis));
  const inner = sizeOf(x.shape.slice(axis + 1));
  const extent = x.shape[axis] as number;
  const count = indices.data.length;
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < count; k++) {
      const i = indices.data[k] as number;
      if (i < 0 || i >= extent) throw outOfRange(i, extent);
      for (let j = 0; j < inner; j++) {
        visit((o * extent + i) * inner + j, (o * count + k) * inner + j);
      }
    }
  }
}
