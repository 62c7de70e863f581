/** Rearrangements, where every output element is one input element, and indices as numbers. */

import { addDims, type Dim, elementCount, sameDim, shapeText } from "../ir/dim.ts";
import { forEachIndex } from "../ir/ndarray.ts";
import { arrayType, type Shape, type Value } from "../ir/types.ts";
import { defineOp, fault, type Element, type ElementWriter } from "./define.ts";
import { shiftAxes } from "./support/batching.ts";
import { dimensions, dtypeOf, integer, integers } from "./support/parameters.ts";
import { fill, identity, outputOf, rearrange } from "./support/reference.ts";
import { minus, plus, typeOf } from "./support/lowering.ts";
import { bool, f64, i32, u8, wave } from "./support/samples.ts";
import {
  expectAxes,
  expectAxis,
  expectExtent,
  inverse,
  none,
  one,
  otherAxes,
} from "./support/types.ts";

export const broadcast = defineOp({
  name: "broadcast",
  summary: "x repeated along new axes; axis k of x becomes axis axes[k] of the result",
  laws: { rearranges: true },
  type: (inputs, parameters) => {
    const x = one(inputs);
    const shape = dimensions(parameters, "shape");
    const axes = integers(parameters, "axes");
    if (axes.length !== x.shape.length) {
      throw new Error(`broadcast of rank ${x.shape.length} names ${axes.length} axes`);
    }
    expectAxes(shape, axes);
    axes.forEach((axis, k) => {
      if (!sameDim(shape[axis] as Dim, x.shape[k] as Dim)) {
        fault(`a value of shape ${shapeText(x.shape)} cannot be repeated to ${shapeText(shape)}`);
      }
    });
    return [arrayType(x.dtype, shape)];
  },
  reference: rearrange((index, parameters) =>
    integers(parameters, "axes").map((axis) => index[axis] as number),
  ),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, equation }, w) => {
      const axes = integers(equation.parameters, "axes");
      const sum = builder.sum(w, otherAxes(w.type.shape.length, axes));
      // The sum keeps the order of the result; x has its axes in the order of `axes`.
      const order = [...axes].sort((a, b) => a - b);
      return [
        builder.transpose(
          sum,
          axes.map((axis) => order.indexOf(axis)),
        ),
      ];
    },
  },
  batch: shiftAxes((parameters, { size }) => ({
    shape: [size, ...dimensions(parameters, "shape")],
    axes: [0, ...integers(parameters, "axes").map((axis) => axis + 1)],
  })),
  lower: {
    kind: "element",
    element: (_, equation, index, read) =>
      read(
        0,
        integers(equation.parameters, "axes").map((axis) => index[axis] as Element),
      ),
  },
  samples: [
    { inputs: [f64([2.5], [])], parameters: { shape: [2, 3], axes: [] } },
    { inputs: [wave("f64", [3])], parameters: { shape: [2, 3], axes: [1] } },
    { inputs: [wave("f64", [2, 3])], parameters: { shape: [3, 4, 2], axes: [2, 0] } },
    { inputs: [wave("f64", [1])], parameters: { shape: [1, 1], axes: [0] } },
    { inputs: [wave("f64", [2])], parameters: { shape: [0, 2], axes: [1] } },
    { inputs: [bool([1], [])], parameters: { shape: [3], axes: [] } },
  ],
});

export const reshape = defineOp({
  name: "reshape",
  summary: "The same elements in the same order, in another shape",
  laws: { rearranges: true },
  type: (inputs, parameters) => {
    const x = one(inputs);
    const shape = dimensions(parameters, "shape");
    for (const dim of shape) expectExtent(dim, "an extent of the new shape");
    if (!sameDim(elementCount(x.shape), elementCount(shape))) {
      fault(
        `${shapeText(x.shape)} and ${shapeText(shape)} do not hold the same number of elements`,
      );
    }
    return [arrayType(x.dtype, shape)];
  },
  reference: identity,
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs }, w) => [builder.reshape(w, (inputs[0] as Value).type.shape)],
  },
  batch: shiftAxes((parameters, { size }) => ({
    shape: [size, ...dimensions(parameters, "shape")],
  })),
  lower: {
    kind: "element",
    alias: true,
    element: (writer, equation, index, read) => {
      const from = typeOf(equation.inputs).shape;
      const to = typeOf(equation.outputs).shape;
      return read(0, unflatten(writer, from, flatten(writer, to, index)));
    },
  },
  samples: [
    { inputs: [wave("f64", [2, 3])], parameters: { shape: [3, 2] } },
    { inputs: [wave("f64", [2, 3])], parameters: { shape: [6] } },
    { inputs: [f64([4], [])], parameters: { shape: [1, 1] } },
    { inputs: [f64([4], [1])], parameters: { shape: [] } },
    { inputs: [f64([], [2, 0])], parameters: { shape: [0, 5] } },
    { inputs: [u8([1, 2, 3, 4])], parameters: { shape: [2, 2] } },
  ],
});

