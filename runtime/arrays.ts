/** Typed arrays by element type. */

import type { HalfArray } from "./half.ts";
import type { DType } from "./manifest.ts";

export type TypedArray =
  Float64Array | Float32Array | HalfArray | Int32Array | Uint32Array | Uint8Array;

export function bytesPerElement(dtype: DType): number {
  if (dtype === "f64") return 8;
  if (dtype === "f16") return 2;
  return dtype === "u8" || dtype === "bool" ? 1 : 4;
}

export function newArray(dtype: DType, length: number): TypedArray {
  return new (arrayClass(dtype))(length);
}

/** A view of `length` elements at an address. */
export function viewAt(
  buffer: ArrayBufferLike,
  address: number,
  dtype: DType,
  length: number,
): TypedArray {
  return new (arrayClass(dtype))(buffer, address, length);
}

/** As `viewAt`, for elements that only move: an engine may have no numbers of the type. */
export function cellsAt(
  buffer: ArrayBufferLike,
  address: number,
  dtype: DType,
  length: number,
): TypedArray {
  if (dtype !== "f16" || hasHalves) return viewAt(buffer, address, dtype, length);
  return new Uint16Array(buffer, address, length) as unknown as TypedArray;
}

/** The element type of a typed array of ours; undefined for anything else. */
export function dtypeOfArray(value: unknown): DType | undefined {
  if (value instanceof Float32Array) return "f32";
  if (value instanceof Float64Array) return "f64";
  if (halfClass !== undefined && value instanceof halfClass) return "f16";
  if (value instanceof Int32Array) return "i32";
  if (value instanceof Uint32Array) return "u32";
  return value instanceof Uint8Array ? "u8" : undefined;
}

export function className(dtype: DType): string {
  return dtype === "f16" ? "Float16Array" : arrayClass(dtype).name;
}

export function countOf(shape: readonly number[]): number {
  return shape.reduce((product, extent) => product * extent, 1);
}

interface ArrayClass {
  readonly name: string;
  new (length: number): TypedArray;
  new (buffer: ArrayBufferLike, offset: number, length: number): TypedArray;
}

/** Engines have it since 2025. */
const halfClass = (globalThis as { readonly Float16Array?: ArrayClass }).Float16Array;

export const hasHalves = halfClass !== undefined;

function arrayClass(dtype: DType): ArrayClass {
  switch (dtype) {
    case "f64":
      return Float64Array;
    case "f32":
      return Float32Array;
    case "f16":
      if (halfClass !== undefined) return halfClass;
      throw new TypeError(
        "this engine has no Float16Array, so f16 does not pass its border; cast to f32 in compiled code",
      );
    case "i32":
      return Int32Array;
    case "u32":
      return Uint32Array;
    case "u8":
    case "bool":
      return Uint8Array;
  }
}
