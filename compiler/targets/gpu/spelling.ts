/** Elementwise ops as text of shaders, by name. Booleans are 0 or 1 in i32; unsigned words are i32 too. */

import { type DType, isFloat } from "../../ir/types.ts";
import type { Dialect, ShaderType } from "./shaderText.ts";

export interface Spelled {
  readonly text: string;
  /** A helper that the text calls. */
  readonly uses?: string;
}

type Spelling = (dtype: DType, operands: readonly string[], dialect: Dialect) => Spelled;

function infix(operator: string): Spelling {
  return (_, [x, y]) => ({ text: `(${x} ${operator} ${y})` });
}

function prefix(operator: string): Spelling {
  return (_, [x]) => ({ text: `(${operator}${x})` });
}

function builtin(name: string): Spelling {
  return (_, operands) => ({ text: `${name}(${operands.join(", ")})` });
}

function helper(name: string): Spelling {
  return (_, operands) => ({ text: `${name}(${operands.join(", ")})`, uses: name });
}

function ofIntegers(unsigned: Spelling, signed: Spelling): Spelling {
  return (dtype, operands, dialect) =>
    (dtype === "u32" ? unsigned : signed)(dtype, operands, dialect);
}

/** A number that is known, as text has it. */
function known(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

/**
 * Quotients and remainders of what is not negative. Devices take long to divide, and programs of
 * WGSL also look whether they can; by a power of two nothing has to be divided.
 */
function ofIndices(operator: string, byPower: (x: string, bits: number) => string): Spelling {
  return (_, [x = "", y = ""]) => {
    const divisor = known(y);
    if (divisor === undefined) return { text: `i32(u32(${x}) ${operator} u32(${y}))` };
    const bits = Math.log2(divisor);
    return { text: Number.isInteger(bits) ? byPower(x, bits) : `(${x} ${operator} ${divisor})` };
  };
}

/** How far words are shifted: JavaScript takes the last five bits. */
function shifted(by: string): string {
  const bits = known(by);
  return bits === undefined ? `(u32(${by}) & 31u)` : `${bits & 31}u`;
}

/** Those that `gpu/elementary.ts` has are spelled as its functions where operands are floats. */
export const spellings: Readonly<Record<string, Spelling>> = {
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: (dtype, operands, dialect) =>
    (isFloat(dtype) ? infix("/") : ofIntegers(helper("div_u32"), helper("div_i32")))(
      dtype,
      operands,
      dialect,
    ),
  rem: ofIntegers(helper("rem_u32"), helper("rem_i32")),
  index_div: ofIndices("/", (x, bits) => `(${x} >> ${bits}u)`),
  index_rem: ofIndices("%", (x, bits) => `(${x} & ${2 ** bits - 1})`),
  neg: prefix("-"),
  abs: builtin("abs"),
  sign: builtin("sign"),
  max: ofIntegers(helper("max_u32"), builtin("max")),
  min: ofIntegers(helper("min_u32"), builtin("min")),
  floor: builtin("floor"),
  ceil: builtin("ceil"),
  trunc: builtin("trunc"),
  sqrt: builtin("sqrt"),
  rsqrt: (_, [x]) => ({ text: `(1.0 / sqrt(${x}))` }),

  bit_and: infix("&"),
  bit_or: infix("|"),
  bit_xor: infix("^"),
  bit_not: prefix("~"),
  shift_left: (_, [x, y = ""]) => ({ text: `(${x} << ${shifted(y)})` }),
  shift_right: (dtype, [x, y = ""]) => ({
    text: dtype === "u32" ? `i32(u32(${x}) >> ${shifted(y)})` : `(${x} >> ${shifted(y)})`,
  }),
  and: infix("&"),
  or: infix("|"),
  xor: infix("^"),
  not: (_, [x]) => ({ text: `(1 - ${x})` }),

  bits_of: (_, [x], { bits }) => ({ text: bits("i32", x as string) }),
  of_bits: (_, [x]) => ({ text: `of_bits(u32(${x}))`, uses: "of_bits" }),

  to_int32: helper("to_int32"),
  to_uint32: helper("to_int32"),
};

const comparisons: Readonly<Record<string, string>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};

/** A comparison, of type bool; undefined for other ops. */
export function comparisonText(
  op: string,
  dtype: DType,
  operands: () => readonly string[],
): string | undefined {
  if (op === "is_nan") return `is_nan(${operands().join("")})`;
  const operator = Object.hasOwn(comparisons, op) ? comparisons[op] : undefined;
  if (operator === undefined) return undefined;
  const [x, y] = operands();
  // Tint spells `!=` so that it is false of NaN.
  if (op === "ne" && isFloat(dtype)) return `(!(${x} == ${y}))`;
  return dtype === "u32" ? `(u32(${x}) ${operator} u32(${y}))` : `(${x} ${operator} ${y})`;
}

export function castText(from: DType, to: DType, value: string): Spelled {
  if (from === to) return { text: value };
  if (isFloat(to)) {
    if (isFloat(from)) {
      return to === "f16" ? { text: `round_half(${value})`, uses: "round_half" } : { text: value };
    }
    const number = from === "u32" ? `f32(u32(${value}))` : `f32(${value})`;
    return to === "f16" ? { text: `round_half(${number})`, uses: "round_half" } : { text: number };
  }
  if (isFloat(from)) {
    if (to === "bool") return { text: `select(1, 0, ${value} == 0.0)` };
    return { text: `saturate_${to}(${value})`, uses: `saturate_${to}` };
  }
  if (to === "bool") return { text: `select(0, 1, ${value} != 0)` };
  return { text: to === "u8" ? `(${value} & 255)` : value };
}

