/** Arguments → what the program is called with: checked, flattened, their symbols bound. */

import { bytesPerElement, className, dtypeOfArray, type TypedArray } from "./arrays.ts";
import { dimText, evaluate, type Extents, solve } from "./dims.ts";
import {
  type Argument,
  constantOf,
  type Layout,
  type Leaf,
  type Manifest,
  type Tree,
} from "./manifest.ts";
import { flatten, type Nested, ragged, Tensor } from "./tensor.ts";

/** An argument whose elements are copied. */
export type Copied = Extract<Input, { readonly kind: "copy" }>;

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

/** A call taken apart: what it is given, and the extents that this binds. */
export interface Given {
  readonly inputs: readonly Input[];
  readonly extents: Extents;
}

interface Waiting {
  readonly path: string;
  readonly leaf: Leaf;
  readonly shape: readonly number[];
  /** How many of its extents it tells: rows that are not there have no length. */
  readonly told: number;
}

/** What a call is given: its arguments, and what the program captures. */
export function takeCall(
  manifest: Pick<Manifest, "parameters" | "captured">,
  args: readonly unknown[],
  captured: readonly unknown[] = [],
): Given {
  const extents: Extents = new Map();
  const inputs = [
    ...takeArguments(manifest.parameters, args, extents),
    ...takeArguments(manifest.captured, captured, extents),
  ];
  return { inputs, extents };
}

/** Flattens arguments, and binds in `extents` the symbols that their shapes mention. */
function takeArguments(
  expected: readonly Argument[],
  values: readonly unknown[],
  extents: Extents,
): readonly Input[] {
  const inputs: Input[] = [];
  const shapes: Waiting[] = [];
  expected.forEach((argument, k) => {
    take(argument.tree, givenOr(argument, values[k]), argument.name, inputs, shapes);
  });
  unify(shapes, extents);
  return inputs;
}

/** An argument as it is given, or its default. */
export function givenOr({ default: otherwise }: Argument, value: unknown): unknown {
  return value === undefined && otherwise !== undefined ? constantValue(otherwise) : value;
}

function constantValue(tree: Tree): unknown {
  switch (tree.kind) {
    case "constant":
      return constantOf(tree);
    case "record":
      return Object.fromEntries(tree.fields.map(([name, field]) => [name, constantValue(field)]));
    case "tuple":
      return tree.items.map(constantValue);
    default:
      throw new Error(`a ${tree.kind} is no constant`);
  }
}

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

function take(tree: Tree, value: unknown, path: string, inputs: Input[], shapes: Waiting[]): void {
  switch (tree.kind) {
    case "constant": {
      const constant = constantOf(tree);
      if (!Object.is(value, constant)) throw wrong(path, String(constant), value);
      return;
    }
    case "record": {
      if (typeof value !== "object" || value === null) throw wrong(path, "a record", value);
      for (const [name, field] of tree.fields) {
        const inner = (value as Record<string, unknown>)[name];
        take(field, inner, `${path}.${name}`, inputs, shapes);
      }
      return;
    }
    case "tuple": {
      if (!Array.isArray(value) || value.length !== tree.items.length) {
        throw wrong(path, `a list of ${tree.items.length}`, value);
      }
      tree.items.forEach((item, k) => take(item, value[k], `${path}[${k}]`, inputs, shapes));
      return;
    }
    case "table":
      takeColumns(tree, value, 0, path, inputs, shapes);
      return;
    case "leaf":
      inputs.push(takeLeaf(tree, value, path, shapes));
  }
}

/** An array for each leaf of what stands in arrays nested `axes` deep. */
function takeColumns(
  tree: Tree,
  values: unknown,
  axes: number,
  path: string,
  inputs: Input[],
  shapes: Waiting[],
): void {
  const check = (fits: (value: unknown) => boolean, expected: string): void =>
    visitAt(values, axes, (value) => {
      if (!fits(value)) throw wrong(path, expected, value);
    });
  const take = (part: Tree, step: string, of: (value: never) => unknown): void => {
    const parts = mapAt(values, axes, of as (value: unknown) => unknown);
    takeColumns(part, parts, axes, path + step, inputs, shapes);
  };
  switch (tree.kind) {
    case "constant": {
      const constant = constantOf(tree);
      return check((value) => Object.is(value, constant), String(constant));
    }
    case "record":
      check((value) => typeof value === "object" && value !== null, "a record");
      for (const [name, field] of tree.fields) {
        take(field, `.${name}`, (row: Record<string, unknown>) => row[name]);
      }
      return;
    case "tuple": {
      const { length } = tree.items;
      const fits = (value: unknown): boolean => Array.isArray(value) && value.length === length;
      check(fits, `a list of ${length}`);
      tree.items.forEach((item, k) => take(item, `[${k}]`, (row: readonly unknown[]) => row[k]));
      return;
    }
    case "table":
      check(Array.isArray, `an array of ${wordFor(tree.columns)}`);
      takeColumns(tree.columns, values, axes + 1, `${path}[…]`, inputs, shapes);
      return;
    case "leaf": {
      const { as } = tree;
      if (as !== "number" && as !== "boolean") {
        inputs.push(takeArray(tree, values, path, shapes));
        return;
      }
      check((value) => typeof value === as, `a ${as}`);
      inputs.push(takeArray({ ...tree, as: "array" }, mapAt(values, axes, Number), path, shapes));
    }
  }
}

function wordFor(columns: Tree): string {
  return columns.kind === "tuple" ? "tuples" : columns.kind === "table" ? "arrays" : "records";
}

