/** Elementwise ops as JavaScript text, by name. Integers are int32 numbers, booleans 0 or 1. */

import { type DType, isFloat } from "../../ir/types.ts";

export type Spelling = (dtype: DType, operands: readonly string[]) => string;

function single(dtype: DType, text: string): string {
  if (dtype === "f16") return `math.round_half(${text})`;
  return dtype === "f32" ? `Math.fround(${text})` : text;
}

function infix(operator: string): Spelling {
  return (dtype, [x, y]) =>
    isFloat(dtype) ? single(dtype, `${x} ${operator} ${y}`) : `(${x} ${operator} ${y} | 0)`;
}

function math(name: string): Spelling {
  return (dtype, operands) => single(dtype, `Math.${name}(${operands.join(", ")})`);
}

/** A function that the runtime provides. */
function own(name: string): Spelling {
  return (dtype, operands) => single(dtype, `math.${name}(${operands.join(", ")})`);
}

/** Operands as they compare: unsigned words are kept as signed ones. */
function compared(dtype: DType, operand: string): string {
  return dtype === "u32" ? `(${operand} >>> 0)` : operand;
}

function comparison(operator: string): Spelling {
  return (dtype, [x, y]) =>
    `(${compared(dtype, x as string)} ${operator} ${compared(dtype, y as string)} ? 1 : 0)`;
}

function extreme(name: "max" | "min"): Spelling {
  return (dtype, operands) => {
    if (dtype === "u32") {
      return `(Math.${name}(${operands.map((operand) => `${operand} >>> 0`).join(", ")}) | 0)`;
    }
    return `Math.${name}(${operands.join(", ")})`;
  };
}

function bitwise(operator: string): Spelling {
  return (_, [x, y]) => `(${x} ${operator} ${y})`;
}

export const spellings: Readonly<Record<string, Spelling>> = {
  // Arithmetic
  add: infix("+"),
  sub: infix("-"),
  mul: (dtype, [x, y]) => (isFloat(dtype) ? single(dtype, `${x} * ${y}`) : `Math.imul(${x}, ${y})`),
  div: (dtype, [x, y]) => {
    if (isFloat(dtype)) return single(dtype, `${x} / ${y}`);
    // x / 0 | 0 is 0, as it must be.
    return dtype === "u32" ? `((${x} >>> 0) / (${y} >>> 0) | 0)` : `(${x} / ${y} | 0)`;
  },
  rem: (dtype, [x, y]) => {
    if (isFloat(dtype)) return single(dtype, `${x} % ${y}`);
    return dtype === "u32" ? `((${x} >>> 0) % (${y} >>> 0) | 0)` : `(${x} % ${y} | 0)`;
  },
  index_div: (_, [x, y]) => `(${x} / ${y} | 0)`,
  index_rem: (_, [x, y]) => `(${x} % ${y})`,
  neg: (dtype, [x]) => (isFloat(dtype) ? `-${x}` : `(-${x} | 0)`),
  abs: (dtype, [x]) => (isFloat(dtype) ? `Math.abs(${x})` : `(Math.abs(${x}) | 0)`),
  sign: (_, [x]) => `Math.sign(${x})`,
  max: extreme("max"),
  min: extreme("min"),
  floor: math("floor"),
  ceil: math("ceil"),
  trunc: math("trunc"),
  round: math("round"),
  sqrt: math("sqrt"),
  rsqrt: (dtype, [x]) => single(dtype, `1 / Math.sqrt(${x})`),

  // Functions
  cbrt: math("cbrt"),
  exp: math("exp"),
  expm1: math("expm1"),
  log: math("log"),
  log1p: math("log1p"),
  log2: math("log2"),
  log10: math("log10"),
  sin: math("sin"),
  cos: math("cos"),
  tan: math("tan"),
  asin: math("asin"),
  acos: math("acos"),
  atan: math("atan"),
  sinh: math("sinh"),
  cosh: math("cosh"),
  tanh: math("tanh"),
  asinh: math("asinh"),
  acosh: math("acosh"),
  atanh: math("atanh"),
  erf: own("erf"),
  pow: (dtype, [x, y]) => single(dtype, `Math.pow(${x}, ${y})`),
  atan2: math("atan2"),
  hypot: math("hypot"),

  // Comparisons
  eq: comparison("==="),
  ne: comparison("!=="),
  lt: comparison("<"),
  le: comparison("<="),
  gt: comparison(">"),
  ge: comparison(">="),
  is_nan: (_, [x]) => `(Number.isNaN(${x}) ? 1 : 0)`,

  // Bits and booleans
  bit_and: bitwise("&"),
  bit_or: bitwise("|"),
  bit_xor: bitwise("^"),
  bit_not: (_, [x]) => `~${x}`,
  shift_left: bitwise("<<"),
  shift_right: (dtype, [x, y]) => (dtype === "u32" ? `(${x} >>> ${y} | 0)` : `(${x} >> ${y})`),
  and: bitwise("&"),
  or: bitwise("|"),
  xor: bitwise("^"),
  not: (_, [x]) => `(1 - ${x})`,

  // Choices and conversions
  select: (_, [condition, x, y]) => `(${condition} ? ${x} : ${y})`,
  to_int32: (_, [x]) => `(${x} | 0)`,
  to_uint32: (_, [x]) => `(${x} | 0)`,
};

const fromFloat: Readonly<Record<string, (value: string) => string>> = {
  i32: (x) => `math.saturate_i32(${x})`,
  u32: (x) => `math.saturate_u32(${x})`,
  u8: (x) => `math.saturate_u8(${x})`,
  bool: (x) => `(${x} !== 0 ? 1 : 0)`,
};

const fromInteger: Readonly<Record<string, (value: string) => string>> = {
  i32: (x) => x,
  u32: (x) => x,
  u8: (x) => `(${x} & 255)`,
  bool: (x) => `(${x} !== 0 ? 1 : 0)`,
};

export function spellCast(from: DType, to: DType, value: string): string {
  if (from === to) return value;
  if (isFloat(to)) {
    const number = from === "u32" ? `(${value} >>> 0)` : value;
    const fits = from === "f16" || (from === "f32" && to === "f64");
    return fits ? number : single(to, number);
  }
  const spelling = (isFloat(from) ? fromFloat : fromInteger)[to];
  if (spelling === undefined) throw new Error(`js cannot cast ${from} to ${to}`);
  return spelling(value);
}