export const transpose = defineOp({
  name: "transpose",
  summary: "x with its axes in another order; axis k of the result is axis permutation[k] of x",
  laws: { rearranges: true },
  type: (inputs, parameters) => {
    const x = one(inputs);
    const permutation = integers(parameters, "permutation");
    if (permutation.length !== x.shape.length) {
      fault(`[${permutation}] does not name every axis of a value of shape ${shapeText(x.shape)}`);
    }
    expectAxes(x.shape, permutation);
    return [
      arrayType(
        x.dtype,
        permutation.map((axis) => x.shape[axis] as Dim),
      ),
    ];
  },
  reference: rearrange((index, parameters) => {
    const place = inverse(integers(parameters, "permutation"));
    return place.map((axis) => index[axis] as number);
  }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, equation }, w) => [
      builder.transpose(w, inverse(integers(equation.parameters, "permutation"))),
    ],
  },
  batch: shiftAxes((parameters) => ({
    permutation: [0, ...integers(parameters, "permutation").map((axis) => axis + 1)],
  })),
  lower: {
    kind: "element",
    element: (_, equation, index, read) => {
      const place = inverse(integers(equation.parameters, "permutation"));
      return read(
        0,
        place.map((axis) => index[axis] as Element),
      );
    },
  },
  samples: [
    { inputs: [wave("f64", [2, 3])], parameters: { permutation: [1, 0] } },
    { inputs: [wave("f64", [2, 3, 4])], parameters: { permutation: [2, 0, 1] } },
    { inputs: [f64([1], [])], parameters: { permutation: [] } },
    { inputs: [f64([], [0, 3])], parameters: { permutation: [1, 0] } },
    { inputs: [i32([1, 2, 3], [1, 3])], parameters: { permutation: [1, 0] } },
  ],
});

export const reverse = defineOp({
  name: "reverse",
  summary: "The elements in opposite order along axes",
  laws: { rearranges: true },
  type: (inputs, parameters) => {
    const x = one(inputs);
    expectAxes(x.shape, integers(parameters, "axes"));
    return [x];
  },
  reference: rearrange((index, parameters, _, shape) => {
    const axes = integers(parameters, "axes");
    return index.map((i, axis) => (axes.includes(axis) ? (shape[axis] as number) - 1 - i : i));
  }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, equation }, w) => [builder.one("reverse", [w], equation.parameters)],
  },
  batch: shiftAxes((parameters) => ({
    axes: integers(parameters, "axes").map((axis) => axis + 1),
  })),
  lower: {
    kind: "element",
    element: (writer, equation, index, read) => {
      const axes = integers(equation.parameters, "axes");
      const { shape } = typeOf(equation.inputs);
      const place = index.map((i, axis) =>
        axes.includes(axis) ? minus(writer, writer.dim(addDims(shape[axis] as Dim, -1)), i) : i,
      );
      return read(0, place);
    },
  },
  samples: [
    { inputs: [wave("f64", [3])], parameters: { axes: [0] } },
    { inputs: [wave("f64", [2, 3, 2])], parameters: { axes: [0, 2] } },
    { inputs: [wave("f64", [2])], parameters: { axes: [] } },
    { inputs: [f64([], [0])], parameters: { axes: [0] } },
    { inputs: [u8([1, 2, 3])], parameters: { axes: [0] } },
  ],
});

export const iota = defineOp({
  name: "iota",
  summary: "The index along an axis: 0, 1, 2, …",
  laws: {},
  type: (inputs, parameters) => {
    none(inputs);
    const shape = dimensions(parameters, "shape");
    const dtype = dtypeOf(parameters);
    for (const dim of shape) expectExtent(dim, "an extent");
    expectAxis(shape, integer(parameters, "axis"));
    if (dtype === "bool") fault("an index is not a boolean");
    return [arrayType(dtype, shape)];
  },
  reference: (_, parameters, context) =>
    fill(outputOf(context), (out) => {
      const axis = integer(parameters, "axis");
      forEachIndex(outputOf(context).shape, (index, position) => {
        out[position] = index[axis] as number;
      });
    }),
  derivative: { kind: "zero" },
  batch: "elementwise",
  lower: {
    kind: "element",
    element: (writer, equation, index) =>
      writer.cast(
        index[integer(equation.parameters, "axis")] as Element,
        "i32",
        dtypeOf(equation.parameters),
      ),
  },
  samples: [
    { inputs: [], parameters: { dtype: "i32", shape: [4], axis: 0 } },
    { inputs: [], parameters: { dtype: "f64", shape: [2, 3], axis: 1 } },
    { inputs: [], parameters: { dtype: "f32", shape: [2, 3], axis: 0 } },
    { inputs: [], parameters: { dtype: "f16", shape: [2, 3], axis: 1 } },
    { inputs: [], parameters: { dtype: "i32", shape: [0, 3], axis: 1 } },
  ],
});

/** The row-major position of an index. */
function flatten(writer: ElementWriter, shape: Shape, index: readonly Element[]): Element {
  return index.reduce(
    (position, i, axis) =>
      plus(writer, writer.apply("mul", "i32", position, writer.dim(shape[axis] as Dim)), i),
    writer.constant(0, "i32"),
  );
}

/** The index at a row-major position. */
function unflatten(writer: ElementWriter, shape: Shape, position: Element): readonly Element[] {
  const index: Element[] = [];
  let rest = position;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const dim = writer.dim(shape[axis] as Dim);
    index.unshift(axis === 0 ? rest : writer.apply("rem", "i32", rest, dim));
    rest = writer.apply("div", "i32", rest, dim);
  }
  return index;
}
