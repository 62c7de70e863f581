/** Instructions of WebAssembly by their names in the text format, with their opcodes. */

export interface Instruction {
  /** The opcode, after its prefix where it has one. */
  readonly code: number;
  readonly prefix?: 0xfc | 0xfd;
  /** What follows the name in the text: an address has `offset=`, a shuffle 16 lanes. */
  readonly immediate?: "address" | "lane" | "address lane" | "lanes" | "zero" | "zeros";
}

export const instructions: ReadonlyMap<string, Instruction> = new Map([
  ...single("i32", 0x45, "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  ...single("i64", 0x50, "eqz eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  ...single("f32", 0x5b, "eq ne lt gt le ge"),
  ...single("f64", 0x61, "eq ne lt gt le ge"),
  ...single("i32", 0x67, "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor"),
  ...single("i32", 0x74, "shl shr_s shr_u rotl rotr"),
  ...single("i64", 0x79, "clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor"),
  ...single("i64", 0x86, "shl shr_s shr_u rotl rotr"),
  ...single("f32", 0x8b, "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"),
  ...single("f64", 0x99, "abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign"),
  ...single("i32", 0xa7, "wrap_i64"),
  ...single("i64", 0xac, "extend_i32_s extend_i32_u"),
  ...single("f32", 0xb2, "convert_i32_s convert_i32_u"),
  ...single("f32", 0xb6, "demote_f64"),
  ...single("f64", 0xb7, "convert_i32_s convert_i32_u"),
  ...single("f64", 0xbb, "promote_f32"),
  ...single("i32", 0xbc, "reinterpret_f32"),
  ...single("i64", 0xbd, "reinterpret_f64"),
  ...single("f32", 0xbe, "reinterpret_i32"),
  ...single("f64", 0xbf, "reinterpret_i64"),
  ...named(0x28, "i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u", "address"),
  ...named(0x2f, "i32.load16_u", "address"),
  ...named(0x36, "i32.store i64.store f32.store f64.store i32.store8 i32.store16", "address"),
  ...named(0x1b, "select"),
  ...named(0x0f, "return"),
  ...named(0x00, "unreachable"),

  ...long("i32", 0, "trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u"),
  ...long("i64", 4, "trunc_sat_f32_s trunc_sat_f32_u trunc_sat_f64_s trunc_sat_f64_u"),
  ["memory.copy", { prefix: 0xfc, code: 10, immediate: "zeros" }],
  ["memory.fill", { prefix: 0xfc, code: 11, immediate: "zero" }],

  ...lanes("v128", 0, "load", "address"),
  ...lanes("v128", 7, "load8_splat load16_splat load32_splat load64_splat store", "address"),
  ...lanes("v128", 91, "store64_lane", "address lane"),
  ...lanes("v128", 92, "load32_zero load64_zero", "address"),
  ...lanes("v128", 77, "not and andnot or xor bitselect any_true"),
  ...lanes("i8x16", 13, "shuffle", "lanes"),
  ...lanes("i8x16", 101, "narrow_i16x8_s narrow_i16x8_u"),
  ...lanes("i16x8", 133, "narrow_i32x4_s narrow_i32x4_u extend_low_i8x16_s extend_high_i8x16_s"),
  ...lanes("i16x8", 137, "extend_low_i8x16_u extend_high_i8x16_u"),
  ...lanes("i32x4", 17, "splat"),
  ...lanes("i64x2", 18, "splat"),
  ...lanes("f32x4", 19, "splat"),
  ...lanes("f64x2", 20, "splat"),
  ...lanes("i32x4", 27, "extract_lane replace_lane", "lane"),
  ...lanes("i64x2", 29, "extract_lane replace_lane", "lane"),
  ...lanes("f32x4", 31, "extract_lane replace_lane", "lane"),
  ...lanes("f64x2", 33, "extract_lane replace_lane", "lane"),
  ...lanes("i32x4", 55, "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u"),
  ...lanes("f32x4", 65, "eq ne lt gt le ge"),
  ...lanes("f64x2", 71, "eq ne lt gt le ge"),
  ...lanes("f32x4", 94, "demote_f64x2_zero"),
  ...lanes("f64x2", 95, "promote_low_f32x4"),
  ...lanes("f32x4", 103, "ceil floor trunc nearest"),
  ...lanes("f64x2", 116, "ceil floor"),
  ...lanes("f64x2", 122, "trunc"),
  ...lanes("f64x2", 148, "nearest"),
  ...lanes("i32x4", 160, "abs neg"),
  ...lanes("i32x4", 167, "extend_low_i16x8_s extend_high_i16x8_s extend_low_i16x8_u"),
  ...lanes("i32x4", 171, "shl shr_s shr_u add"),
  ...lanes("i32x4", 177, "sub"),
  ...lanes("i32x4", 181, "mul min_s min_u max_s max_u"),
  ...lanes("i32x4", 163, "all_true"),
  ...lanes("i64x2", 195, "all_true"),
  ...lanes("i64x2", 203, "shl shr_s shr_u add"),
  ...lanes("i64x2", 209, "sub"),
  ...lanes("i64x2", 214, "eq ne"),
  ...lanes("f32x4", 224, "abs neg"),
  ...lanes("f32x4", 227, "sqrt add sub mul div min max pmin pmax"),
  ...lanes("f64x2", 236, "abs neg"),
  ...lanes("f64x2", 239, "sqrt add sub mul div min max pmin pmax"),
  ...lanes("i32x4", 248, "trunc_sat_f32x4_s trunc_sat_f32x4_u"),
  ...lanes("f32x4", 250, "convert_i32x4_s convert_i32x4_u"),
  ...lanes("f64x2", 254, "convert_low_i32x4_s convert_low_i32x4_u"),
  ...lanes("f32x4", 0x105, "relaxed_madd"),
  ...lanes("f64x2", 0x107, "relaxed_madd"),
]);

type Entry = readonly [string, Instruction];

/** Instructions of a type with one opcode after the other. */
function single(type: string, first: number, names: string): readonly Entry[] {
  return names.split(" ").map((name, k) => [`${type}.${name}`, { code: first + k }]);
}

function named(
  first: number,
  names: string,
  immediate?: NonNullable<Instruction["immediate"]>,
): readonly Entry[] {
  return names
    .split(" ")
    .map((name, k) => [name, { code: first + k, ...(immediate && { immediate }) }]);
}

function long(type: string, first: number, names: string): readonly Entry[] {
  return names.split(" ").map((name, k) => [`${type}.${name}`, { prefix: 0xfc, code: first + k }]);
}

function lanes(
  type: string,
  first: number,
  names: string,
  immediate?: NonNullable<Instruction["immediate"]>,
): readonly Entry[] {
  return names
    .split(" ")
    .map((name, k) => [
      `${type}.${name}`,
      { prefix: 0xfd, code: first + k, ...(immediate && { immediate }) },
    ]);
}
