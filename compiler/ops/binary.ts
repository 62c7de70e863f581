/**
 * Elementwise arithmetic of two numbers of one type. Integers wrap around.
 *
 * Conventions: the first operand of `max` and `min` wins a tie and gets the whole derivative.
 * Integer `div` and `rem` truncate, and by zero they give 0. `pow` at its edges: d/dx = 0 where
 * y = 0, d/dy = 0 where x = 0. `atan2` and `hypot` have derivative 0 at the origin.
 */

import type { DType, Value } from "../ir/types.ts";
import type { GraphBuilder } from "./builder.ts";
import { defineOp, type Derivative, type Laws, type Op, type Sample } from "./define.ts";
import { elementwise } from "./support/reference.ts";
import { f16, f32, f64, i32, u32 } from "./support/samples.ts";
import { arithmetic, expectAligned, floats, integral, two } from "./support/types.ts";

interface Definition {
  readonly name: string;
  readonly summary: string;
  readonly dtypes: readonly DType[];
  readonly js: (x: number, y: number, dtype: DType) => number;
  readonly laws?: Laws;
  readonly derivative: Derivative;
  readonly samples: readonly Sample[];
}

type Partial = (b: GraphBuilder, x: Value, y: Value, result: Value) => Value;

const left = [-2.5, -1, -0.3, 0.4, 1, 3.2];
const right = [0.7, -1.3, 2.1, -0.6, 1.9, -3.1];
const specialX = [0, -0, 1, -1, 5e-324, 1e300, Infinity, -Infinity, NaN, 0, 0, -0];
const specialY = [-0, 0, 0, 2, 0.5, 1e300, -Infinity, 3, 0, NaN, 0, 1];
const integersX = [0, 1, -1, 7, -7, 7, -7, 2147483647, -2147483648, -2147483648, 5, 123456789];
const integersY = [0, 1, -1, 2, 2, -2, -2, 1, -1, -2147483648, 0, 987654321];

export const add = binary({
  name: "add",
  summary: "x + y",
  dtypes: arithmetic,
  js: (x, y) => x + y,
  // Not 0: -0 + 0 is 0.
  laws: { commutative: true, rightIdentity: -0 },
  derivative: { kind: "linear", in: "all", transpose: (_, w) => [w, w] },
  samples: [...floatSamples(), ...integerSamples()],
});

export const sub = binary({
  name: "sub",
  summary: "x - y",
  dtypes: arithmetic,
  js: (x, y) => x - y,
  laws: { rightIdentity: 0 },
  derivative: { kind: "linear", in: "all", transpose: ({ builder }, w) => [w, builder.neg(w)] },
  samples: [...floatSamples(), ...integerSamples()],
});

export const mul = binary({
  name: "mul",
  summary: "x * y",
  dtypes: arithmetic,
  js: (x, y, dtype) => (integral.includes(dtype) ? Math.imul(x, y) : x * y),
  laws: { commutative: true, rightIdentity: 1 },
  derivative: {
    kind: "multilinear",
    transposes: [
      ({ builder, inputs }, w) => builder.mul(w, inputs[1] as Value),
      ({ builder, inputs }, w) => builder.mul(w, inputs[0] as Value),
    ],
  },
  samples: [...floatSamples(), ...integerSamples()],
});

export const div = binary({
  name: "div",
  summary: "x / y; on integers truncated, and 0 where y is 0",
  dtypes: arithmetic,
  js: (x, y, dtype) => (integral.includes(dtype) ? truncatingQuotient(x, y) : x / y),
  laws: { rightIdentity: 1 },
  derivative: partials(
    (b, _, y) => b.div(1, y),
    (b, _, y, quotient) => b.neg(b.div(quotient, y)),
  ),
  samples: [...floatSamples(), ...integerSamples()],
});

export const rem = binary({
  name: "rem",
  summary: "The remainder of x / y with the sign of x, as % in JavaScript; 0 for an integer y of 0",
  dtypes: arithmetic,
  js: (x, y, dtype) => (y === 0 && integral.includes(dtype) ? 0 : x % y),
  derivative: {
    kind: "partials",
    partials: [
      ({ builder, inputs }) => onesLike(builder, inputs[0] as Value),
      ({ builder: b, inputs }) =>
        b.neg(b.unary("trunc", b.div(inputs[0] as Value, inputs[1] as Value))),
    ],
  },
  samples: [...floatSamples(), ...integerSamples()],
});

export const pow = binary({
  name: "pow",
  summary: "x to the power y, as ** in JavaScript",
  dtypes: floats,
  js: (x, y) => x ** y,
  laws: { rightIdentity: 1, costly: true },
  derivative: partials(
    // y x^(y-1). At x = y = 0 the formula says 0 · ∞; the exponent 0 makes it 0.
    (b, x, y) => {
      const origin = b.one("and", [b.binary("eq", x, 0), b.binary("eq", y, 0)]);
      const exponent = b.select(origin, 0, b.sub(y, 1));
      return b.mul(y, b.binary("pow", x, exponent));
    },
    // x^y log x; 0 where x is 0, where the formula says 0 · -∞.
    (b, x, _, power) => {
      const zero = b.binary("eq", x, 0);
      const logarithm = b.unary("log", b.select(zero, 1, x));
      return b.select(zero, 0, b.mul(power, logarithm));
    },
  ),
  samples: [
    { inputs: [f64([0.3, 0.9, 1, 2.2, 4]), f64([-1.5, 0, 2, 0.5, 3])] },
    { inputs: [f64([-2, -1.5, 3]), f64([2, 3, -2])], differentiate: [0], note: "negative bases" },
    { inputs: [f64([2], []), f64([0.5], [])] },
    { inputs: [f64([]), f64([])] },
    {
      inputs: [f32([0.5, 2, 3]), f32([2, 0.5, -1])],
      differentiate: [],
      note: "single precision",
    },
    { inputs: [f16([0.5, 2, 3]), f16([2, 0.5, -1])], differentiate: [], note: "half precision" },
    {
      inputs: [f64([...specialX, 1, -8]), f64([...specialY, Infinity, 1 / 3])],
      differentiate: [],
      note: "special values",
    },
  ],
});

