/** Elementwise ops as WGSL text, by name. Booleans are 0 or 1 in i32; unsigned words are i32 too. */

import { type DType, isFloat } from "../../ir/types.ts";

export interface Spelled {
  readonly text: string;
  /** A helper that the text calls. */
  readonly uses?: string;
}

type Spelling = (dtype: DType, operands: readonly string[]) => Spelled;

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
  return (dtype, operands) => (dtype === "u32" ? unsigned : signed)(dtype, operands);
}

/** Those that `gpu/elementary.ts` has are spelled as its functions where operands are floats. */
export const spellings: Readonly<Record<string, Spelling>> = {
  add: infix("+"),
  sub: infix("-"),
  mul: infix("*"),
  div: (dtype, operands) =>
    (isFloat(dtype) ? infix("/") : ofIntegers(helper("div_u32"), helper("div_i32")))(
      dtype,
      operands,
    ),
  rem: ofIntegers(helper("rem_u32"), helper("rem_i32")),
  index_div: infix("/"),
  index_rem: infix("%"),
  neg: prefix("-"),
  abs: builtin("abs"),
  sign: builtin("sign"),
  max: ofIntegers(helper("max_u32"), builtin("max")),
  min: ofIntegers(helper("min_u32"), builtin("min")),
  floor: builtin("floor"),
  ceil: builtin("ceil"),
  trunc: builtin("trunc"),
  sqrt: builtin("sqrt"),
  rsqrt: (_, [x]) => ({ text: `(1f / sqrt(${x}))` }),

  bit_and: infix("&"),
  bit_or: infix("|"),
  bit_xor: infix("^"),
  bit_not: prefix("~"),
  shift_left: (_, [x, y]) => ({ text: `(${x} << (u32(${y}) & 31u))` }),
  shift_right: (dtype, [x, y]) => ({
    text: dtype === "u32" ? `i32(u32(${x}) >> (u32(${y}) & 31u))` : `(${x} >> (u32(${y}) & 31u))`,
  }),
  and: infix("&"),
  or: infix("|"),
  xor: infix("^"),
  not: (_, [x]) => ({ text: `(1 - ${x})` }),

  bits_of: (_, [x]) => ({ text: `bitcast<i32>(${x})` }),
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
    if (to === "bool") return { text: `select(1, 0, ${value} == 0f)` };
    return { text: `saturate_${to}(${value})`, uses: `saturate_${to}` };
  }
  if (to === "bool") return { text: `select(0, 1, ${value} != 0)` };
  return { text: to === "u8" ? `(${value} & 255)` : value };
}

export const helpers: Readonly<Record<string, string>> = {
  hidden_f32: "fn hidden_f32(x: f32) -> f32 { return x; }",
  hidden_i32: "fn hidden_i32(x: i32) -> i32 { return x; }",
  of_bits: "fn of_bits(x: u32) -> f32 { return bitcast<f32>(x); }",
  is_nan: "fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }",
  div_i32: `\
fn div_i32(x: i32, y: i32) -> i32 {
  if (y == 0) { return 0; }
  if (y == -1) { return -x; }
  return x / y;
}`,
  rem_i32: `\
fn rem_i32(x: i32, y: i32) -> i32 {
  if (y == 0 || y == -1) { return 0; }
  return x % y;
}`,
  div_u32: `\
fn div_u32(x: i32, y: i32) -> i32 {
  if (y == 0) { return 0; }
  return i32(u32(x) / u32(y));
}`,
  rem_u32: `\
fn rem_u32(x: i32, y: i32) -> i32 {
  if (y == 0) { return 0; }
  return i32(u32(x) % u32(y));
}`,
  max_u32: "fn max_u32(x: i32, y: i32) -> i32 { return i32(max(u32(x), u32(y))); }",
  min_u32: "fn min_u32(x: i32, y: i32) -> i32 { return i32(min(u32(x), u32(y))); }",
  saturate_i32: `\
fn saturate_i32(x: f32) -> i32 {
  if ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u) { return 0; }
  if (x >= 2147483648f) { return 2147483647; }
  if (x <= -2147483648f) { return i32(-2147483648); }
  return i32(x);
}`,
  saturate_u32: `\
fn saturate_u32(x: f32) -> i32 {
  if ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u || x <= 0f) { return 0; }
  if (x >= 4294967296f) { return -1; }
  return i32(u32(x));
}`,
  saturate_u8: `\
fn saturate_u8(x: f32) -> i32 {
  if ((bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u || x <= 0f) { return 0; }
  if (x >= 255f) { return 255; }
  return i32(x);
}`,
  // ToInt32 of ECMAScript: the integer part modulo 2^32.
  to_int32: `\
fn to_int32(x: f32) -> i32 {
  let bits = bitcast<u32>(x);
  let exponent = i32((bits >> 23u) & 255u) - 150;
  let digits = (bits & 0x7fffffu) | 0x800000u;
  var whole = 0u;
  if (exponent >= 32 || exponent <= -24) { return 0; }
  if (exponent >= 0) { whole = digits << u32(exponent); }
  else { whole = digits >> u32(-exponent); }
  return select(i32(whole), -i32(whole), (bits >> 31u) != 0u);
}`,
  // To the nearest number of 11 bits, ties to even; beyond 65520 infinite.
  round_half: `\
fn round_half(x: f32) -> f32 {
  let bits = bitcast<u32>(x);
  let magnitude = bits & 0x7fffffffu;
  let sign = bits & 0x80000000u;
  if (magnitude > 0x7f800000u) { return x; }
  if (magnitude >= 0x477ff000u) { return bitcast<f32>(sign | 0x7f800000u); }
  if (magnitude >= 0x38800000u) {
    let odd = (magnitude >> 13u) & 1u;
    let rounded = (magnitude + 0xfffu + odd) & 0xffffe000u;
    return bitcast<f32>(sign | rounded);
  }
  // Multiples of 2^-24
  let scaled = bitcast<f32>(magnitude) * 16777216f;
  let low = floor(scaled);
  let rest = scaled - low;
  let up = rest > 0.5f || (rest == 0.5f && (u32(low) & 1u) == 1u);
  let whole = select(low, low + 1f, up) * 5.9604644775390625e-8f;
  return bitcast<f32>(bitcast<u32>(whole) | sign);
}`,
  copy_words: `\
fn copy_words(to: i32, start: i32, bytes: i32) {
  let count = u32(bytes) >> 2u;
  let a = u32(to) >> 2u;
  let b = u32(start) >> 2u;
  if (a <= b) {
    for (var k = 0u; k < count; k++) { memory[a + k] = memory[b + k]; }
  } else {
    for (var k = count; k > 0u; k--) { memory[a + k - 1u] = memory[b + k - 1u]; }
  }
}`,
  clear_words: `\
fn clear_words(to: i32, bytes: i32) {
  let count = u32(bytes) >> 2u;
  for (var k = 0u; k < count; k++) { memory[(u32(to) >> 2u) + k] = 0u; }
}`,
};
