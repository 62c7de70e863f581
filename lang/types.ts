/**
 * The types of the language. Shapes are tuple types, so a wrong `matmul` is red in any editor; a
 * dimension that the type system cannot compute is `any`, and the compiler checks it exactly.
 */

import type { HalfArray } from "../runtime/half.ts";

/** An extent. `B extends Dim` in a signature is a symbolic dimension: its size comes at run time. */
export type Dim = number;

export type Shape = readonly Dim[];

export type DType = "f64" | "f32" | "f16" | "i32" | "u32" | "u8" | "bool";

/** What the type system cannot compute: compatible with every shape and every extent. */
export type AnyShape = any;

/** What `tensor` takes: numbers, nested as the shape is, typed arrays as rows; or all in one. */
export type TensorData = NumberArray | number | NestedNumbers;
export type NestedNumbers = readonly (number | NumberArray | NestedNumbers)[];
type NumberArray = Float64Array | Float32Array | HalfArray | Int32Array | Uint32Array | Uint8Array;

/** The dtype of a tensor that is made of data, where nothing else is said. */
export type DTypeFrom<T> = T extends HalfArray
  ? "f16"
  : T extends Int32Array
    ? "i32"
    : T extends Uint32Array
      ? "u32"
      : T extends Uint8Array
        ? "u8"
        : "f32";

/** The typed array that holds elements of a dtype. */
export type DataOf<D extends DType> = D extends "f64"
  ? Float64Array
  : D extends "f32"
    ? Float32Array
    : D extends "f16"
      ? HalfArray
      : D extends "i32"
        ? Int32Array
        : D extends "u32"
          ? Uint32Array
          : Uint8Array;

export interface ReduceOptions {
  /** Leave an axis of 1 where an axis is reduced. */
  readonly keepDims?: boolean;
}

/** A shape without one axis. */
type Without<S extends Shape, A> = S extends readonly [infer P, infer Q, infer R, infer T]
  ? A extends 0 | -4
    ? [Extent<Q>, Extent<R>, Extent<T>]
    : A extends 1 | -3
      ? [Extent<P>, Extent<R>, Extent<T>]
      : A extends 2 | -2
        ? [Extent<P>, Extent<Q>, Extent<T>]
        : A extends 3 | -1
          ? [Extent<P>, Extent<Q>, Extent<R>]
          : AnyShape
  : S extends readonly [infer P, infer Q, infer R]
    ? A extends 0 | -3
      ? [Extent<Q>, Extent<R>]
      : A extends 1 | -2
        ? [Extent<P>, Extent<R>]
        : A extends 2 | -1
          ? [Extent<P>, Extent<Q>]
          : AnyShape
    : S extends readonly [infer P, infer Q]
      ? A extends 0 | -2
        ? [Extent<Q>]
        : A extends 1 | -1
          ? [Extent<P>]
          : AnyShape
      : S extends readonly [unknown]
        ? []
        : AnyShape;

type Extent<T> = T extends Dim ? T : never;

type Reversed<S extends Shape> = S extends readonly [infer P, infer Q, infer R]
  ? [Extent<R>, Extent<Q>, Extent<P>]
  : S extends readonly [infer P, infer Q]
    ? [Extent<Q>, Extent<P>]
    : S extends readonly [infer P]
      ? [Extent<P>]
      : AnyShape;

/**
 * A shape as `tensor` and `reshape` infer it from a list: no longer readonly; what is -1, or was
 * computed, is unknown.
 */
export type ShapeFrom<S extends Shape> = {
  -readonly [K in keyof S]: number extends S[K] ? AnyShape : S[K] extends -1 ? AnyShape : S[K];
};

/**
 * An immutable array of numbers with a shape. In compiled code its operations are fused and
 * planned; elsewhere they run eagerly.
 */
export interface Tensor<S extends Shape = AnyShape, D extends DType = "f32"> {
  readonly shape: S;
  readonly dtype: D;

  /** The elements in row-major order. */
  data(): Promise<DataOf<D>>;
  /** The elements, at once: on `js` and `wasm`. */
  dataSync(): DataOf<D>;
  /** The elements nested as the shape is. */
  toArray(): Promise<AnyShape>;
  /** The number that a tensor of one element holds. */
  item(): number;
  /** Frees its memory now; without it, memory returns when the value is collected. */
  [Symbol.dispose](): void;

