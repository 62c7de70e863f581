/** Arrays as the interpreter and the reference meanings see them: dense, row-major. */

import { newArray, type TypedArray } from "../../runtime/arrays.ts";
import type { DType } from "./types.ts";

export type { TypedArray } from "../../runtime/arrays.ts";

export interface NdArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TypedArray;
}

/** Zeros of a dtype. A `bool` array is bytes, 0 or 1. */
export function allocate(dtype: DType, length: number): TypedArray {
  return newArray(dtype, length);
}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

export function ndarray(
  dtype: DType,
  shape: readonly number[],
  values: ArrayLike<number>,
): NdArray {
  const data = allocate(dtype, sizeOf(shape));
  if (values.length !== data.length) {
    throw new Error(
      `shape [${shape}] holds ${data.length} elements, and ${values.length} are given`,
    );
  }
  data.set(values);
  return { dtype, shape, data };
}

export function zeros(dtype: DType, shape: readonly number[]): NdArray {
  return { dtype, shape, data: allocate(dtype, sizeOf(shape)) };
}

export function scalar(dtype: DType, value: number | boolean): NdArray {
  return ndarray(dtype, [], [Number(value)]);
}

/** Elements to step over for each axis. */
export function stridesOf(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    strides[axis] = (strides[axis + 1] as number) * (shape[axis + 1] as number);
  }
  return strides;
}

/** Calls `visit` for each index of `shape` in row-major order. The index array is reused. */
export function forEachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], position: number) => void,
): void {
  const size = sizeOf(shape);
  const index = shape.map(() => 0);
  for (let position = 0; position < size; position++) {
    visit(index, position);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      index[axis] = 0;
    }
  }
}

/** Position of an index in row-major order. */
export function offsetOf(index: readonly number[], strides: readonly number[]): number {
  let offset = 0;
  for (let axis = 0; axis < index.length; axis++) {
    offset += (index[axis] as number) * (strides[axis] as number);
  }
  return offset;
}
