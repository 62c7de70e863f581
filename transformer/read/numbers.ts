/**
 * Numbers as JavaScript has them. Known numbers stay known, integers in a known range stay i32, and
 * all others are f64; over the elements of tensors a literal takes the type of the other operand.
 */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import {
  addDims,
  type Dim,
  dimText,
  foldDim,
  multiplyDims,
  subtractDims,
  symbolsOf,
} from "../../compiler/ir/dim.ts";
import type { DType, Value } from "../../compiler/ir/types.ts";
import type { Reader } from "./reader.ts";
import { describe, fixed, isNumber, isStaticNumber, type ReaderValue, scalar } from "./values.ts";

interface Range {
  readonly low: number;
  readonly high: number;
}

const smallest = -(2 ** 31);
const largest = 2 ** 31 - 1;
/** No array has more elements along an axis: memory of 4 GiB holds fewer. */
export const longestAxis = 2 ** 30;

export function dimValue(dim: Dim): ReaderValue {
  return typeof dim === "number" ? fixed(dim) : { kind: "dim", dim };
}

/** An i32 value with what is known of it; a known number where the range has one element. */
export function integer(value: Value, low: number = smallest, high: number = largest): ReaderValue {
  return { kind: "integer", value, low, high };
}

/** The f64 value of a number. */
export function toFloat(reader: Reader, value: ReaderValue, node: ts.Node): Value {
  return toDtype(reader, value, "f64", node);
}

/** The scalar value of a number or a boolean, in a dtype. */
export function toDtype(reader: Reader, value: ReaderValue, dtype: DType, node: ts.Node): Value {
  const builder = reader.at(node);
  switch (value.kind) {
    case "static":
      if (typeof value.value === "number") return builder.constant(value.value, dtype);
      if (typeof value.value === "boolean") return builder.constant(Number(value.value), dtype);
      break;
    case "dim":
      return builder.cast(dimAs(reader, value.dim, dtype, node), dtype);
    case "integer":
      return builder.cast(value.value, dtype);
    case "scalar":
      return builder.cast(value.value, dtype);
    default:
  }
  return reader.fail(
    messages.wrongOperand(
      { operator: node.getText().slice(0, 20), operand: describe(value) },
      reader.span(node),
    ),
  );
}

/** The range of what is surely an integer that fits i32, else undefined. */
export function rangeOf(value: ReaderValue): Range | undefined {
  switch (value.kind) {
    case "static": {
      const number = value.value;
      const fits = typeof number === "number" && (number | 0) === number && !Object.is(number, -0);
      return fits ? { low: number, high: number } : undefined;
    }
    case "dim":
      return fitting(rangeOfDim(value.dim));
    case "integer":
      return { low: value.low, high: value.high };
    default:
      return undefined;
  }
}

/** The i32 value of a number that has a range. */
export function toInteger(reader: Reader, value: ReaderValue, node: ts.Node): Value {
  if (value.kind === "integer") return value.value;
  if (value.kind === "dim") return reader.at(node).extent(value.dim);
  return toDtype(reader, value, "i32", node);
}

/**
 * An index: i32, and -1 for what is not an integer, so that the access fails.
 * `i = trunc(x); x == i ? i : -1`
 */
export function toIndex(reader: Reader, value: ReaderValue, node: ts.Node): Value {
  if (rangeOf(value) !== undefined) return toInteger(reader, value, node);
  const x = toFloat(reader, value, node);
  const builder = reader.at(node);
  const i = builder.wholeNumber(x);
  const exact = builder.binary("eq", builder.cast(i, "f64"), x);
  return builder.select(exact, i, builder.constant(-1, "i32"));
}

/**
 * A number without its fraction, as `slice` and `at` take their arguments: NaN is 0, and what no i32
 * holds is the nearest that there is, which is beyond both ends of all arrays.
 */
export function toWhole(reader: Reader, value: ReaderValue, node: ts.Node): ReaderValue {
  if (isStaticNumber(value)) {
    return fixed(Math.max(smallest, Math.min(largest, Math.trunc(value.value) || 0)));
  }
  if (rangeOf(value) !== undefined) return value;
  return integer(reader.at(node).cast(toFloat(reader, value, node), "i32"));
}

/**
 * A whole number, counted from the end where it is negative: `i < 0 ? i + length : i`. Before the
 * first element it is negative still: -1, or what the sum is.
 */
export function fromTheEnd(
  reader: Reader,
  x: ReaderValue,
  length: ReaderValue,
  node: ts.Node,
): ReaderValue {
  const range = rangeOf(x) ?? { low: smallest, high: largest };
  if (range.low >= 0) return x;
  if (isStaticNumber(x)) return compute(reader, "add", length, x, node);
  const builder = reader.at(node);
  const [i, extent] = [toInteger(reader, x, node), toInteger(reader, length, node)];
  // A sum that is surely one of i32.
  const floor = builder.binary("sub", builder.constant(-1, "i32"), extent);
  const inReach = builder.select(builder.binary("ge", i, floor), i, floor);
  const back = builder.binary("add", inReach, extent);
  const isNegative = builder.binary("lt", i, builder.constant(0, "i32"));
  return integer(builder.select(isNegative, back, i), -1, Math.max(longestAxis, range.high));
}

