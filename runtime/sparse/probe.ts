/**
 * The pattern of a Jacobian, from a program that says on which of 32 sets of inputs each result
 * depends. The inputs are divided into blocks, and blocks into smaller ones, until each is one
 * input; blocks that no row has in common share sets, so that a banded matrix of n columns takes
 * about log n runs and not n / 32.
 */

import { rowOf } from "./colouring.ts";
import { fromLines, type Sparsity } from "./sparsity.ts";

/** The masks of the results, from those of the inputs. */
export type Masks = (seeds: Int32Array) => Int32Array;

const bits = 32;

export function probe(size: number, masks: Masks): Sparsity {
  let width = 1;
  while (width < size) width *= 2;
  const rows = masks(new Int32Array(size)).length;
  // One block is all, and every row may depend on it.
  const all = size === 0 ? [] : [0];
  let blocks = fromLines(
    Array.from({ length: rows }, () => all),
    all.length,
  );
  while (width > 1) {
    const { count } = blocks.colouring("columns");
    let parts = 2;
    while (2 * parts * count <= bits && 2 * parts <= width) parts *= 2;
    width /= parts;
    blocks = refined(blocks, parts, width, size, masks);
  }
  // With one input there is nothing to divide, and yet something to find out.
  return size === 1 ? refined(blocks, 1, 1, size, masks) : blocks;
}

/** Blocks divided into `parts` of `width` inputs each. */
function refined(
  blocks: Sparsity,
  parts: number,
  width: number,
  size: number,
  masks: Masks,
): Sparsity {
  const { colours, count } = blocks.colouring("columns");
  const runs: Int32Array[] = [];
  for (let from = 0; from < count * parts; from += bits) {
    const seeds = new Int32Array(size);
    for (let k = 0; k < size; k++) {
      const part = Math.floor(k / width);
      const set = (colours[Math.floor(part / parts)] as number) * parts + (part % parts) - from;
      if (set >= 0 && set < bits) seeds[k] = 1 << set;
    }
    runs.push(masks(seeds));
  }
  const lines = Array.from({ length: blocks.shape[0] }, (_, row) => {
    const line: number[] = [];
    for (const block of rowOf(blocks, row)) {
      for (let part = 0; part < parts; part++) {
        const set = (colours[block] as number) * parts + part;
        const mask = runs[Math.floor(set / bits)]?.[row] ?? 0;
        if (((mask >>> (set % bits)) & 1) === 1) line.push(block * parts + part);
      }
    }
    return line;
  });
  return fromLines(lines, Math.ceil(size / width));
}
