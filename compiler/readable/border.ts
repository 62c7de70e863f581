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
    bind(page, tree, { path: own, arrays: [] }, values, bound);
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

/** Where a tree stands; inside of tables, `arrays` leads to them and `path` into what they hold. */
interface Place {
  readonly path: string;
  readonly arrays: readonly string[];
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
      return bind(
        page,
        tree.columns,
        { path: "", arrays: [...place.arrays, place.path] },
        values,
        bound,
      );
    case "leaf": {
      const value = values.next().value as Value;
      bound.push({ leaf: tree, place, value });
      return bindLeaf(page, tree, place, value);
    }
  }
}

function bindLeaf(page: Writing, leaf: Leaf, { path, arrays }: Place, value: Value): void {
  const single = leaf.as === "tensor" && !page.isTensor(value);
  const text = single ? { text: `${path}.item()`, binds: 17 } : atom(path);
  if (arrays.length > 0) page.sayColumn(value, [...arrays, path]);
  else if (leaf.as === "array") page.sayUntyped(value, text);
  else page.say(value, text);
}

/** Says where extents are read: from rows of arrays, or from all else. */
function sayExtents(page: Writing, { leaf, place }: Bound, inRows: boolean): void {
  const { path, arrays } = place;
  leaf.shape.forEach((dim, axis) => {
    const name = symbolOf(dim);
    if (name === undefined || inRows !== (leaf.as !== "tensor" && axis > 0)) return;
    if (leaf.as === "tensor") return page.sayExtent(name, `${path}.shape[${axis}]`);
    const [own = "", ...steps] = [...arrays, path];
    const inside = Array.from({ length: axis }, (_, k) => `[0]!${steps[k] ?? ""}`);
    page.sayExtent(name, `${own}${inside.join("")}.length`);
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

/** The type of a tree; for parameters, `nameOf` gives the extents of tensors that have names. */
export function treeType(page: Writing, tree: Tree, nameOf?: NameOf): string {
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
      return `${treeType(page, rowTree(tree.columns), nameOf)}[]`;
    case "leaf":
      return leafType(page, tree, nameOf);
  }
}

/** The tree of one element of a table. */
function rowTree(tree: Tree): Tree {
  switch (tree.kind) {
    case "leaf":
      return { ...tree, shape: tree.shape.slice(1) };
    case "record":
      return { ...tree, fields: tree.fields.map(([name, inner]) => [name, rowTree(inner)]) };
    case "tuple":
      return { ...tree, items: tree.items.map(rowTree) };
    case "table":
      return { ...tree, columns: rowTree(tree.columns) };
    case "constant":
      return tree;
  }
}

function leafType(page: Writing, { as, dtype, shape }: Leaf, nameOf?: NameOf): string {
  switch (as) {
    case "number":
    case "boolean":
      return as;
    case "typed":
      return plainType(dtype, shape.length);
    case "array":
      return shape.reduceRight<string>(
        (row, dim) =>
          typeof dim === "number" && nameOf !== undefined
            ? `[${Array.from({ length: dim }, () => row).join(", ")}]`
            : `${row}[]`,
        dtype === "bool" ? "boolean" : "number",
      );
    case "tensor": {
      page.types.add("Tensor");
      const dims = shape.map((dim) =>
        typeof dim === "number" ? String(dim) : (nameOf?.(dim) ?? "number"),
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

/** An array of records, tuples or tables, from the arrays of its parts. */
function constructTable(page: Writing, columns: Tree, values: Iterator<Value>): string {
  const made = leavesOf([columns]).map(() => {
    const value = values.next().value as Value;
    return page.isTensor(value) ? "" : within(handedOn(page, value), 18);
  });
  return rowsOf(page, columns, made.values(), []);
}

/** An array of what stands at indices of columns, which are texts. */
function rowsOf(
  page: Writing,
  columns: Tree,
  texts: Iterator<string>,
  indices: readonly string[],
): string {
  const [first] = leavesOf([columns]);
  const length = page.dim(first?.shape[indices.length] as Dim).text;
  return page.names.within(() => {
    const k = page.names.counter();
    const element = elementAt(page, columns, texts, [...indices, k]);
    const body = element.startsWith("{") ? `(${element})` : element;
    return `Array.from({ length: ${length} }, (_, ${k}) => ${body})`;
  });
}

function elementAt(
  page: Writing,
  tree: Tree,
  texts: Iterator<string>,
  indices: readonly string[],
): string {
  const part = (inner: Tree): string => elementAt(page, inner, texts, indices);
  switch (tree.kind) {
    case "leaf": {
      const element = [texts.next().value, ...indices.map((k) => `[${k}]!`)].join("");
      const rank = tree.shape.length - indices.length;
      if (rank > 0) return tree.as === "array" ? untyped(element, rank, tree.dtype) : element;
      return tree.dtype === "bool" ? `${element} !== 0` : element;
    }
    case "record":
      return `{ ${tree.fields.map(([field, inner]) => `${field}: ${part(inner)}`).join(", ")} }`;
    case "tuple":
      return `[${tree.items.map(part).join(", ")}]`;
    case "table":
      return rowsOf(page, tree.columns, texts, indices);
    case "constant":
      return construct(page, tree, [].values());
  }
}