type Helper = (dialect: Dialect) => string;

/** A function, from the lines of its body. */
function define(
  name: string,
  parameters: readonly (readonly [name: string, type: ShaderType])[],
  result: string,
  body: (dialect: Dialect) => readonly string[],
): Helper {
  return (dialect) => {
    const lines = body(dialect).map((line) => `  ${line}`);
    return [`${dialect.head(name, parameters, result)} {`, ...lines, "}"].join("\n");
  };
}

function ofNumber(name: string, type: ShaderType, result: string, body: Body): Helper {
  return define(name, [["x", type]], result, body);
}

function ofTwo(name: string, body: Body): Helper {
  return define(
    name,
    [
      ["x", "i32"],
      ["y", "i32"],
    ],
    "i32",
    body,
  );
}

type Body = (dialect: Dialect) => readonly string[];

function isNan({ bits }: Dialect): string {
  return `(${bits("u32", "x")} & 0x7fffffffu) > 0x7f800000u`;
}

/** The functions that spellings call. */
export const helpers: Readonly<Record<string, Helper>> = {
  hidden_f32: ofNumber("hidden_f32", "f32", "f32", () => ["return x;"]),
  hidden_i32: ofNumber("hidden_i32", "i32", "i32", () => ["return x;"]),
  of_bits: ofNumber("of_bits", "u32", "f32", ({ bits }) => [`return ${bits("f32", "x")};`]),
  is_nan: ofNumber("is_nan", "f32", "bool", (dialect) => [`return ${isNan(dialect)};`]),
  div_i32: ofTwo("div_i32", () => [
    "if (y == 0) { return 0; }",
    "if (y == -1) { return -x; }",
    "return x / y;",
  ]),
  // GLSL has no remainder of numbers below zero.
  rem_i32: ofTwo("rem_i32", () => [
    "if (y == 0 || y == -1) { return 0; }",
    "return x - y * (x / y);",
  ]),
  div_u32: ofTwo("div_u32", () => ["if (y == 0) { return 0; }", "return i32(u32(x) / u32(y));"]),
  rem_u32: ofTwo("rem_u32", () => ["if (y == 0) { return 0; }", "return i32(u32(x) % u32(y));"]),
  max_u32: ofTwo("max_u32", () => ["return i32(max(u32(x), u32(y)));"]),
  min_u32: ofTwo("min_u32", () => ["return i32(min(u32(x), u32(y)));"]),
  saturate_i32: ofNumber("saturate_i32", "f32", "i32", (dialect) => [
    `if (${isNan(dialect)}) { return 0; }`,
    "if (x >= 2147483648.0) { return 2147483647; }",
    "if (x <= -2147483648.0) { return i32(0x80000000u); }",
    "return i32(x);",
  ]),
  saturate_u32: ofNumber("saturate_u32", "f32", "i32", (dialect) => [
    `if (${isNan(dialect)} || x <= 0.0) { return 0; }`,
    "if (x >= 4294967296.0) { return -1; }",
    "return i32(u32(x));",
  ]),
  saturate_u8: ofNumber("saturate_u8", "f32", "i32", (dialect) => [
    `if (${isNan(dialect)} || x <= 0.0) { return 0; }`,
    "if (x >= 255.0) { return 255; }",
    "return i32(x);",
  ]),
  // ToInt32 of ECMAScript: the integer part modulo 2^32.
  to_int32: ofNumber("to_int32", "f32", "i32", ({ constant, variable, bits }) => [
    constant("u32", "all", bits("u32", "x")),
    constant("i32", "exponent", "i32((all >> 23u) & 255u) - 150"),
    constant("u32", "digits", "(all & 0x7fffffu) | 0x800000u"),
    variable("u32", "whole", "0u"),
    "if (exponent >= 32 || exponent <= -24) { return 0; }",
    "if (exponent >= 0) { whole = digits << u32(exponent); }",
    "else { whole = digits >> u32(-exponent); }",
    "return select(i32(whole), -i32(whole), (all >> 31u) != 0u);",
  ]),
  // To the nearest number of 11 bits, ties to even; beyond 65520 infinite.
  round_half: ofNumber("round_half", "f32", "f32", ({ constant, bits }) => [
    constant("u32", "all", bits("u32", "x")),
    constant("u32", "magnitude", "all & 0x7fffffffu"),
    constant("u32", "top", "all & 0x80000000u"),
    "if (magnitude > 0x7f800000u) { return x; }",
    `if (magnitude >= 0x477ff000u) { return ${bits("f32", "top | 0x7f800000u")}; }`,
    "if (magnitude >= 0x38800000u) {",
    `  ${constant("u32", "odd", "(magnitude >> 13u) & 1u")}`,
    `  ${constant("u32", "rounded", "(magnitude + 0xfffu + odd) & 0xffffe000u")}`,
    `  return ${bits("f32", "top | rounded")};`,
    "}",
    "// Multiples of 2^-24",
    constant("f32", "scaled", `${bits("f32", "magnitude")} * 16777216.0`),
    constant("f32", "low", "floor(scaled)"),
    constant("f32", "rest", "scaled - low"),
    constant("bool", "up", "rest > 0.5 || (rest == 0.5 && (u32(low) & 1u) == 1u)"),
    constant("f32", "near", "select(low, low + 1.0, up) * 5.9604644775390625e-8"),
    `return ${bits("f32", `${bits("u32", "near")} | top`)};`,
  ]),
};
