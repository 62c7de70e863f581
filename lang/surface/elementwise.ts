/** Elementwise functions of tensors, with NumPy's broadcasting. */

import { isFloat, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import {
  alignPair,
  asFloat,
  broadcastShapes,
  dtypeAt,
  isValue,
  matchDtypes,
  type ScalarFunction,
  stretch,
  SurfaceFault,
  type SurfaceFunction,
  tensorAt,
} from "./support.ts";

/** A primitive of one operand; integers are converted where the primitive is for floats. */
function unary(name: string, op = name, keepsIntegers = false): SurfaceFunction {
  return (builder, args) => {
    const x = tensorAt(builder, name, args, 0);
    return builder.unary(op, keepsIntegers ? x : asFloat(builder, x));
  };
}

function binary(name: string, op = name): SurfaceFunction {
  return (builder, args) => {
    const [x, y] = alignPair(builder, name, args);
    return builder.one(op, [x, y]);
  };
}

/** A function written with the builder. */
function formula(
  name: string,
  compute: (builder: GraphBuilder, x: Value) => Value,
): SurfaceFunction {
  return (builder, args) => compute(builder, asFloat(builder, tensorAt(builder, name, args, 0)));
}

const where: SurfaceFunction = (builder, args) => {
  const condition = tensorAt(builder, "where", args, 0, "bool");
  if (condition.type.dtype !== "bool") {
    throw new SurfaceFault(
      `\`where\` needs a tensor of bool first, and got ${condition.type.dtype}`,
      [0],
      "compare first, as in `where(x.greater(0), a, b)`",
    );
  }
  const like = [args[1], args[2]].find((a) => a !== undefined && isValue(a)) as Value | undefined;
  const x = tensorAt(builder, "where", args, 1, like?.type.dtype);
  const y = tensorAt(builder, "where", args, 2, like?.type.dtype);
  const [left, right] = matchDtypes(builder, "where", x, y);
  const branches = broadcastShapes("where", left.type.shape, right.type.shape);
  const shape = broadcastShapes("where", condition.type.shape, branches);
  return builder.one("select", [
    stretch(builder, condition, shape),
    stretch(builder, left, shape),
    stretch(builder, right, shape),
  ]);
};

/** `map((x, y) => …, a, b)`: a scalar function at each index. */
const map: SurfaceFunction = (builder, args) => {
  const [body] = args;
  if (typeof body !== "function") {
    throw new SurfaceFault("`map` needs a function of numbers as its 1st argument", [0]);
  }
  const tensors = args.slice(1).map((_, k) => tensorAt(builder, "map", args, k + 1));
  if (tensors.length === 0) throw new SurfaceFault("`map` needs at least one tensor");
  const shape = tensors
    .map((tensor) => tensor.type.shape)
    .reduce((x, y) => broadcastShapes("map", x, y));
  const whole = tensors.map((tensor) => stretch(builder, tensor, shape));
  const types = tensors.map((tensor) => ({ ...tensor.type, shape: [] }));
  const block = builder.block(types, (inner, scalars) => {
    const result = (body as ScalarFunction)(inner, scalars);
    const floats = tensors.filter((tensor) => isFloat(tensor.type.dtype));
    const dtype = floats[0]?.type.dtype;
    // A number computed from no element has no dtype of its own: it takes that of the tensors.
    return [result.type.dtype === "f64" && dtype ? inner.cast(result, dtype) : result];
  });
  return builder.map(shape, whole, block)[0] as Value;
};

export const elementwise: Readonly<Record<string, SurfaceFunction>> = {
  neg: unary("neg", "neg", true),
  abs: unary("abs", "abs", true),
  sign: unary("sign", "sign", true),
  floor: unary("floor"),
  ceil: unary("ceil"),
  round: unary("round"),
  trunc: unary("trunc"),
  sqrt: unary("sqrt"),
  rsqrt: unary("rsqrt"),
  cbrt: unary("cbrt"),
  exp: unary("exp"),
  expm1: unary("expm1"),
  log: unary("log"),
  log1p: unary("log1p"),
  log2: unary("log2"),
  log10: unary("log10"),
  sin: unary("sin"),
  cos: unary("cos"),
  tan: unary("tan"),
  asin: unary("asin"),
  acos: unary("acos"),
  atan: unary("atan"),
  sinh: unary("sinh"),
  cosh: unary("cosh"),
  tanh: unary("tanh"),
  asinh: unary("asinh"),
  acosh: unary("acosh"),
  atanh: unary("atanh"),
  erf: unary("erf"),
  isNaN: unary("isNaN", "is_nan"),
  logicalNot: unary("logicalNot", "not", true),
  stopGradient: unary("stopGradient", "stop_gradient", true),

  add: binary("add"),
  sub: binary("sub"),
  mul: binary("mul"),
  div: binary("div"),
  rem: binary("rem"),
  pow: binary("pow"),
  atan2: binary("atan2"),
  hypot: binary("hypot"),
  maximum: binary("maximum", "max"),
  minimum: binary("minimum", "min"),
  logicalAnd: binary("logicalAnd", "and"),
  logicalOr: binary("logicalOr", "or"),
  logicalXor: binary("logicalXor", "xor"),
  equal: binary("equal", "eq"),
  notEqual: binary("notEqual", "ne"),
  less: binary("less", "lt"),
  lessEqual: binary("lessEqual", "le"),
  greater: binary("greater", "gt"),
  greaterEqual: binary("greaterEqual", "ge"),
  bitwiseAnd: binary("bitwiseAnd", "bit_and"),
  bitwiseOr: binary("bitwiseOr", "bit_or"),
  bitwiseXor: binary("bitwiseXor", "bit_xor"),
  leftShift: binary("leftShift", "shift_left"),
  rightShift: binary("rightShift", "shift_right"),
  where,
  map,

  square: formula("square", (b, x) => b.mul(x, x)),
  reciprocal: formula("reciprocal", (b, x) => b.div(1, x)),
  /** max(x, 0), with derivative 0 at 0. */
  relu: formula("relu", (b, x) => b.binary("max", 0, x)),
  /** 1 / (1 + e^-x) = (1 + tanh(x/2)) / 2, which overflows nowhere. */
  sigmoid: formula("sigmoid", (b, x) => b.add(b.mul(b.unary("tanh", b.mul(x, 0.5)), 0.5), 0.5)),

  clip: (builder, args) => {
    const x = tensorAt(builder, "clip", args, 0);
    const low = builder.one("max", [...alignPair(builder, "clip", [x, args[1]])]);
    return builder.one("min", [...alignPair(builder, "clip", [low, args[2]])]);
  },

  cast: (builder, args) => {
    const x = tensorAt(builder, "cast", args, 0);
    return builder.cast(x, dtypeAt("cast", args[1], x.type.dtype));
  },
};
