/** Making tensors. */

import { tensor as make } from "../runtime/tensor.ts";
import type { AnyShape, DType, DTypeFrom, Shape, ShapeFrom, Tensor, TensorData } from "./types.ts";

/**
 * A tensor of the given numbers: a typed array with a shape, or numbers nested as the shape is,
 * the rows typed arrays or not. The dtype is f32 unless the data is an
 * array of integers or halves or `dtype` says otherwise. The data is copied.
 * Throws a `RangeError` when the shape does not hold the data.
 */
export function tensor<const T extends TensorData, D extends DType = DTypeFrom<T>>(
  data: T,
  shape?: undefined,
  dtype?: D,
): Tensor<AnyShape, D>;
export function tensor<
  const T extends TensorData,
  const S extends Shape,
  D extends DType = DTypeFrom<T>,
>(data: T, shape: S, dtype?: D): Tensor<ShapeFrom<S>, D>;
export function tensor(data: TensorData, shape?: Shape, dtype?: DType): unknown {
  return make(data, shape, dtype);
}
