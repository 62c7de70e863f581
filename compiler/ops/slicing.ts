/** Parts of arrays, and arrays with more around, between or behind: slice, pad and concat. */

import {
  addDims,
  type Dim,
  dimText,
  divideDim,
  multiplyDims,
  sameDim,
  shapeText,
  subtractDims,
} from "../ir/dim.ts";
import { forEachIndex, offsetOf, stridesOf } from "../ir/ndarray.ts";
import { arrayType, type Parameters, type Value } from "../ir/types.ts";
import { defineOp, fault, type Element } from "./define.ts";
import { repeated, shiftAxes } from "./support/batching.ts";
import { minus, plus, scaled, typeOf } from "./support/lowering.ts";
import { dimensions, integer, integers } from "./support/parameters.ts";
import { fill, outputOf, rearrange } from "./support/reference.ts";
import { f64, i32, wave } from "./support/samples.ts";
import { expectAxis, expectExtent, expectSameDtype, one, withDim } from "./support/types.ts";

export const slice = defineOp({
  name: "slice",
  summary: "Every stride-th element from start up to limit, along each axis",
  laws: { rearranges: true },
  type: (inputs, parameters) => {
    const x = one(inputs);
    const { start, limit, stride } = sliceOf(parameters);
    const rank = x.shape.length;
    if (start.length !== rank || limit.length !== rank || stride.length !== rank) {
      throw new Error(`slice of rank ${rank} has bounds of another rank`);
    }
    const shape = x.shape.map((dim, axis) => {
      const [from, to, step] = [start[axis] as Dim, limit[axis] as Dim, stride[axis] as number];
      const length = subtractDims(to, from);
      const bounds = `a slice from ${dimText(from)} to ${dimText(to)}`;
      if (step < 1) fault(`the step of a slice must be positive: ${step}`);
      if (isNegative(from) || isNegative(length) || isNegative(subtractDims(dim, to))) {
        fault(`${bounds} does not fit into an axis of ${dimText(dim)} elements`);
      }
      return divideDim(addDims(length, step - 1), step);
    });
    return [arrayType(x.dtype, shape)];
  },
  reference: rearrange((index, parameters, extent) => {
    const { start, stride } = sliceOf(parameters);
    return index.map((i, axis) => extent(start[axis] as Dim) + i * (stride[axis] as number));
  }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs, equation }, w) => {
      const { type } = inputs[0] as Value;
      const { start, stride } = sliceOf(equation.parameters);
      if (w.type.shape.includes(0)) return [builder.zerosOf(type)];
      // What the slice left of each axis after its last element.
      const high = w.type.shape.map((dim, axis) => {
        const step = stride[axis] as number;
        const covered = addDims(multiplyDims(addDims(dim, -1), step), 1);
        return subtractDims(subtractDims(type.shape[axis] as Dim, start[axis] as Dim), covered);
      });
      return [
        builder.pad(
          w,
          start,
          high,
          stride.map((step) => step - 1),
        ),
      ];
    },
  },
  batch: shiftAxes((parameters, { size }) => {
    const { start, limit, stride } = sliceOf(parameters);
    return { start: [0, ...start], limit: [size, ...limit], stride: [1, ...stride] };
  }),
  lower: {
    kind: "element",
    element: (writer, equation, index, read) => {
      const { start, stride } = sliceOf(equation.parameters);
      const place = index.map((i, axis) =>
        plus(writer, writer.dim(start[axis] as Dim), scaled(writer, i, stride[axis] as number)),
      );
      return read(0, place);
    },
  },
  samples: [
    { inputs: [wave("f64", [5])], parameters: { start: [1], limit: [4], stride: [1] } },
    { inputs: [wave("f64", [4, 7])], parameters: { start: [1, 0], limit: [3, 7], stride: [1, 3] } },
    { inputs: [wave("f64", [4, 7])], parameters: { start: [0, 1], limit: [4, 6], stride: [3, 2] } },
    { inputs: [wave("f64", [3])], parameters: { start: [1], limit: [1], stride: [1] } },
    { inputs: [f64([], [0, 2])], parameters: { start: [0, 1], limit: [0, 2], stride: [1, 1] } },
    { inputs: [f64([1], [])], parameters: { start: [], limit: [], stride: [] } },
    { inputs: [i32([1, 2, 3])], parameters: { start: [0], limit: [3], stride: [2] } },
  ],
});