/** JavaScript's ToInt32. */
export function toInt32(reader: Reader, value: ReaderValue, node: ts.Node): Value {
  if (rangeOf(value) !== undefined) return toInteger(reader, value, node);
  if (value.kind === "scalar" && value.value.type.dtype === "i32") return value.value;
  return reader.at(node).unary("to_int32", toFloat(reader, value, node));
}

/** The dtype in which two numbers meet. */
export function meetingDtype(a: ReaderValue, b: ReaderValue): DType {
  const dtypes = [a, b].map((value) => (value.kind === "scalar" ? value.value.type.dtype : ""));
  // Numbers of the host join the elements of tensors; of those the wider type holds both.
  const singles = (["f32", "f16"] as const).find((dtype) => dtypes.includes(dtype));
  if (singles !== undefined) return singles;
  const whole = (value: ReaderValue, k: number): boolean =>
    dtypes[k] === "i32" || rangeOf(value) !== undefined;
  if (dtypes.includes("i32") && whole(a, 0) && whole(b, 1)) return "i32";
  return "f64";
}

type Arithmetic = "add" | "sub" | "mul" | "div" | "rem" | "pow";

export const arithmetic: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  rem: (a, b) => a % b,
  pow: (a, b) => a ** b,
};

export function compute(
  reader: Reader,
  op: Arithmetic,
  a: ReaderValue,
  b: ReaderValue,
  node: ts.Node,
): ReaderValue {
  if (a.kind === "static" && b.kind === "static" && isNumber(a) && isNumber(b)) {
    return fixed(arithmetic[op](Number(a.value), Number(b.value)));
  }
  const known = dimArithmetic(op, a, b) ?? integerArithmetic(reader, op, a, b, node);
  if (known !== undefined) return known;
  const met = meetingDtype(a, b);
  const dtype = met === "i32" && (op === "div" || op === "pow") ? "f64" : met;
  const left = toDtype(reader, a, dtype, node);
  const right = toDtype(reader, b, dtype, node);
  return scalar(reader.at(node).binary(op, left, right));
}

export type Comparison = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

export const comparisons: Readonly<Record<Comparison, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  lt: (a, b) => a < b,
  le: (a, b) => a <= b,
  gt: (a, b) => a > b,
  ge: (a, b) => a >= b,
};

export function compareNumbers(
  reader: Reader,
  op: Comparison,
  a: ReaderValue,
  b: ReaderValue,
  node: ts.Node,
): ReaderValue {
  if (a.kind === "static" && b.kind === "static") {
    return fixed(comparisons[op](Number(a.value), Number(b.value)));
  }
  const left = rangeOf(a);
  const right = rangeOf(b);
  if (left !== undefined && right !== undefined) {
    const known = decide(op, left, right) ?? sameDims(op, a, b);
    if (known !== undefined) return fixed(known);
    const builder = reader.at(node);
    const [x, y] = [toInteger(reader, a, node), toInteger(reader, b, node)];
    return scalar(builder.binary(op, x, y));
  }
  const dtype = meetingDtype(a, b);
  const [x, y] = [toDtype(reader, a, dtype, node), toDtype(reader, b, dtype, node)];
  return scalar(reader.at(node).binary(op, x, y));
}

export function negate(reader: Reader, value: ReaderValue, node: ts.Node): ReaderValue {
  if (value.kind === "static") return fixed(-Number(value.value));
  const range = rangeOf(value);
  if (range !== undefined && (range.low > 0 || (range.high < 0 && range.low > smallest))) {
    const negated = reader.at(node).neg(toInteger(reader, value, node));
    return integer(negated, -range.high, -range.low);
  }
  const dtype = value.kind === "scalar" ? value.value.type.dtype : "f64";
  return scalar(reader.at(node).neg(toDtype(reader, value, dtype, node)));
}

/** The truth of a value: known, or a bool. */
export function truth(reader: Reader, value: ReaderValue, node: ts.Node): boolean | Value {
  switch (value.kind) {
    case "static":
      return Boolean(value.value);
    case "scalar": {
      if (value.value.type.dtype === "bool") return value.value;
      const builder = reader.at(node);
      const dtype = value.value.type.dtype;
      const nonzero = builder.binary("ne", value.value, builder.constant(0, dtype));
      if (dtype === "i32") return nonzero;
      return builder.binary("and", nonzero, builder.binary("eq", value.value, value.value));
    }
    case "dim":
    case "integer": {
      const result = compareNumbers(reader, "ne", value, fixed(0), node);
      return result.kind === "static" ? Boolean(result.value) : (result as { value: Value }).value;
    }
    case "conflict":
    case "unset":
    case "faulty":
      return reader.needsStatic("the condition", node);
    default:
      return true;
  }
}

