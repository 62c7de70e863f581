/** What a function is given and gives back: its trees, as TypeScript. */

import { type Dim, sameDim, symbol } from "../ir/dim.ts";
import type { Value } from "../ir/types.ts";
import { type Argument, constantOf, type Leaf, type Tree } from "../../runtime/manifest.ts";
import { atom, numberText, within } from "./expressions.ts";
import { elementsOfTensor, handedOn } from "./loops.ts";
import { tensorOf, tensorText } from "./tensors.ts";
import { plainType, type Writing } from "./writing.ts";

/** The leaves of trees, in order. */
export function leavesOf(trees: readonly Tree[]): readonly Leaf[] {
  return trees.flatMap((tree): readonly Leaf[] => {
    switch (tree.kind) {
      case "leaf":
        return [tree];
      case "record":
        return leavesOf(tree.fields.map(([, inner]) => inner));
      case "tuple":
        return leavesOf(tree.items);
      case "table":
        return leavesOf([tree.columns]);
      case "constant":
        return [];
    }
  });
}

type NameOf = (dim: Dim) => string | undefined;

/** Says what the values of parameters are called; the text of the parameters. */
export function parameterList(
  page: Writing,
  parameters: readonly Argument[],
  values: Iterator<Value>,
): readonly string[] {
  const bound: Bound[] = [];
  const texts = parameters.map(({ name, tree, default: otherwise }) => {
    const own = page.names.fresh(name);
    bind(page, tree, { path: own }, values, bound);
    const text = `${own}: ${treeType(page, tree, symbolOf)}`;
    return otherwise === undefined ? text : `${text} = ${construct(page, otherwise, [].values())}`;
  });
  // A row is there to be asked for its length only where there is a row.
  for (const inRows of [false, true]) for (const one of bound) sayExtents(page, one, inRows);
  // Arrays that the function computes with as tensors, once all extents can be read.
  for (const { leaf, value } of bound) {
    if (leaf.as === "tensor" || !page.isTensor(value)) continue;
    page.introduce(value, tensorOf(page, page.whole(value).text, value).text);
  }
  return texts;
}

/** A leaf of a parameter, where it stands, and its value in the graph. */
interface Bound {
  readonly leaf: Leaf;
  readonly place: Place;
  readonly value: Value;
}

/** The extents of tensors, which are the function's own type parameters. */
export function typeParameters(parameters: readonly Argument[]): readonly string[] {
  const leaves = leavesOf(parameters.map(({ tree }) => tree));
  const names = leaves.flatMap(({ as, shape }) =>
    as === "tensor" ? shape.flatMap((dim) => symbolOf(dim) ?? []) : [],
  );
  return [...new Set(names)];
}

/** Where a tree stands; inside of a table, `records` is the array and `path` a field of one. */
interface Place {
  readonly path: string;
  readonly records?: string;
}

function bind(
  page: Writing,
  tree: Tree,
  place: Place,
  values: Iterator<Value>,
  bound: Bound[],
): void {
  const inner = (step: string): Place => ({ ...place, path: place.path + step });
  switch (tree.kind) {
    case "constant":
      return;
    case "record":
      for (const [field, value] of tree.fields)
        bind(page, value, inner(`.${field}`), values, bound);
      return;
    case "tuple":
      tree.items.forEach((item, k) => bind(page, item, inner(`[${k}]`), values, bound));
      return;
    case "table":
      return bind(page, tree.columns, { path: "", records: place.path }, values, bound);
    case "leaf": {
      const value = values.next().value as Value;
      bound.push({ leaf: tree, place, value });
      return bindLeaf(page, tree, place, value);
    }
  }
}

function bindLeaf(page: Writing, leaf: Leaf, { path, records }: Place, value: Value): void {
  const single = leaf.as === "tensor" && !page.isTensor(value);
  const text = single ? { text: `${path}.item()`, binds: 17 } : atom(path);
  if (records !== undefined) page.sayColumn(value, { records, field: path });
  else if (leaf.as === "array") page.sayUntyped(value, text);
  else page.say(value, text);
}

/** Says where extents are read: from rows of arrays, or from all else. */
function sayExtents(page: Writing, { leaf, place }: Bound, inRows: boolean): void {
  const { path, records } = place;
  leaf.shape.forEach((dim, axis) => {
    const name = symbolOf(dim);
    if (name === undefined || inRows !== (leaf.as !== "tensor" && axis > 0)) return;
    if (leaf.as === "tensor") return page.sayExtent(name, `${path}.shape[${axis}]`);
    if (records === undefined) return page.sayExtent(name, lengthAt(path, axis));
    page.sayExtent(
      name,
      axis === 0 ? `${records}.length` : lengthAt(`${records}[0]!${path}`, axis - 1),
    );
  });
}

/** The symbol that a dimension is, alone. */
export function symbolOf(dim: Dim): string | undefined {
  const name = typeof dim === "number" ? undefined : dim.terms[0]?.factors[0];
  return typeof name === "string" && sameDim(dim, symbol(name)) ? name : undefined;
}

/** The length of an array along an axis. */
export function lengthAt(path: string, axis: number): string {
  return `${path}${"[0]!".repeat(axis)}.length`;
}

