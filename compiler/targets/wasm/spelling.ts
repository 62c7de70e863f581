/** Elementwise ops as WebAssembly text, by name: scalars, and lanes where there are any. */

import type { DType } from "../../ir/types.ts";
import type { Lanes } from "../../kernel/loop.ts";

/** The text of an op applied to the texts of its operands. `dtype` is that of the operands. */
export type Spelling = (dtype: DType, lanes: Lanes, operands: readonly string[]) => string;

/** `f32x4` and the like; masks of booleans are as wide as what they were compared from. */
export function laneShape(dtype: DType, lanes: Lanes): string {
  if (lanes === 1)
    return dtype === "f16" ? "f32" : dtype === "f64" || dtype === "f32" ? dtype : "i32";
  if (dtype === "f64") return "f64x2";
  if (dtype === "f32" || dtype === "f16") return "f32x4";
  return dtype === "bool" && lanes === 2 ? "i64x2" : "i32x4";
}

function isFloat(dtype: DType): boolean {
  return dtype === "f64" || dtype === "f32";
}

function call(name: string, operands: readonly string[]): string {
  return `(call $${name} ${operands.join(" ")})`;
}

/** One instruction of the same name for every type. */
function plain(name: string): Spelling {
  return (dtype, lanes, operands) => `(${laneShape(dtype, lanes)}.${name} ${operands.join(" ")})`;
}

/** An instruction for floats, a helper of our own for integers. */
function floatOrHelper(name: string, helper = name): Spelling {
  return (dtype, lanes, operands) => {
    if (isFloat(dtype)) return `(${laneShape(dtype, lanes)}.${name} ${operands.join(" ")})`;
    const signed = dtype === "i32" ? "s" : "u";
    if (lanes > 1) return `(i32x4.${name}_${signed} ${operands.join(" ")})`;
    return call(`${helper}_${dtype === "i32" ? "i32" : "u32"}`, operands);
  };
}

/** A function of `Math`, or of the runtime's own; singles go through doubles. */
function imported(name: string): Spelling {
  return (dtype, lanes, operands) => {
    if (lanes > 1) return call(`${name}_f32x4`, operands);
    if (dtype === "f64") return call(`math_${name}`, operands);
    const doubles = operands.map((operand) => `(f64.promote_f32 ${operand})`);
    return `(f32.demote_f64 ${call(`math_${name}`, doubles)})`;
  };
}

/** A function of doubles of our own, for one and for lanes; singles go through doubles. */
function elementary(name: string): Spelling {
  return (dtype, lanes, operands) => {
    if (lanes > 1) return call(`${name}_${laneShape(dtype, lanes)}`, operands);
    if (dtype === "f64") return call(`${name}_f64`, operands);
    const doubles = operands.map((operand) => `(f64.promote_f32 ${operand})`);
    return `(f32.demote_f64 ${call(`${name}_f64`, doubles)})`;
  };
}

/** A helper function for each type. */
function helper(name: string): Spelling {
  return (dtype, lanes, operands) =>
    call(`${name}_${lanes === 1 ? dtype : laneShape(dtype, lanes)}`, operands);
}

function comparison(float: string, signed: string, unsigned: string): Spelling {
  return (dtype, lanes, operands) => {
    const shape = laneShape(dtype, lanes);
    const name = isFloat(dtype) ? float : dtype === "i32" ? signed : unsigned;
    return `(${shape}.${name} ${operands.join(" ")})`;
  };
}

function bitwise(name: string): Spelling {
  return (_, lanes, operands) => `(${lanes === 1 ? "i32" : "v128"}.${name} ${operands.join(" ")})`;
}

function shift(signed: string, unsigned: string): Spelling {
  return (dtype, _, operands) =>
    `(i32.${dtype === "i32" ? signed : unsigned} ${operands.join(" ")})`;
}

