/**
 * Reductions over axes, and prefix sums.
 *
 * Derivative conventions: equal maxima (minima) share the derivative equally; the derivative of a
 * product is right where elements are zero. NaN wins a maximum, a minimum, argmax and argmin.
 */

import { addDims, type Dim, elementCount } from "../ir/dim.ts";
import { forEachIndex, offsetOf } from "../ir/ndarray.ts";
import { arrayType, type DType, type Parameters, type Value } from "../ir/types.ts";
import type { GraphBuilder } from "./builder.ts";
import {
  defineOp,
  fault,
  type Derivative,
  type Op,
  type Reference,
  type Sample,
} from "./define.ts";
import { shiftAxes } from "./support/batching.ts";
import { integer, integers } from "./support/parameters.ts";
import { extentsAt, fill, forEachLine, outputOf, stridesAt } from "./support/reference.ts";
import { bool, f16, f32, f64, i32, u32, wave } from "./support/samples.ts";
import {
  arithmetic,
  boolean,
  expectAxes,
  expectAxis,
  expectDtype,
  integral,
  inverse,
  one,
  otherAxes,
  signed,
  withoutAxes,
} from "./support/types.ts";

interface Definition {
  readonly name: string;
  readonly summary: string;
  readonly dtypes: readonly DType[];
  readonly combine: (x: number, y: number, dtype: DType) => number;
  readonly combineOp: string;
  /** ∓∞ stands for the least or greatest number of an integer type. */
  readonly identity: number;
  readonly derivative: Derivative;
  readonly samples: readonly Sample[];
}

const reduceSamples: readonly Sample[] = [
  { inputs: [wave("f64", [2, 3])], parameters: { axes: [1] } },
  { inputs: [wave("f64", [2, 3])], parameters: { axes: [0, 1] } },
  { inputs: [wave("f64", [2, 3, 2])], parameters: { axes: [0, 2] } },
  { inputs: [wave("f64", [3])], parameters: { axes: [] } },
  { inputs: [wave("f64", [1, 5])], parameters: { axes: [0] } },
  { inputs: [f64([], [2, 0])], parameters: { axes: [1] } },
  { inputs: [f64([], [0, 2])], parameters: { axes: [1] } },
  { inputs: [wave("f32", [7, 3])], parameters: { axes: [0] }, differentiate: [] },
  { inputs: [wave("f16", [7, 3])], parameters: { axes: [0] }, differentiate: [] },
  { inputs: [wave("f16", [3, 7])], parameters: { axes: [1] }, differentiate: [] },
  { inputs: [wave("f16", [4])], parameters: { axes: [0] }, differentiate: [] },
  { inputs: [i32([1, -2, 2147483647, 3], [2, 2])], parameters: { axes: [1] } },
  { inputs: [u32([1, 4294967295, 2])], parameters: { axes: [0] } },
];
const booleanSamples: readonly Sample[] = [
  { inputs: [bool([0, 0, 0, 1, 1, 1], [2, 3])], parameters: { axes: [1] } },
  { inputs: [bool([0, 0, 0, 1, 1, 1], [2, 3])], parameters: { axes: [0] } },
  { inputs: [bool([], [0])], parameters: { axes: [0] } },
];

export const sum = reduction({
  name: "sum",
  summary: "The sum over axes; 0 of none",
  dtypes: arithmetic,
  combine: (x, y) => x + y,
  combineOp: "add",
  identity: 0,
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder, inputs, equation }, w) => [
      spread(builder, w, inputs[0] as Value, integers(equation.parameters, "axes")),
    ],
  },
  samples: reduceSamples,
});

export const prod = reduction({
  name: "prod",
  summary: "The product over axes; 1 of none",
  dtypes: arithmetic,
  combine: (x, y, dtype) => (integral.includes(dtype) ? Math.imul(x, y) : x * y),
  combineOp: "mul",
  identity: 1,
  derivative: {
    kind: "rules",
    jvp: ({ builder, inputs, equation }, [tangent]) => {
      const x = inputs[0] as Value;
      const axes = integers(equation.parameters, "axes");
      if (tangent === undefined) return [undefined];
      return [builder.sum(builder.mul(productOfOthers(builder, x, axes), tangent), axes)];
    },
    vjp: ({ builder, inputs, equation }, [w]) => {
      const x = inputs[0] as Value;
      const axes = integers(equation.parameters, "axes");
      if (w === undefined) return [undefined];
      return [builder.mul(spread(builder, w, x, axes), productOfOthers(builder, x, axes))];
    },
  },
  samples: [
    ...reduceSamples,
    { inputs: [f64([2, 0, 3, 0, 5, 0], [2, 3])], parameters: { axes: [1] }, note: "zeros" },
  ],
});

