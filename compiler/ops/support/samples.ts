/** Helpers for the samples of ops. */

import { type NdArray, ndarray, scalar } from "../../ir/ndarray.ts";
import { type DType, isFloat } from "../../ir/types.ts";

export function f64(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): NdArray {
  return ndarray("f64", shape, values);
}
export function f32(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): NdArray {
  return ndarray("f32", shape, values);
}
export function f16(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): NdArray {
  return later("f16", shape, values);
}
export function i32(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): NdArray {
  return ndarray("i32", shape, values);
}
export function u32(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): NdArray {
  return ndarray("u32", shape, values);
}
export function u8(values: readonly number[], shape: readonly number[] = [values.length]): NdArray {
  return ndarray("u8", shape, values);
}
export function bool(
  values: readonly number[],
  shape: readonly number[] = [values.length],
): NdArray {
  return ndarray("bool", shape, values);
}

/** An array that is made when it is read: the engine that only compiles may have no f16. */
function later(dtype: DType, shape: readonly number[], values: readonly number[]): NdArray {
  if (dtype !== "f16") return ndarray(dtype, shape, values);
  return {
    dtype,
    shape,
    get data() {
      return ndarray(dtype, shape, values).data;
    },
  };
}

/** An i32 scalar: an index. */
export function index(value: number): NdArray {
  return scalar("i32", value);
}

/** Different irregular numbers in (-1, 1), the same at every run. */
export function wave(dtype: DType, shape: readonly number[], phase = 0): NdArray {
  const size = shape.reduce((product, extent) => product * extent, 1);
  const values = Array.from({ length: size }, (_, k) => Math.sin(1.7 * k + 0.3 + phase));
  const scaled = isFloat(dtype) ? values : values.map((v) => Math.trunc(9 * v));
  return later(dtype, shape, dtype === "bool" ? scaled.map((v) => Number(v > 0)) : scaled);
}
