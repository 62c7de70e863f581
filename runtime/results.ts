/** Results of calls: plain arrays and records from what a program left. */

import { evaluate, type Extents } from "./dims.ts";
import { allKinds } from "./kinds/all.ts";
import { build } from "./kinds/kind.ts";
import type { Dim, Layout, Leaf, Tree } from "./manifest.ts";

export { plainArray } from "./kinds/arrays.ts";

export function shapeOf(leaf: Leaf, extents: Extents): readonly number[] {
  return leaf.shape.map((dim) => evaluate(dim, extents) as number);
}

/** The bytes of a slot of the arena: the largest of its sizes. */
export function slotSize(sizes: readonly Dim[], extents: Extents): number {
  return Math.max(0, ...sizes.map((size) => evaluate(size, extents) ?? 0));
}

/** The bytes of the arena. */
export function arenaSize({ arena }: Layout, extents: Extents): number {
  return arena.reduce((sum, sizes) => sum + Math.ceil(slotSize(sizes, extents) / 16) * 16, 0);
}

/** The result of a call, from what `leaf` gives for each of its leaves in order. */
export function buildResult(tree: Tree, leaf: (leaf: Leaf) => unknown): unknown {
  return build(tree, leaf, allKinds);
}
