/** Comparisons, boolean logic, and the bits of integers. None of them has a derivative. */

import type { DType } from "../ir/types.ts";
import { dtypes as allDtypes } from "../ir/types.ts";
import { defineOp, type Laws, type Op, type Sample } from "./define.ts";
import { elementwise } from "./support/reference.ts";
import { bool, f16, f32, f64, i32, u32, u8 } from "./support/samples.ts";
import { boolean, expectAligned, integral, like, two } from "./support/types.ts";

const numeric = allDtypes.filter((dtype) => dtype !== "bool");

const ties: Sample = {
  inputs: [f64([1, 2, 3, 0, -0, NaN, NaN, Infinity]), f64([2, 2, 1, -0, 0, NaN, 1, Infinity])],
};
const numberSamples: readonly Sample[] = [
  ties,
  { inputs: [f32([1, 0.5]), f32([0.5, 0.5])] },
  { inputs: [f16([1, 0.5]), f16([0.5, 0.5])] },
  { inputs: [i32([-1, 0, 5]), i32([0, 0, -5])] },
  { inputs: [u32([4294967295, 0]), u32([1, 0])], note: "unsigned order" },
  { inputs: [u8([255, 3], [2, 1]), u8([1, 3], [2, 1])] },
  { inputs: [f64([1], []), f64([1], [])] },
  { inputs: [f64([]), f64([])] },
];
const truthTable: Sample = { inputs: [bool([0, 0, 1, 1]), bool([0, 1, 0, 1])] };
const logicSamples: readonly Sample[] = [truthTable, { inputs: [bool([1], []), bool([0], [])] }];
const bitSamples: readonly Sample[] = [
  { inputs: [i32([0, -1, 12, -2147483648, 5]), i32([7, 31, 10, 1, 33])] },
  { inputs: [u32([0, 4294967295, 12, 2147483648]), u32([7, 31, 10, 40])] },
  { inputs: [i32([6], []), i32([3], [])] },
  { inputs: [i32([]), i32([])] },
];

export const eq = comparison("eq", "True where x equals y", allDtypes, (x, y) => x === y, {
  commutative: true,
});
export const ne = comparison("ne", "True where x differs from y", allDtypes, (x, y) => x !== y, {
  commutative: true,
});
export const lt = comparison("lt", "True where x is less than y", numeric, (x, y) => x < y);
export const le = comparison("le", "True where x is at most y", numeric, (x, y) => x <= y);
export const gt = comparison("gt", "True where x is greater than y", numeric, (x, y) => x > y);
export const ge = comparison("ge", "True where x is at least y", numeric, (x, y) => x >= y);

export const and = logic("and", "True where both are true", (x, y) => x & y, {
  commutative: true,
  rightIdentity: 1,
});
export const or = logic("or", "True where one or both are true", (x, y) => x | y, {
  commutative: true,
  rightIdentity: 0,
});
export const xor = logic("xor", "True where exactly one is true", (x, y) => x ^ y, {
  commutative: true,
  rightIdentity: 0,
});

export const bit_and = bits("bit_and", "The bits that x and y share", (x, y) => x & y, {
  commutative: true,
});
export const bit_or = bits("bit_or", "The bits of x or y", (x, y) => x | y, {
  commutative: true,
  rightIdentity: 0,
});
export const bit_xor = bits("bit_xor", "The bits of either x or y", (x, y) => x ^ y, {
  commutative: true,
  rightIdentity: 0,
});
export const shift_left = bits(
  "shift_left",
  "x shifted left by y bits, y taken modulo 32",
  (x, y) => x << y,
  { rightIdentity: 0 },
);
export const shift_right = bits(
  "shift_right",
  "x shifted right by y bits, y modulo 32; the sign of an i32 is repeated",
  (x, y, dtype) => (dtype === "u32" ? x >>> y : x >> y),
  { rightIdentity: 0 },
);

function comparison(
  name: string,
  summary: string,
  dtypes: readonly DType[],
  js: (x: number, y: number) => boolean,
  laws: Laws = {},
): Op {
  return defineOp({
    name,
    summary,
    laws: { elementwise: true, ...laws },
    type: (inputs) => [like(expectAligned(two(inputs), dtypes), "bool")],
    reference: elementwise((_, x, y) => Number(js(x, y))),
    derivative: { kind: "zero" },
    batch: "elementwise",
    lower: { kind: "elementwise" },
    samples: dtypes.includes("bool") ? [...numberSamples, truthTable] : numberSamples,
  });
}

function logic(
  name: string,
  summary: string,
  js: (x: number, y: number) => number,
  laws: Laws,
): Op {
  return table(name, summary, boolean, js, laws, logicSamples);
}

function bits(
  name: string,
  summary: string,
  js: (x: number, y: number, dtype: DType) => number,
  laws: Laws,
): Op {
  return table(name, summary, integral, js, laws, bitSamples);
}

function table(
  name: string,
  summary: string,
  dtypes: readonly DType[],
  js: (x: number, y: number, dtype: DType) => number,
  laws: Laws,
  samples: readonly Sample[],
): Op {
  return defineOp({
    name,
    summary,
    laws: { elementwise: true, ...laws },
    type: (inputs) => [expectAligned(two(inputs), dtypes)],
    reference: elementwise((dtype, x, y) => js(x, y, dtype)),
    derivative: { kind: "zero" },
    batch: "elementwise",
    lower: { kind: "elementwise" },
    samples,
  });
}
