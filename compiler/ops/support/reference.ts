/** Helpers for reference meanings: element loops over dense arrays. */

import type { Dim } from "../../ir/dim.ts";
import {
  allocate,
  forEachIndex,
  type NdArray,
  offsetOf,
  sizeOf,
  stridesOf,
  type TypedArray,
} from "../../ir/ndarray.ts";
import type { DType, Parameters } from "../../ir/types.ts";
import type { Reference, ReferenceContext } from "../define.ts";

type ConcreteType = ReferenceContext["outputs"][number];

/** The type of the single output. */
export function outputOf(context: ReferenceContext): ConcreteType {
  return context.outputs[0] as ConcreteType;
}

/** A fresh array of the output's type; the store rounds f32 and wraps integers. */
export function fill(type: ConcreteType, data: (out: TypedArray) => void): readonly NdArray[] {
  const out = allocate(type.dtype, sizeOf(type.shape));
  data(out);
  return [{ dtype: type.dtype, shape: type.shape, data: out }];
}

/** One element from the elements at the same place. `dtype` is that of the operands. */
export function elementwise(
  f: (dtype: DType, x: number, y: number, z: number) => number,
): Reference {
  return (inputs, _parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, y, z] = inputs;
      const dtype = (y ?? x)?.dtype ?? "f64";
      for (let k = 0; k < out.length; k++) {
        out[k] = f(dtype, x?.data[k] ?? 0, y?.data[k] ?? 0, z?.data[k] ?? 0);
      }
    });
}

/** The same bytes in a new array of the output's type. */
export const identity: Reference = (inputs, _parameters, context) =>
  fill(outputOf(context), (out) => out.set((inputs[0] as NdArray).data));

/**
 * Around an axis every array is [outer, n, inner]: the position of element 0 of each line
 * along the axis, and the distance between its elements.
 */
export function forEachLine(
  shape: readonly number[],
  axis: number,
  visit: (start: number, step: number, length: number) => void,
): void {
  const length = shape[axis] as number;
  const inner = sizeOf(shape.slice(axis + 1));
  const outer = sizeOf(shape.slice(0, axis));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) visit(o * length * inner + i, inner, length);
  }
}

/** Strides of a shape, one for each of the axes listed. */
export function stridesAt(shape: readonly number[], axes: readonly number[]): readonly number[] {
  const strides = stridesOf(shape);
  return axes.map((axis) => strides[axis] as number);
}

export function extentsAt(shape: readonly number[], axes: readonly number[]): readonly number[] {
  return axes.map((axis) => shape[axis] as number);
}

/** Each output element is the input element at `place(index)`. */
export function rearrange(
  place: (
    index: readonly number[],
    parameters: Parameters,
    extent: (dim: Dim) => number,
    shape: readonly number[],
  ) => readonly number[],
): Reference {
  return (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const x = inputs[0] as NdArray;
      const strides = stridesOf(x.shape);
      const { shape } = outputOf(context);
      forEachIndex(shape, (index, position) => {
        const from = place(index, parameters, context.extent, shape);
        out[position] = x.data[offsetOf(from, strides)] as number;
      });
    });
}

/** What a program throws when an index leaves its axis. */
export function outOfRange(index: number, extent: number): RangeError {
  return new RangeError(`index ${index} is out of range for length ${extent}`);
}