export const spellings: Readonly<Record<string, Spelling>> = {
  // Arithmetic
  add: plain("add"),
  sub: plain("sub"),
  mul: plain("mul"),
  div: (dtype, lanes, operands) =>
    isFloat(dtype) ? plain("div")(dtype, lanes, operands) : helper("div")(dtype, lanes, operands),
  rem: (dtype, lanes, operands) =>
    isFloat(dtype)
      ? elementary("rem")(dtype, lanes, operands)
      : helper("rem")(dtype, lanes, operands),
  index_div: (_, __, operands) => `(i32.div_u ${operands.join(" ")})`,
  index_rem: (_, __, operands) => `(i32.rem_u ${operands.join(" ")})`,
  neg: (dtype, lanes, [x]) => {
    if (isFloat(dtype) || lanes > 1) return `(${laneShape(dtype, lanes)}.neg ${x})`;
    return `(i32.sub (i32.const 0) ${x})`;
  },
  abs: (dtype, lanes, operands) =>
    isFloat(dtype) || lanes > 1
      ? plain("abs")(dtype, lanes, operands)
      : helper("abs")(dtype, lanes, operands),
  sign: helper("sign"),
  max: floatOrHelper("max"),
  min: floatOrHelper("min"),
  floor: plain("floor"),
  ceil: plain("ceil"),
  trunc: plain("trunc"),
  round: helper("round"),
  sqrt: plain("sqrt"),
  rsqrt: (dtype, lanes, [x]) => {
    const shape = laneShape(dtype, lanes);
    const one = lanes === 1 ? `(${shape}.const 1)` : `(${shape}.splat (${dtype}.const 1))`;
    return `(${shape}.div ${one} (${shape}.sqrt ${x}))`;
  },

  // Functions
  cbrt: imported("cbrt"),
  exp: elementary("exp"),
  expm1: imported("expm1"),
  log: elementary("log"),
  log1p: imported("log1p"),
  log2: imported("log2"),
  log10: imported("log10"),
  sin: elementary("sin"),
  cos: elementary("cos"),
  tan: imported("tan"),
  asin: imported("asin"),
  acos: imported("acos"),
  atan: imported("atan"),
  sinh: imported("sinh"),
  cosh: imported("cosh"),
  tanh: elementary("tanh"),
  asinh: imported("asinh"),
  acosh: imported("acosh"),
  atanh: imported("atanh"),
  erf: imported("erf"),
  pow: elementary("pow"),
  atan2: imported("atan2"),
  hypot: imported("hypot"),

  // Comparisons
  eq: comparison("eq", "eq", "eq"),
  ne: comparison("ne", "ne", "ne"),
  lt: comparison("lt", "lt_s", "lt_u"),
  le: comparison("le", "le_s", "le_u"),
  gt: comparison("gt", "gt_s", "gt_u"),
  ge: comparison("ge", "ge_s", "ge_u"),
  is_nan: helper("is_nan"),

  // Bits and booleans
  bit_and: bitwise("and"),
  bit_or: bitwise("or"),
  bit_xor: bitwise("xor"),
  bit_not: (_, lanes, [x]) => (lanes === 1 ? `(i32.xor ${x} (i32.const -1))` : `(v128.not ${x})`),
  shift_left: shift("shl", "shl"),
  shift_right: shift("shr_s", "shr_u"),
  and: bitwise("and"),
  or: bitwise("or"),
  xor: bitwise("xor"),
  not: (_, lanes, [x]) => (lanes === 1 ? `(i32.eqz ${x})` : `(v128.not ${x})`),

  // Choices and conversions
  select: (_, lanes, [condition, x, y]) =>
    lanes === 1 ? `(select ${x} ${y} ${condition})` : `(v128.bitselect ${x} ${y} ${condition})`,
  to_int32: (dtype, _, [x]) =>
    call("to_int32", [dtype === "f32" ? `(f64.promote_f32 ${x})` : `${x}`]),
  to_uint32: (dtype, _, [x]) =>
    call("to_int32", [dtype === "f32" ? `(f64.promote_f32 ${x})` : `${x}`]),
};

/**
 * The low bits of a whole number: it has no digits behind those of 1.5·2^52. Engines take some 20
 * cycles for `trunc_sat`, and two instructions for this.
 */
export function wholeNumber(x: string): string {
  return `(i32.wrap_i64 (i64.reinterpret_f64 (f64.add ${x} (f64.const ${1.5 * 2 ** 52}))))`;
}

type Casts = Readonly<Record<string, (value: string) => string>>;