export const reduce_max = reduction({
  name: "reduce_max",
  summary: "The greatest element over axes; -∞ of none, NaN if one is NaN",
  dtypes: arithmetic,
  combine: (x, y) => Math.max(x, y),
  combineOp: "max",
  identity: -Infinity,
  derivative: ofExtreme(),
  samples: extremeSamples(),
});

export const reduce_min = reduction({
  name: "reduce_min",
  summary: "The least element over axes; ∞ of none, NaN if one is NaN",
  dtypes: arithmetic,
  combine: (x, y) => Math.min(x, y),
  combineOp: "min",
  identity: Infinity,
  derivative: ofExtreme(),
  samples: extremeSamples(),
});

export const any = reduction({
  name: "any",
  summary: "True where an element over axes is true",
  dtypes: boolean,
  combine: (x, y) => x | y,
  combineOp: "or",
  identity: 0,
  derivative: { kind: "zero" },
  samples: booleanSamples,
});

export const all = reduction({
  name: "all",
  summary: "True where every element over axes is true",
  dtypes: boolean,
  combine: (x, y) => x & y,
  combineOp: "and",
  identity: 1,
  derivative: { kind: "zero" },
  samples: booleanSamples,
});

export const reduce_or = reduction({
  name: "reduce_or",
  summary: "The bits that an element over axes has; 0 of none",
  dtypes: integral,
  combine: (x, y) => x | y,
  combineOp: "bit_or",
  identity: 0,
  derivative: { kind: "zero" },
  samples: [
    { inputs: [i32([1, 2, 4, -8, 0, 5], [2, 3])], parameters: { axes: [1] } },
    { inputs: [i32([1, 2, 4, -8, 0, 5], [2, 3])], parameters: { axes: [0] } },
    { inputs: [u32([1, 4294967295, 2])], parameters: { axes: [0] } },
    { inputs: [i32([], [2, 0])], parameters: { axes: [1] } },
    {
      inputs: [i32(Array.from({ length: 33 }, (_, k) => 1 << k))],
      parameters: { axes: [0] },
    },
  ],
});

export const argmax = position(
  "argmax",
  "The first place of the greatest element along an axis; the first NaN if there is one",
  (x, best) => x > best,
);
export const argmin = position(
  "argmin",
  "The first place of the least element along an axis; the first NaN if there is one",
  (x, best) => x < best,
);

export const cumsum = defineOp({
  name: "cumsum",
  summary: "The sums of the elements up to each place along an axis",
  laws: {},
  type: (inputs, parameters) => {
    const x = one(inputs);
    expectDtype(x, signed);
    expectAxis(x.shape, integer(parameters, "axis"));
    return [x];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const x = one(inputs);
      forEachLine(x.shape, integer(parameters, "axis"), (start, step, length) => {
        let total = 0;
        for (let k = 0; k < length; k++) {
          total += x.data[start + k * step] as number;
          out[start + k * step] = total;
        }
      });
    }),
  derivative: {
    kind: "linear",
    in: [0],
    // The sums from each place on: reversed, summed, reversed.
    transpose: ({ builder, equation }, w) => {
      const axes = [integer(equation.parameters, "axis")];
      const backwards = builder.one("reverse", [w], { axes });
      const sums = builder.one("cumsum", [backwards], equation.parameters);
      return [builder.one("reverse", [sums], { axes })];
    },
  },
  // All of its line, which is somewhat more than what stands before it.
  dependence: ({ builder, inputs, equation }, [mask]) => {
    const axes = [integer(equation.parameters, "axis")];
    const { shape } = (inputs[0] as Value).type;
    const line = builder.one("reduce_or", [mask as Value], { axes });
    return builder.broadcast(line, shape, otherAxes(shape.length, axes));
  },
  batch: shiftAxes(nextAxis),
  lower: { kind: "schedule" },
  samples: [
    { inputs: [wave("f64", [4])], parameters: { axis: 0 } },
    { inputs: [wave("f64", [2, 3, 2])], parameters: { axis: 1 } },
    { inputs: [wave("f64", [1])], parameters: { axis: 0 } },
    { inputs: [f64([], [2, 0])], parameters: { axis: 1 } },
    { inputs: [wave("f32", [5])], parameters: { axis: 0 }, differentiate: [] },
    { inputs: [wave("f16", [5])], parameters: { axis: 0 }, differentiate: [] },
    { inputs: [i32([2147483647, 1, -5])], parameters: { axis: 0 } },
  ],
});

