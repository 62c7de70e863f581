/** Functions of our own that spelled ops call, as WebAssembly text, by name. */

import { elementaryHelpers } from "./elementary.ts";
import { halfHelpers } from "./halves.ts";
import { singlesOf } from "./singles.ts";
import { wholeNumber } from "./spelling.ts";

type Helpers = Readonly<Record<string, string>>;

const common: Helpers = {
  ...elementaryHelpers,
  ...halfHelpers,
  ...integerHelpers("i32", "s"),
  ...integerHelpers("u32", "u"),
  abs_i32: `(func $abs_i32 (param $x i32) (result i32)
    (select (i32.sub (i32.const 0) (local.get $x)) (local.get $x)
      (i32.lt_s (local.get $x) (i32.const 0))))`,
  sign_i32: `(func $sign_i32 (param $x i32) (result i32)
    (i32.or (i32.shr_s (local.get $x) (i32.const 31)) (i32.ne (local.get $x) (i32.const 0))))`,
  ...floatHelpers("f64"),
  ...floatHelpers("f32"),
  ...laneHelpers("f32x4", "f32"),
  ...laneHelpers("f64x2", "f64"),
  // ToInt32: the low 32 bits of the integer part, which 1.5·2^52 leaves as they are below 2^51.
  to_int32: `(func $to_int32 (param $x f64) (result i32)
    (if (result i32)
      (f64.lt (f64.abs (local.get $x)) (f64.const 2251799813685248))
      (then ${wholeNumber("(f64.trunc (local.get $x))")})
      (else (call $math_to_int32 (local.get $x)))))`,
  // Of integers of 32 bits it is that of integers; the sign is that of x, a zero's too.
  rem_f64: `(func $rem_f64 (param $x f64) (param $y f64) (result f64)
    (local $i i32) (local $j i32)
    (local.set $i ${wholeNumber("(f64.abs (local.get $x))")})
    (local.set $j ${wholeNumber("(f64.abs (local.get $y))")})
    (if (result f64)
      (i32.and
        (i32.and (i32.ge_s (local.get $i) (i32.const 0)) (i32.gt_s (local.get $j) (i32.const 0)))
        (i32.and
          (f64.eq (f64.convert_i32_s (local.get $i)) (f64.abs (local.get $x)))
          (f64.eq (f64.convert_i32_s (local.get $j)) (f64.abs (local.get $y)))))
      (then (f64.copysign
        (f64.convert_i32_s (i32.rem_u (local.get $i) (local.get $j))) (local.get $x)))
      (else (call $math_rem (local.get $x) (local.get $y)))))`,
  trunc_i32: `(func $trunc_i32 (param $x f64) (result i32)
    (if (result i32)
      (f64.lt (f64.abs (local.get $x)) (f64.const 2147483648))
      (then ${wholeNumber("(f64.trunc (local.get $x))")})
      (else (i32.trunc_sat_f64_s (local.get $x)))))`,
  load_mask: `(func $load_mask (param $at i32) (result v128)
    (i32x4.ne
      (i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u (v128.load32_zero (local.get $at))))
      (i32x4.splat (i32.const 0))))`,
  store_mask: `(func $store_mask (param $at i32) (param $mask v128)
    (local $bytes v128)
    (local.set $bytes (v128.and (local.get $mask) (i32x4.splat (i32.const 1))))
    (local.set $bytes (i16x8.narrow_i32x4_s (local.get $bytes) (local.get $bytes)))
    (i32.store align=1 (local.get $at)
      (i32x4.extract_lane 0 (i8x16.narrow_i16x8_u (local.get $bytes) (local.get $bytes)))))`,
};

const plain: Helpers = { ...common, ...singleTexts(false) };
const relaxed: Helpers = { ...common, ...singleTexts(true) };

function singleTexts(isRelaxed: boolean): Helpers {
  const singles = Object.entries(singlesOf(isRelaxed));
  return Object.fromEntries(singles.map(([name, { text }]) => [name, text]));
}

/** The functions by name; relaxed ones use multiply-adds that round once. */
export function helpersOf(isRelaxed: boolean): Helpers {
  return isRelaxed ? relaxed : plain;
}

function integerHelpers(dtype: "i32" | "u32", sign: "s" | "u"): Record<string, string> {
  const two = "(param $x i32) (param $y i32) (result i32)";
  const wrapping =
    dtype === "i32"
      ? `(if (i32.eq (local.get $y) (i32.const -1))
        (then (return ${"QUOTIENT"})))`
      : "";
  const guarded = (name: string, byMinusOne: string): string =>
    `(func $${name}_${dtype} ${two}
    (if (i32.eqz (local.get $y)) (then (return (i32.const 0))))
    ${wrapping.replace("QUOTIENT", byMinusOne)}
    (i32.${name}_${sign} (local.get $x) (local.get $y)))`;
  const choose = (name: string, compare: string): string =>
    `(func $${name}_${dtype} ${two}
    (select (local.get $x) (local.get $y)
      (i32.${compare}_${sign} (local.get $x) (local.get $y))))`;
  return {
    [`div_${dtype}`]: guarded("div", "(i32.sub (i32.const 0) (local.get $x))"),
    [`rem_${dtype}`]: guarded("rem", "(i32.const 0)"),
    [`max_${dtype}`]: choose("max", "gt"),
    [`min_${dtype}`]: choose("min", "lt"),
  };
}

function floatHelpers(type: "f64" | "f32"): Record<string, string> {
  const x = "(local.get $x)";
  const one = `(param $x ${type})`;
  return {
    [`sign_${type}`]: `(func $sign_${type} ${one} (result ${type})
    (select (${type}.const 1) (select (${type}.const -1) ${x} (${type}.lt ${x} (${type}.const 0)))
      (${type}.gt ${x} (${type}.const 0))))`,
    // Math.round: halves go up, and what rounds to zero keeps its sign.
    [`round_${type}`]: `(func $round_${type} ${one} (result ${type})
    (local $f ${type})
    (local.set $f (${type}.floor ${x}))
    (${type}.copysign
      (select (${type}.add (local.get $f) (${type}.const 1)) (local.get $f)
        (${type}.ge (${type}.sub ${x} (local.get $f)) (${type}.const 0.5)))
      ${x}))`,
    [`is_nan_${type}`]: `(func $is_nan_${type} ${one} (result i32) (${type}.ne ${x} ${x}))`,
  };
}

function laneHelpers(shape: "f32x4" | "f64x2", type: "f32" | "f64"): Record<string, string> {
  const x = "(local.get $x)";
  const lanes = (value: number): string => `(${shape}.splat (${type}.const ${value}))`;
  return {
    [`sign_${shape}`]: `(func $sign_${shape} (param $x v128) (result v128)
    (v128.bitselect ${lanes(1)}
      (v128.bitselect ${lanes(-1)} ${x} (${shape}.lt ${x} ${lanes(0)}))
      (${shape}.gt ${x} ${lanes(0)})))`,
    [`is_nan_${shape}`]: `(func $is_nan_${shape} (param $x v128) (result v128) (${shape}.ne ${x} ${x}))`,
  };
}