/** The type of a tree; `nameOf` gives the extents of tensors that have names. */
export function treeType(page: Writing, tree: Tree, nameOf: NameOf = () => undefined): string {
  switch (tree.kind) {
    case "constant": {
      const value = constantOf(tree);
      if (typeof value === "string") return JSON.stringify(value);
      return typeof value !== "number" || Number.isFinite(value) ? String(value) : "number";
    }
    case "record": {
      const fields = tree.fields.map(
        ([field, inner]) => `${field}: ${treeType(page, inner, nameOf)}`,
      );
      return `{ ${fields.join("; ")} }`;
    }
    case "tuple":
      return `[${tree.items.map((inner) => treeType(page, inner, nameOf)).join(", ")}]`;
    case "table":
      return `${elementType(page, tree.columns)}[]`;
    case "leaf":
      return leafType(page, tree, nameOf);
  }
}

/** The type of one record, of which `columns` has the fields of all. */
function elementType(page: Writing, columns: Tree): string {
  return treeType(page, rowTree(columns));
}

/** The tree of one record of a table. */
function rowTree(tree: Tree): Tree {
  switch (tree.kind) {
    case "leaf":
      return { ...tree, shape: tree.shape.slice(1) };
    case "record":
      return { ...tree, fields: tree.fields.map(([name, inner]) => [name, rowTree(inner)]) };
    case "tuple":
      return { ...tree, items: tree.items.map(rowTree) };
    default:
      return tree;
  }
}

function leafType(page: Writing, { as, dtype, shape }: Leaf, nameOf: NameOf): string {
  switch (as) {
    case "number":
    case "boolean":
      return as;
    case "typed":
      return plainType(dtype, shape.length);
    case "array":
      return `${dtype === "bool" ? "boolean" : "number"}${"[]".repeat(shape.length)}`;
    case "tensor": {
      page.types.add("Tensor");
      const dims = shape.map((dim) =>
        typeof dim === "number" ? String(dim) : (nameOf(dim) ?? "number"),
      );
      return `Tensor<[${dims.join(", ")}]${dtype === "f32" ? "" : `, "${dtype}"`}>`;
    }
  }
}

/** The expression of a result, from its values. */
export function construct(page: Writing, tree: Tree, values: Iterator<Value>): string {
  switch (tree.kind) {
    case "constant": {
      const value = constantOf(tree);
      if (typeof value === "number") return numberText(value).text;
      return JSON.stringify(value) ?? "undefined";
    }
    case "record": {
      const fields = tree.fields.map(([field, inner]) => {
        const text = construct(page, inner, values);
        return text === field ? field : `${field}: ${text}`;
      });
      return `{ ${fields.join(", ")} }`;
    }
    case "tuple":
      return `[${tree.items.map((inner) => construct(page, inner, values)).join(", ")}]`;
    case "table":
      return constructTable(page, tree.columns, values);
    case "leaf":
      return constructLeaf(page, tree, values.next().value as Value);
  }
}

function constructLeaf(page: Writing, leaf: Leaf, value: Value): string {
  if (leaf.as === "tensor") return tensorText(page, value).text;
  if (leaf.shape.length === 0) return page.text(value).text;
  const whole = page.isTensor(value)
    ? atom(elementsOfTensor(page, value, page.text(value)))
    : handedOn(page, value);
  return leaf.as === "array"
    ? untyped(within(whole, 18), leaf.shape.length, leaf.dtype)
    : whole.text;
}

/** Typed arrays as arrays of numbers, or of booleans. */
function untyped(text: string, rank: number, dtype: string): string {
  if (rank === 1) return `Array.from(${text}${dtype === "bool" ? ", (on) => on !== 0" : ""})`;
  return `${text}.map((row) => ${untyped("row", rank - 1, dtype)})`;
}

/** An array of records, from the arrays of its fields. */
function constructTable(page: Writing, columns: Tree, values: Iterator<Value>): string {
  const leaves = leavesOf([columns]);
  const made = leaves.map(() => {
    const value = values.next().value as Value;
    return { value, text: page.isTensor(value) ? "" : within(handedOn(page, value), 18) };
  });
  const [length] = (leaves[0] as Leaf).shape as readonly [Dim];
  return page.names.within(() => {
    const k = page.names.counter();
    const list = made.values();
    const one = (tree: Tree): string => {
      switch (tree.kind) {
        case "leaf": {
          const element = `${(list.next().value as (typeof made)[0]).text}[${k}]!`;
          const rank = tree.shape.length - 1;
          if (rank > 0) return tree.as === "array" ? untyped(element, rank, tree.dtype) : element;
          return tree.dtype === "bool" ? `${element} !== 0` : element;
        }
        case "record":
          return `{ ${tree.fields.map(([field, inner]) => `${field}: ${one(inner)}`).join(", ")} }`;
        case "tuple":
          return `[${tree.items.map(one).join(", ")}]`;
        default:
          return construct(page, tree, [].values());
      }
    };
    const record = one(columns);
    const body = record.startsWith("{") ? `(${record})` : record;
    return `Array.from({ length: ${page.dim(length).text} }, (_, ${k}) => ${body})`;
  });
}