  // Elementwise. Shapes combine as in NumPy: aligned at the last axis, 1 stretches.

  add: Combine<S, D>;
  sub: Combine<S, D>;
  mul: Combine<S, D>;
  div: Combine<S, D>;
  /** The remainder, with the sign of the dividend, as `%`. */
  rem: Combine<S, D>;
  pow: Combine<S, D>;
  atan2: Combine<S, D>;
  hypot: Combine<S, D>;
  maximum: Combine<S, D>;
  minimum: Combine<S, D>;
  equal: Compare<S, D>;
  notEqual: Compare<S, D>;
  less: Compare<S, D>;
  lessEqual: Compare<S, D>;
  greater: Compare<S, D>;
  greaterEqual: Compare<S, D>;
  logicalAnd: Combine<S, D>;
  logicalOr: Combine<S, D>;
  logicalXor: Combine<S, D>;
  logicalNot(): Tensor<S, D>;
  bitwiseAnd: Combine<S, D>;
  bitwiseOr: Combine<S, D>;
  bitwiseXor: Combine<S, D>;
  leftShift: Combine<S, D>;
  rightShift: Combine<S, D>;
  clip(low: number, high: number): Tensor<S, D>;

  neg(): Tensor<S, D>;
  abs(): Tensor<S, D>;
  sign(): Tensor<S, D>;
  floor(): Tensor<S, D>;
  ceil(): Tensor<S, D>;
  /** The nearest integer, halves upwards, as `Math.round`. */
  round(): Tensor<S, D>;
  trunc(): Tensor<S, D>;
  sqrt(): Tensor<S, D>;
  /** 1/√x */
  rsqrt(): Tensor<S, D>;
  cbrt(): Tensor<S, D>;
  square(): Tensor<S, D>;
  reciprocal(): Tensor<S, D>;
  exp(): Tensor<S, D>;
  expm1(): Tensor<S, D>;
  log(): Tensor<S, D>;
  log1p(): Tensor<S, D>;
  log2(): Tensor<S, D>;
  log10(): Tensor<S, D>;
  sin(): Tensor<S, D>;
  cos(): Tensor<S, D>;
  tan(): Tensor<S, D>;
  asin(): Tensor<S, D>;
  acos(): Tensor<S, D>;
  atan(): Tensor<S, D>;
  sinh(): Tensor<S, D>;
  cosh(): Tensor<S, D>;
  tanh(): Tensor<S, D>;
  asinh(): Tensor<S, D>;
  acosh(): Tensor<S, D>;
  atanh(): Tensor<S, D>;
  erf(): Tensor<S, D>;
  isNaN(): Tensor<S, "bool">;
  /** max(x, 0) */
  relu(): Tensor<S, D>;
  /** 1 / (1 + e^-x) */
  sigmoid(): Tensor<S, D>;
  /** The value, with no derivative through it. */
  stopGradient(): Tensor<S, D>;
  cast<E extends DType>(dtype: E): Tensor<S, E>;

  // Reductions, over one axis, a list of axes, or all.

  sum: Reduce<S, D>;
  prod: Reduce<S, D>;
  mean: Reduce<S, D>;
  /** The mean squared distance from the mean. */
  variance: Reduce<S, D>;
  max: Reduce<S, D>;
  min: Reduce<S, D>;
  any: Reduce<S, D>;
  all: Reduce<S, D>;
  /** log Σ eˣ */
  logSumExp: Reduce<S, D>;
  /** The position of the greatest element along an axis, the last by default; the first of equals. */
  argmax<A extends number = -1>(axis?: A): Tensor<Without<S, A>, "i32">;
  argmin<A extends number = -1>(axis?: A): Tensor<Without<S, A>, "i32">;
  /** Running sums along an axis, the last by default. */
  cumsum(axis?: number): Tensor<S, D>;
  softmax(axis?: number): Tensor<S, D>;
  logSoftmax(axis?: number): Tensor<S, D>;

  // Products

  /** NumPy's `matmul`. */
  matmul: MatMul<D>;
  /** The sum of products of two vectors; else as `matmul`. */
  dot(other: Tensor<AnyShape, D>): Tensor<AnyShape, D>;
  /** [m], [n] → [m, n] */
  outer<M extends Dim, N extends Dim>(
    this: Tensor<[M], D>,
    other: Tensor<[N], D>,
  ): Tensor<[M, N], D>;