function reduction(definition: Definition): Op {
  const { name, summary, dtypes, combine, combineOp, identity, derivative, samples } = definition;
  return defineOp({
    name,
    summary,
    laws: {},
    type: (inputs, parameters) => {
      const x = one(inputs);
      const axes = integers(parameters, "axes");
      expectDtype(x, dtypes);
      expectAxes(x.shape, axes);
      return [arrayType(x.dtype, withoutAxes(x.shape, axes))];
    },
    reference: reduceBy(combine, identity),
    derivative,
    batch: shiftAxes((parameters) => ({
      axes: integers(parameters, "axes").map((axis) => axis + 1),
    })),
    lower: { kind: "reduce", combine: combineOp, identity },
    samples,
  });
}

function reduceBy(
  combine: (x: number, y: number, dtype: DType) => number,
  identity: number,
): Reference {
  return (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const x = one(inputs);
      const axes = integers(parameters, "axes");
      const kept = otherAxes(x.shape.length, axes);
      const inner = extentsAt(x.shape, axes);
      const keptStrides = stridesAt(x.shape, kept);
      const innerStrides = stridesAt(x.shape, axes);
      const start = identityIn(x.dtype, identity);
      forEachIndex(extentsAt(x.shape, kept), (index, position) => {
        const base = offsetOf(index, keptStrides);
        let total = start;
        forEachIndex(inner, (place) => {
          total = combine(total, x.data[base + offsetOf(place, innerStrides)] as number, x.dtype);
        });
        out[position] = total;
      });
    });
}

/** ∓∞ as the least or greatest number of an integer type. */
function identityIn(dtype: DType, identity: number): number {
  if (Number.isFinite(identity)) return identity;
  if (dtype === "i32") return identity < 0 ? -2147483648 : 2147483647;
  if (dtype === "u32") return identity < 0 ? 0 : 4294967295;
  return identity;
}

function position(name: string, summary: string, better: (x: number, best: number) => boolean): Op {
  return defineOp({
    name,
    summary,
    laws: {},
    type: (inputs, parameters) => {
      const x = one(inputs);
      const axis = integer(parameters, "axis");
      expectDtype(x, arithmetic);
      expectAxis(x.shape, axis);
      if (x.shape[axis] === 0) fault("an axis without elements has no greatest or least one");
      return [arrayType("i32", withoutAxes(x.shape, [axis]))];
    },
    reference: (inputs, parameters, context) =>
      fill(outputOf(context), (out) => {
        const x = one(inputs);
        let line = 0;
        forEachLine(x.shape, integer(parameters, "axis"), (start, step, length) => {
          let best = 0;
          for (let k = 1; k < length; k++) {
            const least = x.data[start + best * step] as number;
            const value = x.data[start + k * step] as number;
            if (better(value, least) || (Number.isNaN(value) && !Number.isNaN(least))) best = k;
          }
          out[line++] = best;
        });
      }),
    derivative: { kind: "zero" },
    batch: shiftAxes(nextAxis),
    lower: { kind: "schedule" },
    samples: [
      { inputs: [f64([1, 3, 3, 2, -1, -1], [2, 3])], parameters: { axis: 1 }, note: "ties" },
      { inputs: [f64([1, 3, 3, 2, -1, -1], [2, 3])], parameters: { axis: 0 } },
      { inputs: [f64([1, NaN, 3, NaN, 5, -1])], parameters: { axis: 0 }, note: "NaN" },
      { inputs: [f64([-Infinity, -Infinity])], parameters: { axis: 0 } },
      { inputs: [f32([2, 1], [2, 1])], parameters: { axis: 1 } },
      { inputs: [f16([2, 1, NaN, 3], [2, 2])], parameters: { axis: 1 } },
      { inputs: [i32([3, -5, 7, 7])], parameters: { axis: 0 } },
      { inputs: [u32([1, 4294967295])], parameters: { axis: 0 } },
      { inputs: [f64([], [0, 2])], parameters: { axis: 1 } },
    ],
  });
}

