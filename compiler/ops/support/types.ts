/** Helpers for type rules: what they ask of inputs, and the sentences when it does not hold. */

import {
  type Dim,
  addDims,
  dimText,
  divideDim,
  sameDim,
  sameShape,
  shapeText,
} from "../../ir/dim.ts";
import {
  arrayType,
  type DType,
  isFloat,
  type Shape,
  typeText,
  type ValueType,
} from "../../ir/types.ts";
import { fault } from "../define.ts";

export const floats: readonly DType[] = ["f64", "f32", "f16"];
export const signed: readonly DType[] = ["f64", "f32", "f16", "i32"];
export const arithmetic: readonly DType[] = ["f64", "f32", "f16", "i32", "u32"];
export const integral: readonly DType[] = ["i32", "u32"];
export const boolean: readonly DType[] = ["bool"];

export function one<T>(items: readonly T[]): T {
  if (items.length !== 1) miscount(1, items.length);
  return items[0] as T;
}

export function two<T>(items: readonly T[]): readonly [T, T] {
  if (items.length !== 2) miscount(2, items.length);
  return items as readonly T[] as readonly [T, T];
}

export function three<T>(items: readonly T[]): readonly [T, T, T] {
  if (items.length !== 3) miscount(3, items.length);
  return items as readonly T[] as readonly [T, T, T];
}

export function none(items: readonly unknown[]): void {
  if (items.length !== 0) miscount(0, items.length);
}

export function expectDtype(type: ValueType, allowed: readonly DType[]): void {
  if (allowed.includes(type.dtype)) return;
  const wanted = allowed.every(isFloat)
    ? "floating-point numbers"
    : allowed.length === 1 && allowed[0] === "bool"
      ? "booleans"
      : allowed === integral
        ? "integers"
        : `elements of type ${allowed.join(", ")}`;
  fault(`this needs ${wanted}, and the operand has type ${typeText(type)}`);
}

export function expectSameDtype(x: ValueType, y: ValueType): void {
  if (x.dtype !== y.dtype) {
    fault(`the operands have different element types: ${typeText(x)} and ${typeText(y)}`);
  }
}

export function expectSameShape(x: ValueType, y: ValueType): void {
  if (!sameShape(x.shape, y.shape)) {
    fault(`the operands have different shapes: ${shapeText(x.shape)} and ${shapeText(y.shape)}`);
  }
}

export function expectSameDim(a: Dim, b: Dim, what: string): void {
  if (!sameDim(a, b)) fault(`${what} must be equal: ${dimText(a)} and ${dimText(b)}`);
}

/** An integer scalar, as indices and counts are. */
export function expectIndex(type: ValueType): void {
  if (type.dtype !== "i32" || type.shape.length !== 0) {
    fault(`an index must be one 32-bit integer, and this one has type ${typeText(type)}`);
  }
}

/** An axis of a shape, within its rank. */
export function expectAxis(shape: Shape, axis: number): void {
  if (axis < 0 || axis >= shape.length) {
    fault(`axis ${axis} does not exist in a value of shape ${shapeText(shape)}`);
  }
}

/** Different axes of a shape. */
export function expectAxes(shape: Shape, axes: readonly number[]): void {
  for (const axis of axes) expectAxis(shape, axis);
  if (new Set(axes).size !== axes.length) fault(`an axis is named twice: [${axes}]`);
}

/** A dimension that is known to be negative is refused; a symbolic one passes. */
export function expectExtent(dim: Dim, what: string): void {
  if (typeof dim === "number" && !(dim >= 0)) fault(`${what} must not be negative: ${dim}`);
}

/** All inputs have one dtype, one of `allowed`, and one shape; that type. */
export function expectAligned(inputs: readonly ValueType[], allowed: readonly DType[]): ValueType {
  const first = inputs[0] as ValueType;
  for (const type of inputs) {
    expectSameDtype(first, type);
    expectDtype(type, allowed);
    expectSameShape(first, type);
  }
  return first;
}

export function withoutAxes(shape: Shape, axes: readonly number[]): Shape {
  return shape.filter((_, axis) => !axes.includes(axis));
}

/** The axes of a rank that `axes` does not name, in order. */
export function otherAxes(rank: number, axes: readonly number[]): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
}

/** The permutation that undoes one. */
export function inverse(permutation: readonly number[]): readonly number[] {
  const result = permutation.map(() => 0);
  permutation.forEach((axis, k) => (result[axis] = k));
  return result;
}

export function withDim(shape: Shape, axis: number, dim: Dim): Shape {
  return shape.map((old, k) => (k === axis ? dim : old));
}

export function like(type: ValueType, dtype: DType): ValueType {
  return arrayType(dtype, type.shape);
}

/** Places that a window of `extent` elements takes in `dim` padded elements: floor + 1. */
export function windowCount(
  dim: Dim,
  window: {
    readonly extent: number;
    readonly stride: number;
    readonly low: number;
    readonly high: number;
  },
): Dim {
  const slack = addDims(dim, window.low + window.high - window.extent);
  if (typeof slack === "number" && slack < 0) {
    fault(
      `a window of ${window.extent} elements does not fit into ${dimText(dim)}` +
        (window.low + window.high > 0 ? ` with ${window.low}+${window.high} of padding` : ""),
    );
  }
  return addDims(divideDim(slack, window.stride), 1);
}

function miscount(expected: number, actual: number): never {
  throw new Error(`an equation needs ${expected} operands and has ${actual}`);
}
