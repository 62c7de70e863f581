/** Results of calls: plain arrays and records from what a program left. */

import { countOf, type TypedArray } from "./arrays.ts";
import { evaluate, type Extents } from "./dims.ts";
import { constantOf, type Dim, type Leaf, leavesOf, type Tree } from "./manifest.ts";
import { nest } from "./tensor.ts";

export function shapeOf(leaf: Leaf, extents: Extents): readonly number[] {
  return leaf.shape.map((dim) => evaluate(dim, extents) as number);
}

/** The bytes of a slot of the arena: the largest of its sizes. */
export function slotSize(sizes: readonly Dim[], extents: Extents): number {
  return Math.max(0, ...sizes.map((size) => evaluate(size, extents) ?? 0));
}

/** Elements as the leaf wants them: copies, as arrays of numbers or typed arrays. */
export function plainArray(leaf: Leaf, shape: readonly number[], data: TypedArray): unknown {
  return leaf.as === "array" ? nest(data, shape) : rows(data, shape, 0, 0);
}

/** A typed array, or arrays of them by axis, each its own copy. */
function rows(data: TypedArray, shape: readonly number[], axis: number, start: number): unknown {
  const inner = countOf(shape.slice(axis + 1));
  if (axis >= shape.length - 1) return data.slice(start, start + (shape[axis] ?? 1));
  return Array.from({ length: shape[axis] as number }, (_, k) =>
    rows(data, shape, axis + 1, start + k * inner),
  );
}

/** The result of a call, from what `leaf` gives for each of its leaves in order. */
export function buildResult(tree: Tree, leaf: (leaf: Leaf) => unknown): unknown {
  switch (tree.kind) {
    case "leaf":
      return leaf(tree);
    case "record":
      return Object.fromEntries(
        tree.fields.map(([name, field]) => [name, buildResult(field, leaf)]),
      );
    case "tuple":
      return tree.items.map((item) => buildResult(item, leaf));
    case "table":
      return rowsOf(tree.columns, leavesOf(tree.columns).map(leaf) as readonly unknown[][]);
    case "constant":
      return constantOf(tree);
  }
}

/** The elements of a table, from an array for each leaf. */
function rowsOf(columns: Tree, leaves: readonly unknown[][]): unknown {
  return Array.from({ length: leaves[0]?.length ?? 0 }, (_, k) => {
    const parts = leaves.map((leaf) => leaf[k]).values();
    return elementOf(columns, parts);
  });
}

function elementOf(tree: Tree, parts: Iterator<unknown>): unknown {
  switch (tree.kind) {
    case "leaf": {
      const part = parts.next().value;
      return tree.as === "boolean" ? part !== 0 : part;
    }
    case "record":
      return Object.fromEntries(
        tree.fields.map(([name, field]) => [name, elementOf(field, parts)]),
      );
    case "tuple":
      return tree.items.map((item) => elementOf(item, parts));
    case "table": {
      const leaves = leavesOf(tree.columns).map(() => parts.next().value as unknown[]);
      return rowsOf(tree.columns, leaves);
    }
    case "constant":
      return constantOf(tree);
  }
}