function nextAxis(parameters: Parameters): Parameters {
  return { axis: integer(parameters, "axis") + 1 };
}

/** A value of the reduced shape, repeated along the reduced axes of `x`. */
function spread(b: GraphBuilder, value: Value, x: Value, axes: readonly number[]): Value {
  return b.broadcast(value, x.type.shape, otherAxes(x.type.shape.length, axes));
}

/** 1 where an element is an extreme one, divided by how many there are. */
function extremeWeights(b: GraphBuilder, x: Value, extreme: Value, axes: readonly number[]): Value {
  const mask = b.cast(b.binary("eq", x, spread(b, extreme, x, axes)), x.type.dtype);
  return b.div(mask, spread(b, b.sum(mask, axes), x, axes));
}

function ofExtreme(): Derivative {
  return {
    kind: "rules",
    jvp: ({ builder, inputs, outputs, equation }, [tangent]) => {
      const axes = integers(equation.parameters, "axes");
      if (tangent === undefined) return [undefined];
      const weights = extremeWeights(builder, inputs[0] as Value, outputs[0] as Value, axes);
      return [builder.sum(builder.mul(weights, tangent), axes)];
    },
    vjp: ({ builder, inputs, outputs, equation }, [w]) => {
      const x = inputs[0] as Value;
      const axes = integers(equation.parameters, "axes");
      if (w === undefined) return [undefined];
      const weights = extremeWeights(builder, x, outputs[0] as Value, axes);
      return [builder.mul(spread(builder, w, x, axes), weights)];
    },
  };
}

/** True where the result is the extreme of no elements, an infinity. */
function isOfNone({ inputs, parameters = {} }: Sample): boolean {
  const { shape } = one(inputs);
  return integers(parameters, "axes").some((axis) => shape[axis] === 0);
}

function extremeSamples(): readonly Sample[] {
  const ties: Sample = {
    inputs: [f64([1, 3, 3, -2, -2, 0], [2, 3])],
    parameters: { axes: [1] },
    differentiate: [],
    note: "ties",
  };
  const nan: Sample = {
    inputs: [f64([1, NaN, 3, -Infinity, Infinity, -0], [3, 2])],
    parameters: { axes: [1] },
    differentiate: [],
    note: "special values",
  };
  const [empty, others] = [
    reduceSamples.filter(isOfNone),
    reduceSamples.filter((one) => !isOfNone(one)),
  ];
  const infinite = empty.map((sample) => ({ ...sample, differentiate: [] }));
  return [...others, ...infinite, ties, nan];
}

/**
 * For each element the product of all the others over `axes`, with no division, so that zeros do
 * no harm: the products of what stands before it and of what stands after it.
 */
function productOfOthers(b: GraphBuilder, x: Value, axes: readonly number[]): Value {
  const rank = x.type.shape.length;
  const kept = otherAxes(rank, axes);
  const order = [...axes, ...kept];
  const front = b.transpose(x, order);
  const rest = kept.map((axis) => x.type.shape[axis] as Dim);
  const count = elementCount(axes.map((axis) => x.type.shape[axis] as Dim));
  const lines = b.reshape(front, [count, ...rest]);
  const before = productsBefore(b, lines, false);
  const after = productsBefore(b, lines, true);
  const product = b.reshape(b.mul(before, after), front.type.shape);
  return b.transpose(product, inverse(order));
}

/** Along the first axis, for each place the product of all before it (after it, backwards). */
function productsBefore(b: GraphBuilder, lines: Value, backwards: boolean): Value {
  const [count, ...rest] = lines.type.shape as readonly [Dim, ...Dim[]];
  const total = arrayType(lines.type.dtype, rest);
  const last = b.extent(addDims(count, -1));
  const initial = [b.full(rest, 1, lines.type.dtype), b.zerosOf(lines.type)];
  const body = b.block(
    [arrayType("i32", []), total, lines.type],
    (inner, [i, product, products]) => {
      const place = backwards ? inner.sub(last, i as Value) : (i as Value);
      const value = inner.at(lines, [place]);
      const next = inner.mul(product as Value, value);
      return [next, inner.update(products as Value, product as Value, [place])];
    },
  );
  return b.for(b.extent(count), initial, body)[1] as Value;
}
