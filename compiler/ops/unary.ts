/**
 * Elementwise functions of one number.
 *
 * Derivatives at special points: abs'(0) = 0 and sign' = 0; floor, ceil, round and trunc have
 * derivative 0 everywhere; sqrt'(0), cbrt'(0), rsqrt'(0) and log'(0) are what their formulas give,
 * an infinity.
 */

import type { Value } from "../ir/types.ts";
import type { GraphBuilder } from "./builder.ts";
import { defineOp, type Derivative, type Op, type Sample } from "./define.ts";
import { erf as erfOf } from "../../runtime/erf.ts";
import { elementwise } from "./support/reference.ts";
import { bool, f16, f32, f64, i32, u32 } from "./support/samples.ts";
import { boolean, expectDtype, floats, integral, like, one, signed } from "./support/types.ts";

/** The derivative of y = f(x), from x and y. */
type Partial = (b: GraphBuilder, x: Value, y: Value) => Value;

interface Definition {
  readonly name: string;
  readonly summary: string;
  readonly js: (x: number) => number;
  /** Absent: zero. */
  readonly partial?: Partial;
  /** Points where it is smooth. */
  readonly at: readonly number[];
  readonly costly?: boolean;
}

const everywhere = [-2.5, -1, -0.3, 0.4, 1, 3.2];
const positive = [0.1, 0.5, 1, 2.7, 30];
const inside = [-0.9, -0.5, -0.1, 0.2, 0.7];
const special = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  1e300,
  -1e300,
  5e-324,
  Infinity,
  -Infinity,
  NaN,
];

export const neg = defineOp({
  ...float({
    name: "neg",
    summary: "-x",
    js: (x) => -x,
    at: everywhere,
  }),
  type: (inputs) => {
    const x = one(inputs);
    expectDtype(x, signed);
    return [x];
  },
  derivative: {
    kind: "linear",
    in: [0],
    transpose: ({ builder }, w) => [builder.neg(w)],
  },
  samples: [...floatSamples(everywhere), { inputs: [i32([0, 7, -7, 2147483647, -2147483648])] }],
});

export const abs = signedOp("abs", "The magnitude of x", Math.abs, (b, x) => b.unary("sign", x));
export const sign = signedOp("sign", "-1, 0 or 1 as x is negative, zero or positive", Math.sign);

export const floor = step("floor", "The greatest integer that is at most x", Math.floor);
export const ceil = step("ceil", "The least integer that is at least x", Math.ceil);
export const round = step("round", "The nearest integer, halves towards +∞", Math.round);
export const trunc = step("trunc", "The integer part of x, towards zero", Math.trunc);

export const sqrt = float({
  name: "sqrt",
  summary: "√x",
  js: Math.sqrt,
  partial: (b, _, y) => b.div(0.5, y),
  at: positive,
});

export const rsqrt = float({
  name: "rsqrt",
  summary: "1/√x",
  js: (x) => 1 / Math.sqrt(x),
  partial: (b, x, y) => b.div(b.mul(y, -0.5), x),
  at: positive,
});

export const cbrt = float({
  name: "cbrt",
  summary: "The real cube root of x",
  js: Math.cbrt,
  partial: (b, _, y) => b.div(1, b.mul(b.mul(y, y), 3)),
  at: everywhere,
  costly: true,
});

export const exp = float({
  name: "exp",
  summary: "e to the power x",
  js: Math.exp,
  partial: (_b, _x, y) => y,
  at: everywhere,
  costly: true,
});

export const expm1 = float({
  name: "expm1",
  summary: "e^x - 1, accurate near 0",
  js: Math.expm1,
  partial: (b, _, y) => b.add(y, 1),
  at: everywhere,
  costly: true,
});

export const log = float({
  name: "log",
  summary: "The natural logarithm of x",
  js: Math.log,
  partial: (b, x) => b.div(1, x),
  at: positive,
  costly: true,
});

