/** Derivatives without the compiler: differences of eighth order on the plain functions. */

import { expect } from "vitest";

/** Weights of f(x ± k h), k = 1 … 4. */
const weights = [4 / 5, -1 / 5, 4 / 105, -1 / 280];

interface Options {
  readonly step?: number;
  /** Which numbers of `x` are changed; all, if nothing is said. */
  readonly columns?: readonly number[];
}

/** ∂f/∂x, column by column: what changing each number of `x` in place does to what `f` gives. */
export function differences(
  f: () => readonly number[],
  x: Float64Array,
  { step = 0.003, columns = [...x.keys()] }: Options = {},
): readonly (readonly number[])[] {
  return columns.map((j) => {
    const value = x[j];
    const at = (shift: number): readonly number[] => {
      x[j] = value + shift * step;
      const result = [...f()];
      x[j] = value;
      return result;
    };
    const sums = f().map(() => 0);
    for (const [k, weight] of weights.entries()) {
      const [after, before] = [at(k + 1), at(-k - 1)];
      for (let i = 0; i < sums.length; i++) sums[i] += weight * (after[i] - before[i]);
    }
    return sums.map((sum) => sum / step);
  });
}

/** The gradient of a function of one number. */
export function slope(f: () => number, x: Float64Array, options?: Options): readonly number[] {
  return differences(() => [f()], x, options).map(([value]) => value);
}

/** Some of the places of an array: the first, the last, and others strewn over it. */
export function strewn(length: number, count: number): readonly number[] {
  if (count >= length) return Array.from({ length }, (_, k) => k);
  const golden = (Math.sqrt(5) - 1) / 2;
  const places = Array.from({ length: count }, (_, k) => Math.floor(length * ((golden * k) % 1)));
  return [...new Set([...places, length - 1])];
}

export function transpose(table: readonly (readonly number[])[]): readonly (readonly number[])[] {
  return (table[0] ?? []).map((_, row) => table.map((column) => column[row]));
}

/** The same structure, and numbers no further apart than a part of the largest. */
export function expectClose(actual: unknown, expected: unknown, tolerance = 1e-9): void {
  const [found, wanted] = [numbers(actual), numbers(expected)];
  expect(structure(actual)).toEqual(structure(expected));
  const largest = Math.max(...wanted.map(Math.abs));
  const apart = Math.max(...found.map((value, k) => Math.abs(value - wanted[k])));
  expect(apart).toBeLessThanOrEqual(tolerance * largest);
}

function numbers(value: unknown): readonly number[] {
  if (typeof value === "number") return [value];
  if (typeof value !== "object" || value === null) return [Number.NaN];
  return Object.values(value).flatMap(numbers);
}

function structure(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structure);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, structure(part)]));
}