  // Shape

  /** The same elements in another shape; one -1 stands for what is left. */
  reshape<const T extends Shape>(shape: T): Tensor<ShapeFrom<T>, D>;
  /** Axes in the given order, or reversed. */
  transpose(): Tensor<Reversed<S>, D>;
  transpose(order: readonly number[]): Tensor<AnyShape, D>;
  /** One axis, of the elements from `from` on. */
  flatten(options?: { readonly from?: number }): Tensor<AnyShape, D>;
  expandDims(axis?: number): Tensor<AnyShape, D>;
  /** Without an axis of 1, or without all of them. */
  squeeze(axis?: number): Tensor<AnyShape, D>;
  broadcastTo<const T extends Shape>(shape: T): Tensor<ShapeFrom<T>, D>;
  /** Elements `start` … `end - 1` of an axis; negative bounds count from its end. */
  slice(axis: number, start?: number, end?: number, step?: number): Tensor<AnyShape, D>;
  /** `size` elements of an axis from a start that the program computes. */
  dynamicSlice(start: number, size: number, axis?: number): Tensor<AnyShape, D>;
  /** Zeros around each axis: a pair [low, high] an axis. */
  pad(amounts: readonly (readonly [number, number])[]): Tensor<AnyShape, D>;
  flip(axis?: number): Tensor<S, D>;
  split(parts: number, axis?: number): readonly Tensor<AnyShape, D>[];
  /** The elements at positions along an axis. */
  take(indices: Tensor<AnyShape, "i32">, axis?: number): Tensor<AnyShape, D>;
}

export interface Combine<S extends Shape, D extends DType> {
  (other: number | Tensor<S, D> | Tensor<[], D>): Tensor<S, D>;
  <H extends Dim>(this: Tensor<readonly [...AnyShape, H], D>, other: Tensor<[H], D>): Tensor<S, D>;
  (other: Tensor<AnyShape, D>): Tensor<AnyShape, D>;
}

export interface Compare<S extends Shape, D extends DType> {
  (other: number | Tensor<S, D> | Tensor<[], D>): Tensor<S, "bool">;
  (other: Tensor<AnyShape, D>): Tensor<AnyShape, "bool">;
}

export interface Reduce<S extends Shape, D extends DType> {
  (): Tensor<[], D>;
  <A extends number>(axis: A): Tensor<Without<S, A>, D>;
  (axis: number | readonly number[] | undefined, options?: ReduceOptions): Tensor<AnyShape, D>;
}

/** Contracts the last axis of the first with the second last (or only) axis of the second. */
export interface MatMul<D extends DType> {
  <M extends Dim, K extends Dim, N extends Dim>(
    this: Tensor<[M, K], D>,
    other: Tensor<[NoInfer<K>, N], D>,
  ): Tensor<[M, N], D>;
  <M extends Dim, K extends Dim>(
    this: Tensor<[M, K], D>,
    other: Tensor<[NoInfer<K>], D>,
  ): Tensor<[M], D>;
  <K extends Dim, N extends Dim>(
    this: Tensor<[K], D>,
    other: Tensor<[NoInfer<K>, N], D>,
  ): Tensor<[N], D>;
  <K extends Dim>(this: Tensor<[K], D>, other: Tensor<[NoInfer<K>], D>): Tensor<[], D>;
  <B extends Dim, M extends Dim, K extends Dim, N extends Dim>(
    this: Tensor<[B, M, K], D>,
    other: Tensor<[NoInfer<B>, NoInfer<K>, N], D> | Tensor<[NoInfer<K>, N], D>,
  ): Tensor<[B, M, N], D>;
  <A extends Dim, B extends Dim, M extends Dim, K extends Dim, N extends Dim>(
    this: Tensor<[A, B, M, K], D>,
    other: Tensor<[NoInfer<A>, NoInfer<B>, NoInfer<K>, N], D> | Tensor<[NoInfer<K>, N], D>,
  ): Tensor<[A, B, M, N], D>;
  // Again, last: an error quotes the last signature, and this is the one that most calls mean.
  <M extends Dim, K extends Dim, N extends Dim>(
    this: Tensor<[M, K], D>,
    other: Tensor<[NoInfer<K>, N], D>,
  ): Tensor<[M, N], D>;
}
