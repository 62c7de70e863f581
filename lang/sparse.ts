/**
 * Sparse Jacobians and Hessians: their patterns, and their entries from few directions. Roots, as
 * those of `roots.ts`.
 */

import type { HalfArray } from "../runtime/half.ts";
import {
  type CompressedRows,
  hessianBy,
  hessianPatternOf,
  jacobianBy,
  patternOf,
  type SparseMatrix as Matrix,
  type Sparsity as Pattern,
  sparsityOf as patternOfRows,
} from "../runtime/sparse/index.ts";
import { eagerDirections, eagerMasks, eagerProducts } from "./eagerSparse.ts";
import { grad, type GradOptions, type Scalar } from "./roots.ts";
import type { AnyShape, Dim, Shape, Tensor } from "./types.ts";

/**
 * Where a matrix may be other than zero: `shape`, and by rows `rowPointers` and `columns`, ascending
 * in each row. `colouring(by)` are colours for its "columns" or "rows", or for a "symmetric" one for
 * both: as many directions as colours tell all of its entries.
 */
export type Sparsity = Pattern;

/**
 * A matrix by rows: those entries of row `i` that its pattern has are
 * `values[rowPointers[i]]` … `values[rowPointers[i + 1] - 1]`, in the columns `columns[…]`.
 */
export type SparseMatrix = Matrix;

/** An array of numbers of any kind, or a number. */
type Numbers =
  | number
  | Float64Array
  | Float32Array
  | HalfArray
  | readonly number[]
  | readonly (readonly number[])[]
  | Tensor<AnyShape, "f64">
  | Tensor<AnyShape, "f32">
  | Tensor<AnyShape, "f16">;

/** Many things of one kind: an axis more for arrays, and for each part of a record. */
export type Rows<T> = T extends number
  ? Float64Array
  : T extends Tensor<infer S, infer D>
    ? Tensor<[Shape[number], ...S] extends infer R extends Shape ? R : readonly Dim[], D>
    : T extends Float64Array | Float32Array | HalfArray
      ? T[]
      : T extends readonly (infer E)[]
        ? number extends T["length"]
          ? E[][]
          : { [K in keyof T]: Rows<T[K]> }
        : { [K in keyof T]: Rows<T[K]> };

/**
 * The Jacobian times many directions: `jvps(f)(directions, …args)` is the derivative of `f` at
 * `args` along each of them.
 */
export function jvps<A extends unknown[], R, const N extends number = 0>(
  f: (...args: A) => R,
  options: GradOptions<N> = {},
): (directions: Rows<A[N]>, ...args: A) => Rows<R> {
  return (directions, ...args) =>
    eagerDirections("jvps", f, options.argnums ?? 0, directions, args) as Rows<R>;
}

/**
 * Many directions times the Jacobian: `vjps(f)(directions, …args)` are the cotangents of the
 * argument, one for each cotangent of the result.
 */
export function vjps<A extends unknown[], R, const N extends number = 0>(
  f: (...args: A) => R,
  options: GradOptions<N> = {},
): (directions: Rows<R>, ...args: A) => Rows<A[N]> {
  return (directions, ...args) =>
    eagerDirections("vjps", f, options.argnums ?? 0, directions, args) as Rows<A[N]>;
}

/**
 * The pattern of the Jacobian of `f`: rows are the elements of its result, columns those of one
 * argument. It holds at all values of that argument, at the sizes and the other arguments given.
 */
export function sparsity<A extends unknown[]>(
  f: (...args: A) => Numbers,
  options: GradOptions<number> = {},
): (...args: A) => Sparsity {
  const position = options.argnums ?? 0;
  return patternOf(eagerMasks("sparsity", f, position), position);
}

/** The pattern of the matrix of second derivatives of a scalar function. */
export function hessianSparsity<A extends unknown[]>(
  f: (...args: A) => Scalar,
  options: GradOptions<number> = {},
): (...args: A) => Sparsity {
  const position = options.argnums ?? 0;
  const masks = eagerMasks("hessianSparsity", grad(f, { argnums: position }), position);
  return hessianPatternOf(masks, position);
}

/**
 * The Jacobian of `f` in a pattern that contains it, forward by columns or in reverse by rows,
 * whichever needs fewer directions: `sparseJacobian(f)(pattern, …args)`. Throws a `RangeError` where
 * the pattern has another shape.
 */
export function sparseJacobian<A extends unknown[]>(
  f: (...args: A) => Numbers,
  options: GradOptions<number> = {},
): (pattern: Sparsity, ...args: A) => SparseMatrix {
  const position = options.argnums ?? 0;
  return jacobianBy(
    eagerProducts("jvps", "sparseJacobian", f, position),
    eagerProducts("vjps", "sparseJacobian", f, position),
  );
}

/** As `sparseJacobian`, always forward: a direction for each colour of the columns. */
export function sparseJacfwd<A extends unknown[]>(
  f: (...args: A) => Numbers,
  options: GradOptions<number> = {},
): (pattern: Sparsity, ...args: A) => SparseMatrix {
  const forward = eagerProducts("jvps", "sparseJacfwd", f, options.argnums ?? 0);
  return jacobianBy(forward, undefined);
}

/** As `sparseJacobian`, always in reverse: a direction for each colour of the rows. */
export function sparseJacrev<A extends unknown[]>(
  f: (...args: A) => Numbers,
  options: GradOptions<number> = {},
): (pattern: Sparsity, ...args: A) => SparseMatrix {
  const reverse = eagerProducts("vjps", "sparseJacrev", f, options.argnums ?? 0);
  return jacobianBy(undefined, reverse);
}

/**
 * The matrix of second derivatives of a scalar function in a symmetric pattern that contains it.
 * Throws a `RangeError` where the pattern is not symmetric, or has another shape.
 */
export function sparseHessian<A extends unknown[]>(
  f: (...args: A) => Scalar,
  options: GradOptions<number> = {},
): (pattern: Sparsity, ...args: A) => SparseMatrix {
  const position = options.argnums ?? 0;
  const gradient = grad(f, { argnums: position });
  return hessianBy(eagerProducts("jvps", "sparseHessian", gradient, position));
}

/**
 * A pattern of your own: for each row the columns of its entries, in any order; or rows one after
 * the other, as `rowPointers` and `columns`. Throws a `RangeError` where a column is not below
 * `columns`.
 */
export function sparsityOf(
  rows: readonly (readonly number[])[] | CompressedRows,
  columns: number,
): Sparsity {
  return patternOfRows(rows, columns);
}
