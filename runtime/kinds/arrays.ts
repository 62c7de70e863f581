/** Typed arrays and arrays of numbers, and rows of them: copied at the border. */

import {
  bytesPerElement,
  className,
  countOf,
  dtypeOfArray,
  type TypedArray,
  viewAt,
} from "../arrays.ts";
import type { Leaf } from "../manifest.ts";
import { pool } from "../storage.ts";
import { flatten, nest, type Nested, ragged } from "../tensor.ts";
import { type Copied, type Kind, type Taking, wrong } from "./kind.ts";

export const arrayKind: Kind<Leaf> = {
  take: takeArray,
  write: writeInput,
  ofMemory(leaf, shape, address) {
    const { buffer } = pool.memory.memory;
    return plainArray(leaf, shape, viewAt(buffer, address, leaf.dtype, countOf(shape)));
  },
};

/** Writes what has to be copied: all elements of a view. */
export function writeInput({ data, shape }: Copied, view: TypedArray): void {
  if (shape.length === 1 && ArrayBuffer.isView(data)) view.set(data as TypedArray);
  else if (shape.length === 1) view.set(data as readonly number[]);
  else writeRows(data as Nested, shape, 0, view, 0);
}

/** As `flatten`, with typed arrays as innermost rows. */
function writeRows(
  data: Nested | TypedArray,
  shape: readonly number[],
  axis: number,
  out: TypedArray,
  at: number,
): number {
  if (ArrayBuffer.isView(data)) {
    if (axis !== shape.length - 1 || data.length !== shape[axis]) {
      throw ragged(shape);
    }
    out.set(data, at);
    return at + data.length;
  }
  if (axis === shape.length - 1) return flatten(data, shape, axis, out, at);
  let position = at;
  const rows = data as readonly Nested[];
  if (!Array.isArray(rows) || rows.length !== shape[axis]) {
    throw ragged(shape);
  }
  for (const row of rows) position = writeRows(row, shape, axis + 1, out, position);
  return position;
}

export function takeArray(leaf: Leaf, value: unknown, path: string, taking: Taking): void {
  const rank = leaf.shape.length;
  const wanted = leaf.as === "typed" ? `a ${className(leaf.dtype)}` : "an array of numbers";
  const expected = rank > 1 ? `rows, each ${wanted}, nested ${rank} deep` : wanted;
  if (leaf.as === "typed") checkRows(leaf, value, rank, path);
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) throw wrong(path, expected, value);
  const shape =
    rank === 1 ? [(value as ArrayLike<number>).length] : measureRows(value as Nested, leaf);
  if (shape.length !== rank) throw wrong(path, expected, value);
  const empty = shape.indexOf(0);
  taking.shapes.push({ path, leaf, shape, told: empty < 0 ? rank : empty + 1 });
  const bytes = shape.reduce((product, extent) => product * extent, bytesPerElement(leaf.dtype));
  taking.inputs.push({ kind: "copy", leaf, shape, data: value as Nested, bytes });
}

/** A typed array of the dtype, or rows of them; how long these are is measured later. */
function checkRows(leaf: Leaf, value: unknown, depth: number, path: string): void {
  const wanted = `a ${className(leaf.dtype)}`;
  if (depth === 1) {
    if (!fits(leaf, value)) throw wrong(path, wanted, value);
    return;
  }
  if (!Array.isArray(value)) throw wrong(path, `rows, each ${wanted}, nested ${depth} deep`, value);
  value.forEach((row, k) => checkRows(leaf, row, depth - 1, `${path}[${k}]`));
}

function fits(leaf: Leaf, value: unknown): boolean {
  const dtype = dtypeOfArray(value);
  return dtype === leaf.dtype || (dtype === "u8" && leaf.dtype === "bool");
}

/** The shape of nested rows; where there are none, the extents below them are as expected. */
function measureRows(value: Nested, leaf: Leaf): readonly number[] {
  const shape: number[] = [];
  let inner: unknown = value;
  while (shape.length < leaf.shape.length && (Array.isArray(inner) || ArrayBuffer.isView(inner))) {
    const rows = inner as unknown as ArrayLike<unknown>;
    shape.push(rows.length);
    inner = rows[0];
    if (rows.length > 0) continue;
    for (const dim of leaf.shape.slice(shape.length)) shape.push(typeof dim === "number" ? dim : 0);
  }
  return shape;
}

/** Elements as the leaf wants them: copies, as arrays of numbers or typed arrays. */
export function plainArray(leaf: Leaf, shape: readonly number[], data: TypedArray): unknown {
  return leaf.as === "array" ? nest(data, shape) : rowsOf(data, shape, 0, 0);
}

/** A typed array, or arrays of them by axis, each its own copy. */
function rowsOf(data: TypedArray, shape: readonly number[], axis: number, start: number): unknown {
  const inner = countOf(shape.slice(axis + 1));
  if (axis >= shape.length - 1) return data.slice(start, start + (shape[axis] ?? 1));
  return Array.from({ length: shape[axis] as number }, (_, k) =>
    rowsOf(data, shape, axis + 1, start + k * inner),
  );
}
