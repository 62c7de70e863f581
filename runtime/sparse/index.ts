/** What a build puts in place of `sparsity`, `sparseJacobian` and the like: programs, and these. */

import type { Program } from "../load.ts";
import { Tensor } from "../tensor.ts";
import { probe } from "./probe.ts";
import { type Sharing, type Sparsity, symmetrized } from "./sparsity.ts";

export { type CompressedRows, Sparsity, sparsityOf } from "./sparsity.ts";
export type { Colouring } from "./colouring.ts";

/** A matrix by rows, its columns ascending in each row; `values` of all of its pattern. */
export interface SparseMatrix {
  readonly shape: readonly [rows: number, columns: number];
  readonly rowPointers: Int32Array;
  readonly columns: Int32Array;
  readonly values: Float64Array;
}

type Patterned = (...args: readonly unknown[]) => Sparsity;
type Evaluated = (pattern: Sparsity, ...args: readonly unknown[]) => SparseMatrix;

/** `masks(seeds, …args)` are those of the results; argument `position` is what they are of. */
export function patternOf(masks: Program, position: number): Patterned {
  return (...args) => probe(sizeOf(args[position]), (seeds) => masks(seeds, ...args) as Int32Array);
}

/** The same of a gradient: symmetric. */
export function hessianPatternOf(masks: Program, position: number): Patterned {
  const pattern = patternOf(masks, position);
  return (...args) => symmetrized(pattern(...args));
}

/**
 * `forward(directions, …args)` are the derivatives along rows of inputs, one after the other;
 * `reverse(directions, …args)` those of rows of results. One of them may be missing.
 */
export function jacobianBy(forward: Program | undefined, reverse: Program | undefined): Evaluated {
  return (pattern, ...args) => {
    const by =
      reverse === undefined ? "columns" : forward === undefined ? "rows" : pattern.cheapest();
    return evaluate(pattern, by, (by === "rows" ? reverse : forward) as Program, args);
  };
}

/** `products(directions, …args)` are the Hessian times each direction. */
export function hessianBy(products: Program): Evaluated {
  return (pattern, ...args) => evaluate(pattern, "symmetric", products, args);
}

function evaluate(
  pattern: Sparsity,
  by: Sharing,
  products: Program,
  args: readonly unknown[],
): SparseMatrix {
  const { shape, rowPointers, columns } = pattern;
  const { colours, count, sources } = pattern.colouring(by);
  const directions = Array.from({ length: count }, () => new Float64Array(colours.length));
  colours.forEach((colour, k) => ((directions[colour] as Float64Array)[k] = 1));
  const given = products(directions, ...args) as Float64Array;
  const other = by === "rows" ? shape[1] : shape[0];
  if (given.length !== count * other) {
    const side = by === "rows" ? "argument" : "result";
    throw new RangeError(
      `the pattern is ${shape[0]} × ${shape[1]}, and the ${side} has ${given.length / count} elements`,
    );
  }
  const values = new Float64Array(sources.length);
  for (let k = 0; k < sources.length; k++) values[k] = given[sources[k] as number] as number;
  return { shape, rowPointers, columns, values };
}

/** How many numbers an argument is made of. */
function sizeOf(value: unknown): number {
  if (value instanceof Tensor) return value.shape.reduce((size, extent) => size * extent, 1);
  if (ArrayBuffer.isView(value)) return (value as Float64Array).length;
  if (!Array.isArray(value)) return 1;
  return value.length === 0 ? 0 : value.length * sizeOf(value[0]);
}