export const log1p = float({
  name: "log1p",
  summary: "log(1 + x), accurate near 0",
  js: Math.log1p,
  partial: (b, x) => b.div(1, b.add(x, 1)),
  at: [-0.9, -0.1, 0.3, 4],
  costly: true,
});

export const log2 = float({
  name: "log2",
  summary: "The logarithm of x to base 2",
  js: Math.log2,
  partial: (b, x) => b.div(Math.LOG2E, x),
  at: positive,
  costly: true,
});

export const log10 = float({
  name: "log10",
  summary: "The logarithm of x to base 10",
  js: Math.log10,
  partial: (b, x) => b.div(Math.LOG10E, x),
  at: positive,
  costly: true,
});

export const sin = float({
  name: "sin",
  summary: "The sine of x radians",
  js: Math.sin,
  partial: (b, x) => b.unary("cos", x),
  at: everywhere,
  costly: true,
});

export const cos = float({
  name: "cos",
  summary: "The cosine of x radians",
  js: Math.cos,
  partial: (b, x) => b.neg(b.unary("sin", x)),
  at: everywhere,
  costly: true,
});

export const tan = float({
  name: "tan",
  summary: "The tangent of x radians",
  js: Math.tan,
  partial: (b, _, y) => b.add(b.mul(y, y), 1),
  at: everywhere,
  costly: true,
});

export const asin = float({
  name: "asin",
  summary: "The angle in [-π/2, π/2] whose sine is x",
  js: Math.asin,
  partial: (b, x) => b.unary("rsqrt", oneMinusSquare(b, x)),
  at: inside,
  costly: true,
});

export const acos = float({
  name: "acos",
  summary: "The angle in [0, π] whose cosine is x",
  js: Math.acos,
  partial: (b, x) => b.neg(b.unary("rsqrt", oneMinusSquare(b, x))),
  at: inside,
  costly: true,
});

export const atan = float({
  name: "atan",
  summary: "The angle in [-π/2, π/2] whose tangent is x",
  js: Math.atan,
  partial: (b, x) => b.div(1, b.add(b.mul(x, x), 1)),
  at: everywhere,
  costly: true,
});

export const sinh = float({
  name: "sinh",
  summary: "The hyperbolic sine of x",
  js: Math.sinh,
  partial: (b, x) => b.unary("cosh", x),
  at: everywhere,
  costly: true,
});

export const cosh = float({
  name: "cosh",
  summary: "The hyperbolic cosine of x",
  js: Math.cosh,
  partial: (b, x) => b.unary("sinh", x),
  at: everywhere,
  costly: true,
});

export const tanh = float({
  name: "tanh",
  summary: "The hyperbolic tangent of x",
  js: Math.tanh,
  partial: (b, _, y) => b.sub(1, b.mul(y, y)),
  at: everywhere,
  costly: true,
});

export const asinh = float({
  name: "asinh",
  summary: "The number whose hyperbolic sine is x",
  js: Math.asinh,
  // 1/√(1 + x²); `hypot` does not overflow.
  partial: (b, x) => b.div(1, b.binary("hypot", x, 1)),
  at: everywhere,
  costly: true,
});

export const acosh = float({
  name: "acosh",
  summary: "The number that is not negative and whose hyperbolic cosine is x",
  js: Math.acosh,
  // 1/√((x - 1)(x + 1)) as a product, so that x² does not overflow.
  partial: (b, x) => b.mul(b.unary("rsqrt", b.sub(x, 1)), b.unary("rsqrt", b.add(x, 1))),
  at: [1.1, 1.5, 2, 40],
  costly: true,
});

export const atanh = float({
  name: "atanh",
  summary: "The number whose hyperbolic tangent is x",
  js: Math.atanh,
  partial: (b, x) => b.div(1, oneMinusSquare(b, x)),
  at: inside,
  costly: true,
});

export const erf = float({
  name: "erf",
  summary: "The error function, 2/√π ∫₀ˣ e^(-t²) dt",
  js: erfOf,
  partial: (b, x) => b.mul(b.unary("exp", b.neg(b.mul(x, x))), 2 / Math.sqrt(Math.PI)),
  at: everywhere,
  costly: true,
});