export const atan2 = binary({
  name: "atan2",
  summary: "The angle of the point (y, x), given in this order, from the positive x axis",
  dtypes: floats,
  js: (y, x) => Math.atan2(y, x),
  laws: { costly: true },
  // d/dy = x/r² and d/dx = -y/r², divided by r twice so that r² does not overflow.
  derivative: partials(
    (b, y, x) => overRadius(b, y, x, (r) => b.div(b.div(x, r), r)),
    (b, y, x) => overRadius(b, y, x, (r) => b.neg(b.div(b.div(y, r), r))),
  ),
  samples: floatSamples(),
});

export const hypot = binary({
  name: "hypot",
  summary: "√(x² + y²) without overflow",
  dtypes: floats,
  js: (x, y) => Math.hypot(x, y),
  laws: { commutative: true, costly: true },
  derivative: partials(
    (b, x, y) => overRadius(b, x, y, (r) => b.div(x, r)),
    (b, x, y) => overRadius(b, x, y, (r) => b.div(y, r)),
  ),
  samples: floatSamples(),
});

export const max = binary({
  name: "max",
  summary: "The greater of x and y; NaN if one is NaN, and 0 over -0",
  dtypes: arithmetic,
  js: (x, y) => Math.max(x, y),
  laws: { commutative: true },
  derivative: partials(
    (b, x, y) => b.binary("ge", x, y),
    (b, x, y) => b.unary("not", b.binary("ge", x, y)),
  ),
  samples: [...floatSamples(), ...integerSamples()],
});

export const min = binary({
  name: "min",
  summary: "The lesser of x and y; NaN if one is NaN, and -0 over 0",
  dtypes: arithmetic,
  js: (x, y) => Math.min(x, y),
  laws: { commutative: true },
  derivative: partials(
    (b, x, y) => b.binary("le", x, y),
    (b, x, y) => b.unary("not", b.binary("le", x, y)),
  ),
  samples: [...floatSamples(), ...integerSamples()],
});

function binary(definition: Definition): Op {
  const { name, summary, dtypes, js, laws, derivative, samples } = definition;
  return defineOp({
    name,
    summary,
    laws: { elementwise: true, ...laws },
    type: (inputs) => [expectAligned(two(inputs), dtypes)],
    reference: elementwise((dtype, x, y) => js(x, y, dtype)),
    derivative,
    batch: "elementwise",
    lower: { kind: "elementwise" },
    samples,
  });
}

function partials(dx: Partial, dy: Partial): Derivative {
  const rule =
    (partial: Partial) =>
    ({
      builder,
      inputs,
      outputs,
    }: {
      readonly builder: GraphBuilder;
      readonly inputs: readonly Value[];
      readonly outputs: readonly Value[];
    }): Value =>
      partial(builder, inputs[0] as Value, inputs[1] as Value, outputs[0] as Value);
  return { kind: "partials", partials: [rule(dx), rule(dy)] };
}

function onesLike(b: GraphBuilder, x: Value): Value {
  return b.full(x.type.shape, 1, x.type.dtype);
}

/** `formula(r)` with r = √(x² + y²), and 0 at the origin. */
function overRadius(b: GraphBuilder, x: Value, y: Value, formula: (radius: Value) => Value): Value {
  const radius = b.binary("hypot", x, y);
  const origin = b.binary("eq", radius, 0);
  return b.select(origin, 0, formula(b.select(origin, 1, radius)));
}

function truncatingQuotient(x: number, y: number): number {
  return y === 0 ? 0 : Math.trunc(x / y);
}

function floatSamples(): readonly Sample[] {
  return [
    { inputs: [f64(left), f64(right)] },
    { inputs: [f64([1.5], []), f64([-0.4], [])] },
    { inputs: [f64(left, [2, 3]), f64(right, [2, 3])] },
    { inputs: [f64([], [2, 0]), f64([], [2, 0])] },
    { inputs: [f32(left), f32(right)], differentiate: [], note: "single precision" },
    { inputs: [f16(left), f16(right)], differentiate: [], note: "half precision" },
    { inputs: [f16(specialX), f16(specialY)], differentiate: [], note: "special halves" },
    { inputs: [f64(specialX), f64(specialY)], differentiate: [], note: "special values" },
  ];
}

function integerSamples(): readonly Sample[] {
  return [
    { inputs: [i32(integersX), i32(integersY)] },
    { inputs: [u32([0, 1, 7, 4294967295, 4294967295]), u32([0, 2, 0, 2, 4294967295])] },
  ];
}
