/**
 * Kinds of values at the border of a program: how each is taken apart, and made again. A program
 * ships those that its arguments and results have.
 */

import type { TypedArray } from "../arrays.ts";
import type { Leaf, Tree } from "../manifest.ts";
import { type Nested, Tensor } from "../tensor.ts";

/** An argument's leaf and how to hand it over. */
export type Input =
  | { readonly kind: "scalar"; readonly value: number }
  | { readonly kind: "tensor"; readonly tensor: Tensor }
  | {
      readonly kind: "copy";
      readonly leaf: Leaf;
      readonly shape: readonly number[];
      readonly data: TypedArray | Nested;
      readonly bytes: number;
    };

/** An argument whose elements are copied. */
export type Copied = Extract<Input, { readonly kind: "copy" }>;

/** The shape of an argument, until the extents in it are known. */
export interface Waiting {
  readonly path: string;
  readonly leaf: Leaf;
  readonly shape: readonly number[];
  /** How many of its extents it tells: rows that are not there have no length. */
  readonly told: number;
}

/** Arguments as far as they have been taken. */
export interface Taking {
  readonly kinds: Kinds;
  readonly inputs: Input[];
  readonly shapes: Waiting[];
}

/** What becomes of values that a tree stands for. */
export interface Kind<T extends Tree = Tree> {
  /** Checks a value, and notes the inputs that it is made of. */
  take(tree: T, value: unknown, path: string, taking: Taking): void;
  /** The value, from what `leaf` gives for each leaf in order. */
  build?(tree: T, leaf: (leaf: Leaf) => unknown, kinds: Kinds): unknown;
  /** Writes the elements of an input that is copied. */
  write?(input: Copied, view: TypedArray): void;
  /** The value of a leaf that is one number in the program, where it has no axes. */
  ofNumber?(leaf: Leaf, value: number): unknown;
  /** The value of a leaf whose elements a program left at an address. */
  ofMemory?(leaf: Leaf, shape: readonly number[], address: number): unknown;
}

/** By the `as` of a leaf, typed arrays being arrays, and the `kind` of any other tree. */
export type KindName = Exclude<Leaf["as"] | Tree["kind"], "leaf" | "typed">;
export type Kinds = { readonly [K in KindName]?: Kind };

export function kindNameOf(tree: Tree): KindName {
  if (tree.kind !== "leaf") return tree.kind;
  return tree.as === "typed" ? "array" : tree.as;
}

export function kindOf(kinds: Kinds, tree: Tree): Kind {
  return kinds[kindNameOf(tree)] as Kind;
}

export function take(tree: Tree, value: unknown, path: string, taking: Taking): void {
  kindOf(taking.kinds, tree).take(tree, value, path, taking);
}

/** The result of a call, from what `leaf` gives for each of its leaves in order. */
export function build(tree: Tree, leaf: (leaf: Leaf) => unknown, kinds: Kinds): unknown {
  return tree.kind === "leaf" ? leaf(tree) : kindOf(kinds, tree).build?.(tree, leaf, kinds);
}

export function wrong(path: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${path}: expected ${expected}, got ${describe(value)}`);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value instanceof Tensor) return `a tensor of shape [${value.shape.join(", ")}]`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
