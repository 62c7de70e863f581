/** GradBench `det`: a determinant by expansion along the first row that is left. */

import { compile, grad } from "fluxion";
import { plain, type Prepare, type Runs, work } from "./problem.ts";

/** Rings of what is left: `next[i]` follows `i`, and the last place, `size`, is before the first. */
interface Ring {
  readonly next: Int32Array;
  readonly size: number;
}

/**
 * The determinant of rows `row` and below, without the columns that are not in the ring. A column
 * is taken out of the ring while its minor is computed, and put back.
 */
function minor(a: Float64Array, row: number, columns: Ring): number {
  const { next, size } = columns;
  if (row === size) return 1;
  let total = 0;
  let sign = 1;
  let before = size;
  for (let column = next[before]; column !== size; column = next[column]) {
    next[before] = next[column];
    total += sign * a[row * size + column] * minor(a, row + 1, columns);
    next[before] = column;
    sign = -sign;
    before = column;
  }
  return total;
}

/** The determinant of a square matrix of `size` rows, one after the other. */
export function determinant(a: Float64Array, size: number): number {
  const next = new Int32Array(size + 1);
  for (let i = 0; i < size; i++) next[i] = i + 1;
  next[size] = 0;
  return minor(a, 0, { next, size });
}

export const value = compile(determinant);
export const slope = grad(determinant);

interface Input extends Runs {
  readonly A: readonly number[];
  readonly ell: number;
}

export const primal: Prepare<Input> = ({ A, ell }) => {
  const a = Float64Array.from(A);
  return work(() => value(a, ell), plain);
};

export const gradient: Prepare<Input> = ({ A, ell }) => {
  const a = Float64Array.from(A);
  return work(() => slope(a, ell), Array.from<number>);
};