/** What stands in arrays nested `axes` deep, one after the other. */
function visitAt(values: unknown, axes: number, visit: (value: unknown) => void): void {
  if (axes === 0) return visit(values);
  for (const value of values as readonly unknown[]) visitAt(value, axes - 1, visit);
}

function mapAt(values: unknown, axes: number, each: (value: unknown) => unknown): unknown {
  if (axes === 0) return each(values);
  return (values as readonly unknown[]).map((value) => mapAt(value, axes - 1, each));
}

function takeLeaf(leaf: Leaf, value: unknown, path: string, shapes: Waiting[]): Input {
  switch (leaf.as) {
    case "number":
      if (typeof value !== "number") throw wrong(path, "a number", value);
      return { kind: "scalar", value };
    case "boolean":
      if (typeof value !== "boolean") throw wrong(path, "a boolean", value);
      return { kind: "scalar", value: value ? 1 : 0 };
    case "tensor": {
      if (!(value instanceof Tensor)) throw wrong(path, "a tensor", value);
      if (value.dtype !== leaf.dtype) {
        throw new TypeError(
          `${path}: expected a tensor of ${leaf.dtype}, got one of ${value.dtype}`,
        );
      }
      shapes.push({ path, leaf, shape: value.shape, told: value.shape.length });
      return { kind: "tensor", tensor: value };
    }
    case "typed":
    case "array":
      return takeArray(leaf, value, path, shapes);
  }
}

function takeArray(leaf: Leaf, value: unknown, path: string, shapes: Waiting[]): Input {
  const rank = leaf.shape.length;
  const wanted = leaf.as === "typed" ? `a ${className(leaf.dtype)}` : "an array of numbers";
  const expected = rank > 1 ? `rows, each ${wanted}, nested ${rank} deep` : wanted;
  if (leaf.as === "typed") checkRows(leaf, value, rank, path);
  if (!Array.isArray(value) && !ArrayBuffer.isView(value)) throw wrong(path, expected, value);
  const shape =
    rank === 1 ? [(value as ArrayLike<number>).length] : measureRows(value as Nested, leaf);
  if (shape.length !== rank) throw wrong(path, expected, value);
  const empty = shape.indexOf(0);
  shapes.push({ path, leaf, shape, told: empty < 0 ? rank : empty + 1 });
  const bytes = shape.reduce((product, extent) => product * extent, bytesPerElement(leaf.dtype));
  return { kind: "copy", leaf, shape, data: value as Nested, bytes };
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

/** Binds symbols from the shapes; those that stand alone first, then `2*B` and the like. */
function unify(shapes: readonly Waiting[], extents: Extents): void {
  const inOrder = [...shapes].sort((a, b) => Number(isPart(a)) - Number(isPart(b)));
  for (const { path, leaf, shape } of inOrder) {
    if (leaf.shape.length !== shape.length) throw wrongShape(path, leaf, shape);
    leaf.shape.forEach((dim, axis) => {
      if (typeof dim === "number" || dim.terms.length !== 1) return;
      const [term] = dim.terms;
      const [factor] = term?.factors ?? [];
      if (term?.coefficient !== 1 || term.factors.length !== 1 || typeof factor !== "string")
        return;
      if (!extents.has(factor)) extents.set(factor, shape[axis] as number);
    });
  }
  for (const { leaf, shape } of inOrder) {
    leaf.shape.forEach((dim, axis) => {
      if (typeof dim === "number" || evaluate(dim, extents) !== undefined) return;
      solve(dim, shape[axis] as number, extents);
    });
  }
  for (const { path, leaf, shape, told } of shapes) {
    leaf.shape.slice(0, told).forEach((dim, axis) => {
      if (evaluate(dim, extents) !== shape[axis]) throw wrongShape(path, leaf, shape, extents);
    });
  }
}

/** Such an extent is what another argument says it is, and 0 if none does. */
function isPart({ shape, told }: Waiting): boolean {
  return told < shape.length;
}

function wrongShape(
  path: string,
  leaf: Leaf,
  shape: readonly number[],
  extents: Extents = new Map(),
): RangeError {
  const expected = leaf.shape.map((dim) => {
    const text = dimText(dim);
    const value = evaluate(dim, extents);
    return value === undefined || typeof dim === "number" ? text : `${text} = ${value}`;
  });
  return new RangeError(`${path}: expected [${expected.join(", ")}], got [${shape.join(", ")}]`);
}

function wrong(path: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${path}: expected ${expected}, got ${describe(value)}`);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (value instanceof Tensor) return `a tensor of shape [${value.shape.join(", ")}]`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** For each result that is written in place, the argument in whose memory it is. */
export function ownersOf(layout: Layout, inputs: readonly Input[]): ReadonlyMap<number, number> {
  const owners = new Map<number, number>();
  for (const [leaf, result] of layout.inPlace) {
    const input = inputs[leaf];
    if (input?.kind !== "tensor") continue;
    const isShared = inputs.some(
      (other) => other !== input && other.kind === "tensor" && other.tensor === input.tensor,
    );
    if (!isShared && !Tensor.isKept(input.tensor)) owners.set(result, leaf);
  }
  return owners;
}

/** The tensors that a call takes over: those that it is donated, without the ones that are kept. */
export function donatedOf({ donated }: Layout, inputs: readonly Input[]): readonly Tensor[] {
  return donated.flatMap((leaf) => {
    const input = inputs[leaf];
    return input?.kind === "tensor" && !Tensor.isKept(input.tensor) ? [input.tensor] : [];
  });
}

/** The extent that the arguments give a symbol; throws a `RangeError` where none does. */
export function boundExtent(name: string, extents: Extents): number {
  const extent = extents.get(name);
  if (extent === undefined) {
    throw new RangeError(`no argument says how large ${name} is`);
  }
  return extent;
}