/** Extents stay polynomials under `+ - *`. */
function dimArithmetic(op: Arithmetic, a: ReaderValue, b: ReaderValue): ReaderValue | undefined {
  if (a.kind !== "dim" && b.kind !== "dim") return undefined;
  const [x, y] = [asDim(a), asDim(b)];
  if (x === undefined || y === undefined) return undefined;
  switch (op) {
    case "add":
      return dimValue(addDims(x, y));
    case "sub":
      return dimValue(subtractDims(x, y));
    case "mul":
      // A negative factor may give -0, which no extent is.
      return isNonNegative(x) && isNonNegative(y) ? dimValue(multiplyDims(x, y)) : undefined;
    default:
      return undefined;
  }
}

export function asDim(value: ReaderValue): Dim | undefined {
  if (value.kind === "dim") return value.dim;
  const range = value.kind === "static" ? rangeOf(value) : undefined;
  return range?.low;
}

function isNonNegative(dim: Dim): boolean {
  return rangeOfDim(dim).low >= 0;
}

function integerArithmetic(
  reader: Reader,
  op: Arithmetic,
  a: ReaderValue,
  b: ReaderValue,
  node: ts.Node,
): ReaderValue | undefined {
  const [x, y] = [rangeOf(a), rangeOf(b)];
  if (x === undefined || y === undefined) return undefined;
  const range = fitting(resultRange(op, x, y));
  if (range === undefined) return undefined;
  const [left, right] = [toInteger(reader, a, node), toInteger(reader, b, node)];
  return integer(reader.at(node).binary(op, left, right), range.low, range.high);
}

/** The range of an integer result; undefined where it may be no integer, or -0. */
function resultRange(op: Arithmetic, x: Range, y: Range): Range | undefined {
  switch (op) {
    case "add":
      return { low: x.low + y.low, high: x.high + y.high };
    case "sub":
      return { low: x.low - y.high, high: x.high - y.low };
    case "mul":
      return x.low >= 0 && y.low >= 0 ? { low: x.low * y.low, high: x.high * y.high } : undefined;
    case "rem":
      return x.low >= 0 && y.low > 0 ? { low: 0, high: Math.min(x.high, y.high - 1) } : undefined;
    default:
      return undefined;
  }
}

function fitting(range: Range | undefined): Range | undefined {
  return range !== undefined && range.low >= smallest && range.high <= largest ? range : undefined;
}

/** A single extent is the length of an axis; of a polynomial only the bounds are known. */
function rangeOfDim(dim: Dim): Range {
  return foldDim<Range>(dim, {
    constant: (value) => ({ low: value, high: value }),
    symbol: () => ({ low: 0, high: longestAxis }),
    add: (a, b) => ({ low: a.low + b.low, high: a.high + b.high }),
    multiply: (a, b) => {
      const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high];
      return { low: Math.min(...corners), high: Math.max(...corners) };
    },
    divide: (a, divisor) => ({
      low: Math.floor(a.low / divisor),
      high: Math.floor(a.high / divisor),
    }),
  });
}

/** A polynomial of extents, computed in i32 where that is exact and else in f64. */
function dimAs(reader: Reader, dim: Dim, dtype: DType, node: ts.Node): Value {
  const builder = reader.at(node);
  if (dtype === "i32" || fitting(rangeOfDim(dim)) !== undefined) return builder.extent(dim);
  return foldDim<Value>(dim, {
    constant: (value) => builder.constant(value),
    symbol: (name) => builder.cast(builder.extent(symbolDim(dim, name)), "f64"),
    add: (a, b) => builder.add(a, b),
    multiply: (a, b) => builder.mul(a, b),
    divide: (a, divisor) => builder.unary("floor", builder.div(a, divisor)),
  });
}

function symbolDim(dim: Dim, name: string): Dim {
  if (!symbolsOf(dim).includes(name)) throw new Error(`${dimText(dim)} does not mention ${name}`);
  return { terms: [{ coefficient: 1, factors: [name] }] };
}

/** A comparison that the ranges decide. */
function decide(op: Comparison, x: Range, y: Range): boolean | undefined {
  switch (op) {
    case "lt":
      return x.high < y.low ? true : x.low >= y.high ? false : undefined;
    case "le":
      return x.high <= y.low ? true : x.low > y.high ? false : undefined;
    case "gt":
      return decide("lt", y, x);
    case "ge":
      return decide("le", y, x);
    case "eq":
    case "ne": {
      const apart = x.high < y.low || y.high < x.low;
      return apart ? op === "ne" : undefined;
    }
  }
}

function sameDims(op: Comparison, a: ReaderValue, b: ReaderValue): boolean | undefined {
  const [x, y] = [asDim(a), asDim(b)];
  if (x === undefined || y === undefined || dimText(x) !== dimText(y)) return undefined;
  return op === "eq" || op === "le" || op === "ge";
}

export function isStaticInteger(
  value: ReaderValue,
): value is { readonly kind: "static"; readonly value: number } {
  return value.kind === "static" && rangeOf(value) !== undefined;
}
