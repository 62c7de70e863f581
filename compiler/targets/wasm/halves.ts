/**
 * Half precision in WebAssembly, which has none: an f16 is 16 bits in memory and an f32 elsewhere.
 * Each function is there for one number and for four.
 *
 * The bits of a half without its sign, 13 places higher, are those of a single that is 2^112 times
 * smaller, be it normal or not. Only infinities and NaN lack the higher bits of their exponents.
 *
 * A size is rounded as `(size + c) - c` with c = 2^13 times the power of two below it: behind the last
 * place of c there are no digits of a half. Below 2^-14 halves are as dense as there, and 65536, which
 * is none any more, stands for all that is larger.
 */

const scale = 2 ** 112;
const exponents = 0x7f800000;
/** 13 higher, in the exponent. */
const thirteen = 13 << 23;
const sign = -2147483648;
/** The largest finite half, and any that is infinite or NaN is above, 13 places higher. */
const finite = 0x0f7fffff;

const x = "(local.get $x)";
const size = "(local.get $size)";
const large = "(local.get $large)";
const bits = "(local.get $bits)";

const rounding = `(local.set $size (f32.min (f32.abs ${x}) (f32.const 65536)))
    (local.set $large (f32.reinterpret_i32 (i32.add (i32.const ${thirteen}) (i32.and
      (i32.reinterpret_f32 (f32.max ${size} (f32.const ${2 ** -14}))) (i32.const ${exponents})))))
    (local.set $size (f32.sub (f32.add ${size} ${large}) ${large}))`;

const single = (value: number): string => `(f32x4.splat (f32.const ${value}))`;
const word = (value: number): string => `(i32x4.splat (i32.const ${value}))`;

// `pmin a c` is `c < a ? c : a`, so NaN stays.
const roundingLanes = `(local.set $size (f32x4.pmin (f32x4.abs ${x}) ${single(65536)}))
    (local.set $large (i32x4.add ${word(thirteen)}
      (v128.and (f32x4.pmax ${size} ${single(2 ** -14)}) ${word(exponents)})))
    (local.set $size (f32x4.sub (f32x4.add ${size} ${large}) ${large}))`;

export const halfHelpers: Readonly<Record<string, string>> = {
  from_half: `(func $from_half (param $x i32) (result f32) (local $bits i32)
    (local.set $bits (i32.shl (i32.and ${x} (i32.const 0x7fff)) (i32.const 13)))
    (f32.reinterpret_i32 (i32.or (i32.shl (i32.and ${x} (i32.const 0x8000)) (i32.const 16))
      (i32.or (i32.reinterpret_f32
          (f32.mul (f32.reinterpret_i32 ${bits}) (f32.const ${scale})))
        (select (i32.const ${exponents}) (i32.const 0)
          (i32.gt_s ${bits} (i32.const ${finite})))))))`,
  from_half_f32x4: `(func $from_half_f32x4 (param $x v128) (result v128) (local $bits v128)
    (local.set $x (i32x4.extend_low_i16x8_s ${x}))
    (local.set $bits (v128.and (i32x4.shl ${x} (i32.const 13)) ${word(0x7fff << 13)}))
    (v128.or (v128.and ${x} ${word(sign)})
      (v128.or (f32x4.mul ${bits} ${single(scale)})
        (v128.and (i32x4.gt_s ${bits} ${word(finite)}) ${word(exponents)}))))`,
  // 65536 becomes infinite by way of 2^128.
  round_half: `(func $round_half (param $x f32) (result f32) (local $size f32) (local $large f32)
    ${rounding}
    (f32.copysign
      (f32.mul (f32.mul ${size} (f32.const ${scale})) (f32.const ${1 / scale})) ${x}))`,
  round_half_f32x4: `(func $round_half_f32x4 (param $x v128) (result v128)
    (local $size v128) (local $large v128)
    ${roundingLanes}
    (v128.or (v128.and ${x} ${word(sign)})
      (f32x4.mul (f32x4.mul ${size} ${single(scale)}) ${single(1 / scale)})))`,
  // Of a rounded number; the bits of what is infinite or NaN are cut off to what halves have of them.
  to_half: `(func $to_half (param $x f32) (result i32)
    (i32.or
      (i32.and (i32.const 0x7fff) (i32.shr_u
        (i32.reinterpret_f32 (f32.mul (f32.abs ${x}) (f32.const ${1 / scale}))) (i32.const 13)))
      (i32.and (i32.const 0x8000) (i32.shr_u (i32.reinterpret_f32 ${x}) (i32.const 16)))))`,
  to_half_f32x4: `(func $to_half_f32x4 (param $x v128) (result v128)
    (local.set $x (v128.or
      (v128.and ${word(0x7fff)} (i32x4.shr_u
        (f32x4.mul (f32x4.abs ${x}) ${single(1 / scale)}) (i32.const 13)))
      (v128.and ${word(0x8000)} (i32x4.shr_u ${x} (i32.const 16)))))
    (i16x8.narrow_i32x4_u ${x} ${x}))`,
  // The last of the 22 digits that stay also says whether there were others behind it.
  sticky_f64: `(func $sticky_f64 (param $x f64) (result f64) (local $bits i64)
    (local.set $bits (i64.reinterpret_f64 ${x}))
    (f64.reinterpret_i64 (i64.and (i64.const ${-(2 ** 30)}) (i64.or ${bits} (i64.add
      (i64.and ${bits} (i64.const ${2 ** 30 - 1})) (i64.const ${2 ** 30 - 1}))))))`,
};