export const pad = defineOp({
  name: "pad",
  summary: "x with zeros before, after and between its elements, along each axis",
  laws: { rearranges: true },
  type: (inputs, parameters) => {
    const x = one(inputs);
    const { low, high, interior } = padOf(parameters);
    const rank = x.shape.length;
    if (low.length !== rank || high.length !== rank || interior.length !== rank) {
      throw new Error(`pad of rank ${rank} has padding of another rank`);
    }
    const shape = x.shape.map((dim, axis) => {
      const [before, after, between] = [
        low[axis] as Dim,
        high[axis] as Dim,
        interior[axis] as number,
      ];
      for (const padding of [before, after, between]) expectExtent(padding, "padding");
      return addDims(addDims(before, after), spreadLength(dim, between));
    });
    return [arrayType(x.dtype, shape)];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const x = one(inputs);
      const { low, interior } = padOf(parameters);
      const strides = stridesOf(outputOf(context).shape);
      const first = low.map((padding) => context.extent(padding));
      forEachIndex(x.shape, (index, position) => {
        const place = index.map(
          (i, axis) => (first[axis] as number) + i * ((interior[axis] as number) + 1),
        );
        out[offsetOf(place, strides)] = x.data[position] as number;
      });
    }),
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs, equation }, w) => {
      const { type } = inputs[0] as Value;
      const { low, interior } = padOf(equation.parameters);
      const limit = type.shape.map((dim, axis) =>
        addDims(low[axis] as Dim, spreadLength(dim, interior[axis] as number)),
      );
      return [
        builder.slice(
          w,
          low,
          limit,
          interior.map((gap) => gap + 1),
        ),
      ];
    },
  },
  batch: shiftAxes((parameters) => {
    const { low, high, interior } = padOf(parameters);
    return { low: [0, ...low], high: [0, ...high], interior: [0, ...interior] };
  }),
  lower: {
    kind: "element",
    element: (writer, equation, index, read) => {
      const { low, interior } = padOf(equation.parameters);
      const { dtype, shape } = typeOf(equation.inputs);
      const zero = (): Element => writer.constant(0, dtype);
      const place: Element[] = [];
      // One axis after the other: is it on an element, and on which?
      const axisOf = (axis: number): Element => {
        if (axis === index.length) return read(0, place);
        const before = low[axis] as Dim;
        const step = (interior[axis] as number) + 1;
        const offset = minus(writer, index[axis] as Element, writer.dim(before));
        const integer = (op: string, x: Element, y: number): Element =>
          writer.apply(op, "i32", x, writer.constant(y, "i32"));
        const i = step === 1 ? offset : integer("div", offset, step);
        place.push(i);
        const inside = writer.apply(
          "and",
          "bool",
          integer("ge", offset, 0),
          writer.apply("lt", "i32", i, writer.dim(shape[axis] as Dim)),
        );
        const onElement =
          step === 1
            ? inside
            : writer.apply("and", "bool", inside, integer("eq", integer("rem", offset, step), 0));
        return writer.when(onElement, dtype, () => axisOf(axis + 1), zero);
      };
      return axisOf(0);
    },
  },
  samples: [
    { inputs: [wave("f64", [3])], parameters: { low: [1], high: [2], interior: [0] } },
    { inputs: [wave("f64", [2, 3])], parameters: { low: [0, 2], high: [1, 0], interior: [2, 1] } },
    { inputs: [f64([1], [])], parameters: { low: [], high: [], interior: [] } },
    { inputs: [f64([], [0])], parameters: { low: [1], high: [2], interior: [1] } },
    { inputs: [i32([4, 5])], parameters: { low: [0], high: [0], interior: [1] } },
  ],
});