const fullCasts: Casts = {
  "f64 f32": (x) => `(f32.demote_f64 ${x})`,
  "f64 i32": (x) => `(call $trunc_i32 ${x})`,
  "f64 u32": (x) => `(i32.trunc_sat_f64_u ${x})`,
  "f64 u8": (x) => `(call $min_u32 (i32.trunc_sat_f64_u ${x}) (i32.const 255))`,
  "f64 bool": (x) => `(f64.ne ${x} (f64.const 0))`,
  "f32 f64": (x) => `(f64.promote_f32 ${x})`,
  "f32 i32": (x) => `(i32.trunc_sat_f32_s ${x})`,
  "f32 u32": (x) => `(i32.trunc_sat_f32_u ${x})`,
  "f32 u8": (x) => `(call $min_u32 (i32.trunc_sat_f32_u ${x}) (i32.const 255))`,
  "f32 bool": (x) => `(f32.ne ${x} (f32.const 0))`,
  ...fromInteger("i32", "s"),
  ...fromInteger("u32", "u"),
  ...fromInteger("u8", "u"),
  ...fromInteger("bool", "u"),
};

/** Conversions, as `from to`; the same types are spelled by nothing. */
export const casts: Casts = {
  ...withHalves(fullCasts, "round_half"),
  // Of digits that f32 has no room for, one stays that says whether they are all 0.
  "f64 f16": (x) => `(call $round_half (f32.demote_f64 (call $sticky_f64 ${x})))`,
};

/** An f16 is an f32 that was rounded: as an operand like any f32, as a result rounded again. */
function withHalves(known: Casts, round: string): Casts {
  const casts: Record<string, (value: string) => string> = { ...known };
  for (const [types, spell] of Object.entries(known)) {
    const [from, to] = types.split(" ");
    if (from === "f32") casts[`f16 ${to}`] = spell;
    if (to === "f32" && from !== "f64")
      casts[`${from} f16`] = (x) => `(call $${round} ${spell(x)})`;
  }
  casts["f16 f32"] = (x) => x;
  casts["f32 f16"] = (x) => `(call $${round} ${x})`;
  return casts;
}

function fromInteger(dtype: DType, sign: "s" | "u"): Record<string, (value: string) => string> {
  return {
    [`${dtype} f64`]: (x) => `(f64.convert_i32_${sign} ${x})`,
    [`${dtype} f32`]: (x) => `(f32.convert_i32_${sign} ${x})`,
    [`${dtype} i32`]: (x) => x,
    [`${dtype} u32`]: (x) => x,
    [`${dtype} u8`]: (x) => `(i32.and ${x} (i32.const 255))`,
    [`${dtype} bool`]: (x) => `(i32.ne ${x} (i32.const 0))`,
  };
}

const fullLaneCasts: Casts = {
  "f32 f64": (x) => `(f64x2.promote_low_f32x4 ${x})`,
  "f64 f32": (x) => `(f32x4.demote_f64x2_zero ${x})`,
  "i32 f64": (x) => `(f64x2.convert_low_i32x4_s ${x})`,
  "u32 f64": (x) => `(f64x2.convert_low_i32x4_u ${x})`,
  "u8 f64": (x) => `(f64x2.convert_low_i32x4_u ${x})`,
  "u8 i32": (x) => x,
  "u8 u32": (x) => x,
  "i32 f32": (x) => `(f32x4.convert_i32x4_s ${x})`,
  "u32 f32": (x) => `(f32x4.convert_i32x4_u ${x})`,
  "f32 i32": (x) => `(i32x4.trunc_sat_f32x4_s ${x})`,
  "i32 u32": (x) => x,
  "u32 i32": (x) => x,
  "bool f32": (x) => `(v128.and ${x} (f32x4.splat (f32.const 1)))`,
  "bool i32": (x) => `(v128.and ${x} (i32x4.splat (i32.const 1)))`,
  "bool u32": (x) => `(v128.and ${x} (i32x4.splat (i32.const 1)))`,
  "bool f64": (x) => `(v128.and ${x} (f64x2.splat (f64.const 1)))`,
  "f32 bool": (x) => `(f32x4.ne ${x} (f32x4.splat (f32.const 0)))`,
  "f64 bool": (x) => `(f64x2.ne ${x} (f64x2.splat (f64.const 0)))`,
  "i32 bool": (x) => `(i32x4.ne ${x} (i32x4.splat (i32.const 0)))`,
  "u32 bool": (x) => `(i32x4.ne ${x} (i32x4.splat (i32.const 0)))`,
};

/**
 * Conversions of lanes. Masks are all ones or all zeros; two elements of half the size of a double
 * are the lower half of a vector.
 */
export const laneCasts: Casts = withHalves(fullLaneCasts, "round_half_f32x4");
