/** Functions of our own that spelled ops call, as WebAssembly text, by name. */

import { elementaryHelpers } from "./elementary.ts";
import { wholeNumber } from "./spelling.ts";

/** 1/1!, 1/2!, …: enough of them for |x| < 0.55. */
const inverseFactorials = [1, 2, 6, 24, 120, 720, 5040, 40320, 362880].map((n) => 1 / n);

export const helpers: Readonly<Record<string, string>> = {
  ...elementaryHelpers,
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

  // e^x = 2^n e^r, r = x - n ln 2 in two parts, |r| ≤ ln 2 / 2; e^r by its series up to r^7. The
  // factor 2^n is applied in halves, so that results near the ends of the range come out right.
  exp_f32x4: `(func $exp_f32x4 (param $x v128) (result v128)
    (local $n v128) (local $half v128)
    (local.set $x (f32x4.min (f32x4.max (local.get $x) ${f32s(-104)}) ${f32s(89)}))
    (local.set $n (f32x4.nearest (f32x4.mul (local.get $x) ${f32s(Math.LOG2E)})))
    (local.set $x (f32x4.add (f32x4.sub (local.get $x) (f32x4.mul (local.get $n) ${f32s(0.693359375)}))
      (f32x4.mul (local.get $n) ${f32s(0.693359375 - Math.LN2)})))
    (local.set $x ${horner("$x", [1, 1, 1 / 2, 1 / 6, 1 / 24, 1 / 120, 1 / 720])})
    (local.set $n (i32x4.trunc_sat_f32x4_s (local.get $n)))
    (local.set $half (i32x4.shr_s (local.get $n) (i32.const 1)))
    (f32x4.mul
      (f32x4.mul (local.get $x) ${power("(local.get $half)")})
      ${power("(i32x4.sub (local.get $n) (local.get $half))")}))`,

  // e^x - 1 = 2^n (e^r - 1) + (2^n - 1). Where |x| < 0.55, n is 0, so that nothing cancels.
  expm1_f32x4: `(func $expm1_f32x4 (param $x v128) (result v128)
    (v128.bitselect
      (call $exp_f32x4 (local.get $x))
      (call $small_expm1 (f32x4.min (f32x4.max (local.get $x) ${f32s(-40)}) ${f32s(88)}))
      (f32x4.gt (local.get $x) ${f32s(60)})))`,
  small_expm1: `(func $small_expm1 (param $x v128) (result v128)
    (local $n v128) (local $scale v128)
    (local.set $n (v128.and
      (f32x4.nearest (f32x4.mul (local.get $x) ${f32s(Math.LOG2E)}))
      (f32x4.ge (f32x4.abs (local.get $x)) ${f32s(0.55)})))
    (local.set $x (f32x4.add (f32x4.sub (local.get $x) (f32x4.mul (local.get $n) ${f32s(0.693359375)}))
      (f32x4.mul (local.get $n) ${f32s(0.693359375 - Math.LN2)})))
    (local.set $x (f32x4.mul (local.get $x)
      ${horner("$x", inverseFactorials)}))
    (local.set $scale ${power("(i32x4.trunc_sat_f32x4_s (local.get $n))")})
    (f32x4.add (f32x4.mul (local.get $scale) (local.get $x))
      (f32x4.sub (local.get $scale) ${f32s(1)})))`,

  // tanh x = (e^2x - 1) / (e^2x + 1). Beyond 10 it is 1 in single precision.
  tanh_f32x4: `(func $tanh_f32x4 (param $x v128) (result v128)
    (local $e v128)
    (local.set $e (call $small_expm1
      (f32x4.mul (f32x4.min (f32x4.max (local.get $x) ${f32s(-10)}) ${f32s(10)}) ${f32s(2)})))
    (f32x4.div (local.get $e) (f32x4.add (local.get $e) ${f32s(2)})))`,

  // log(m 2^e) = e ln 2 + 2 (s + s³/3 + s⁵/5 + …), s = (m - 1)/(m + 1), √½ ≤ m < √2.
  log_f32x4: `(func $log_f32x4 (param $x v128) (result v128)
    (local $e v128) (local $m v128) (local $s v128) (local $q v128) (local $tiny v128)
    (local.set $tiny (f32x4.lt (local.get $x) ${f32s(2 ** -126)}))
    (local.set $m (v128.bitselect (f32x4.mul (local.get $x) ${f32s(2 ** 23)}) (local.get $x)
      (local.get $tiny)))
    (local.set $e (i32x4.sub (i32x4.shr_s (i32x4.sub (local.get $m)
      (i32x4.splat (i32.const 0x3f3504f3))) (i32.const 23))
      (v128.and (local.get $tiny) (i32x4.splat (i32.const 23)))))
    (local.set $s (i32x4.add (local.get $e) (v128.and (local.get $tiny) (i32x4.splat (i32.const 23)))))
    (local.set $m (i32x4.sub (local.get $m) (i32x4.shl (local.get $s) (i32.const 23))))
    (local.set $s (f32x4.div (f32x4.sub (local.get $m) ${f32s(1)})
      (f32x4.add (local.get $m) ${f32s(1)})))
    (local.set $q (f32x4.mul (local.get $s) (local.get $s)))
    (local.set $q (f32x4.mul (local.get $q) ${horner("$q", [2 / 3, 2 / 5, 2 / 7, 2 / 9, 2 / 11])}))
    (local.set $q (f32x4.mul (local.get $s) (local.get $q)))
    (local.set $e (f32x4.convert_i32x4_s (local.get $e)))
    (local.set $q (f32x4.add (local.get $q)
      (f32x4.mul (local.get $e) ${f32s(Math.LN2 - 0.693359375)})))
    (local.set $q (f32x4.add (f32x4.add (local.get $q) (f32x4.add (local.get $s) (local.get $s)))
      (f32x4.mul (local.get $e) ${f32s(0.693359375)})))
    (local.set $q (v128.bitselect ${f32s(-Infinity)} (local.get $q)
      (f32x4.eq (local.get $x) ${f32s(0)})))
    (local.set $q (v128.bitselect (local.get $x) (local.get $q)
      (f32x4.eq (local.get $x) ${f32s(Infinity)})))
    (v128.bitselect (local.get $q) ${f32s(NaN)} (f32x4.ge (local.get $x) ${f32s(0)})))`,
};

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

function f32s(value: number): string {
  const text = Number.isNaN(value)
    ? "nan"
    : Number.isFinite(value)
      ? String(Math.fround(value))
      : value < 0
        ? "-inf"
        : "inf";
  return `(f32x4.splat (f32.const ${text}))`;
}

/** Σ c_k x^k, highest power first inside. */
function horner(x: string, coefficients: readonly number[]): string {
  const [last, ...rest] = [...coefficients].reverse();
  return rest.reduce<string>(
    (inner, c) => `(f32x4.add (f32x4.mul ${inner} (local.get ${x})) ${f32s(c)})`,
    f32s(last ?? 0),
  );
}

/** 2^n of integer lanes between -126 and 127. */
function power(n: string): string {
  return `(i32x4.shl (i32x4.add ${n} (i32x4.splat (i32.const 127))) (i32.const 23))`;
}