export const concat = defineOp({
  name: "concat",
  summary: "Values one after the other along an axis",
  laws: { rearranges: true },
  type: (inputs, parameters) => {
    const axis = integer(parameters, "axis");
    const [first, ...rest] = inputs;
    if (first === undefined) return fault("there is nothing to concatenate");
    expectAxis(first.shape, axis);
    let total = first.shape[axis] as Dim;
    for (const x of rest) {
      expectSameDtype(first, x);
      const fits =
        x.shape.length === first.shape.length &&
        x.shape.every((dim, k) => k === axis || sameDim(dim, first.shape[k] as Dim));
      if (!fits) {
        const shapes = `${shapeText(first.shape)} and ${shapeText(x.shape)}`;
        fault(`values of shapes ${shapes} cannot be joined along axis ${axis}`);
      }
      total = addDims(total, x.shape[axis] as Dim);
    }
    return [arrayType(first.dtype, withDim(first.shape, axis, total))];
  },
  reference: (inputs, parameters, context) => {
    const axis = integer(parameters, "axis");
    const type = outputOf(context);
    return fill(type, (out) => {
      const strides = stridesOf(type.shape);
      let offset = 0;
      for (const x of inputs) {
        const base = offset * (strides[axis] as number);
        forEachIndex(x.shape, (index, position) => {
          out[base + offsetOf(index, strides)] = x.data[position] as number;
        });
        offset += x.shape[axis] as number;
      }
    });
  },
  derivative: {
    kind: "linear",
    in: "all",
    transpose: ({ builder, inputs, equation }, w) => {
      const axis = integer(equation.parameters, "axis");
      let offset: Dim = 0;
      return inputs.map(({ type }) => {
        const from = offset;
        offset = addDims(offset, type.shape[axis] as Dim);
        const start = type.shape.map((_, k) => (k === axis ? from : 0));
        return builder.slice(w, start, withDim(type.shape, axis, offset));
      });
    },
  },
  batch: ({ builder, equation, size }, inputs, batched) => {
    const parts = inputs.map((x, k) => (batched[k] ? x : repeated(builder, x, size)));
    return builder.emit("concat", parts, { axis: integer(equation.parameters, "axis") + 1 });
  },
  lower: {
    kind: "element",
    element: (writer, equation, index, read) => {
      const axis = integer(equation.parameters, "axis");
      const { dtype } = typeOf(equation.outputs);
      const part = (k: number, start: Dim): Element => {
        const end = addDims(start, (equation.inputs[k] as Value).type.shape[axis] as Dim);
        const place = (): readonly Element[] =>
          index.map((i, a) => (a === axis ? minus(writer, i, writer.dim(start)) : i));
        if (k === equation.inputs.length - 1) return read(k, place());
        const inside = writer.apply("lt", "i32", index[axis] as Element, writer.dim(end));
        return writer.when(
          inside,
          dtype,
          () => read(k, place()),
          () => part(k + 1, end),
        );
      };
      return part(0, 0);
    },
  },
  samples: [
    { inputs: [wave("f64", [2]), wave("f64", [3], 1)], parameters: { axis: 0 } },
    {
      inputs: [wave("f64", [2, 1]), wave("f64", [2, 3], 1), wave("f64", [2, 2], 2)],
      parameters: { axis: 1 },
    },
    { inputs: [wave("f64", [2])], parameters: { axis: 0 } },
    { inputs: [f64([], [0]), wave("f64", [1])], parameters: { axis: 0 } },
    { inputs: [i32([1, 2]), i32([3])], parameters: { axis: 0 } },
  ],
});

function sliceOf(parameters: Parameters): {
  readonly start: readonly Dim[];
  readonly limit: readonly Dim[];
  readonly stride: readonly number[];
} {
  return {
    start: dimensions(parameters, "start"),
    limit: dimensions(parameters, "limit"),
    stride: integers(parameters, "stride"),
  };
}

function padOf(parameters: Parameters): {
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
  readonly interior: readonly number[];
} {
  return {
    low: dimensions(parameters, "low"),
    high: dimensions(parameters, "high"),
    interior: integers(parameters, "interior"),
  };
}

/** n elements with `gap` zeros between them: n + (n-1)*gap, and 0 for none. */
function spreadLength(dim: Dim, gap: number): Dim {
  if (dim === 0) return 0;
  return addDims(dim, multiplyDims(addDims(dim, -1), gap));
}

function isNegative(dim: Dim): boolean {
  return typeof dim === "number" && dim < 0;
}