export const is_nan = defineOp({
  name: "is_nan",
  summary: "True where x is not a number",
  laws: { elementwise: true },
  type: (inputs) => {
    const x = one(inputs);
    expectDtype(x, floats);
    return [like(x, "bool")];
  },
  reference: elementwise((_, x) => Number(Number.isNaN(x))),
  derivative: { kind: "zero" },
  batch: "elementwise",
  lower: { kind: "elementwise" },
  samples: [
    { inputs: [f64(special)] },
    { inputs: [f32([NaN, 0, Infinity])] },
    { inputs: [f16([NaN, 0, -Infinity])] },
    { inputs: [f64([])] },
  ],
});

export const not = defineOp({
  name: "not",
  summary: "The opposite of a boolean",
  laws: { elementwise: true },
  type: (inputs) => {
    const x = one(inputs);
    expectDtype(x, boolean);
    return [x];
  },
  reference: elementwise((_, x) => 1 - x),
  derivative: { kind: "zero" },
  batch: "elementwise",
  lower: { kind: "elementwise" },
  samples: [{ inputs: [bool([0, 1])] }, { inputs: [bool([1], [])] }, { inputs: [bool([])] }],
});

export const bit_not = defineOp({
  name: "bit_not",
  summary: "Every bit of an integer flipped",
  laws: { elementwise: true },
  type: (inputs) => {
    const x = one(inputs);
    expectDtype(x, integral);
    return [x];
  },
  reference: elementwise((_, x) => ~x),
  derivative: { kind: "zero" },
  batch: "elementwise",
  lower: { kind: "elementwise" },
  samples: [
    { inputs: [i32([0, -1, 5, 2147483647, -2147483648])] },
    { inputs: [u32([0, 1, 4294967295])] },
    { inputs: [i32([3], [])] },
  ],
});

function float(definition: Definition): Op {
  const { name, summary, js, partial, at, costly } = definition;
  return {
    name,
    summary,
    laws: costly ? { elementwise: true, costly } : { elementwise: true },
    type: (inputs) => {
      const x = one(inputs);
      expectDtype(x, floats);
      return [x];
    },
    reference: elementwise((_, x) => js(x)),
    derivative: derivativeOf(partial),
    batch: "elementwise",
    lower: { kind: "elementwise" },
    samples: floatSamples(at),
  };
}

function derivativeOf(partial: Partial | undefined): Derivative {
  if (partial === undefined) return { kind: "zero" };
  return {
    kind: "partials",
    partials: [
      ({ builder, inputs, outputs }) => partial(builder, inputs[0] as Value, outputs[0] as Value),
    ],
  };
}

function signedOp(name: string, summary: string, js: (x: number) => number, partial?: Partial): Op {
  return {
    ...float({ name, summary, js, ...(partial ? { partial } : {}), at: everywhere }),
    type: (inputs) => {
      const x = one(inputs);
      expectDtype(x, signed);
      return [x];
    },
    samples: [...floatSamples(everywhere), { inputs: [i32([0, 7, -7, 2147483647, -2147483648])] }],
  };
}

function step(name: string, summary: string, js: (x: number) => number): Op {
  return float({ name, summary, js, at: [-2.7, -1.2, -0.3, 0.4, 1.6] });
}

function floatSamples(at: readonly number[]): readonly Sample[] {
  return [
    { inputs: [f64(at)] },
    { inputs: [f64([at[1] as number], [])] },
    { inputs: [f64([at[0] as number], [1, 1])] },
    { inputs: [f64([], [0, 3])] },
    { inputs: [f32(at)], differentiate: [], note: "single precision" },
    { inputs: [f16(at)], differentiate: [], note: "half precision" },
    { inputs: [f64(special)], differentiate: [], note: "special values" },
  ];
}

/** 1 - x² as (1 - x)(1 + x), which keeps its digits near ±1. */
function oneMinusSquare(b: GraphBuilder, x: Value): Value {
  return b.mul(b.sub(1, x), b.add(x, 1));
}
