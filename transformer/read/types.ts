/** The types of a root's parameters: from TypeScript to values of the graph and trees of leaves. */

import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Dim, sameShape, symbol } from "../../compiler/ir/dim.ts";
import { arrayType, type DType, dtypes, type Span, type Value } from "../../compiler/ir/types.ts";
import { constantOf, type Leaf, type Tree } from "../../runtime/manifest.ts";
import type { Making } from "./alias.ts";
import { newDense, newList, newRecord } from "./objects.ts";
import { newTable } from "./tables.ts";
import type { Reader } from "./reader.ts";
import type { Template } from "./join.ts";
import { fixed, type FunctionNode, type ReaderValue, scalar } from "./values.ts";

/** A value that comes from the host. */
export interface Incoming {
  readonly tree: Tree;
  readonly leaves: readonly Value[];
  readonly value: ReaderValue;
}

const typedArrays: Readonly<Record<string, DType>> = {
  Float64Array: "f64",
  Float32Array: "f32",
  Float16Array: "f16",
  Int32Array: "i32",
  Uint8Array: "u8",
};

interface Context {
  readonly reader: Reader;
  readonly checker: ts.TypeChecker;
  readonly node: ts.Node;
  readonly readOnly: "argument" | "captured";
  /** What the whole parameter is called, and its type, for messages. */
  readonly name: string;
  readonly type: ts.Type;
}

/** A type inside of others. */
interface Part {
  readonly type: ts.Type;
  /** What it is called, for the names of lengths. */
  readonly name: string;
  /** The lengths of the arrays around it; `own` of them have its name. */
  readonly axes: readonly Dim[];
  readonly own: number;
  readonly depth: number;
}

/** A parameter, or a captured variable, of the type that the checker gives it. */
export function incoming(
  reader: Reader,
  type: ts.Type,
  name: string,
  node: ts.Node,
  readOnly: "argument" | "captured",
): Incoming {
  const checker = reader.world.checkerOf(node);
  const context: Context = { reader, checker, node, readOnly, name, type };
  const tree = treeOf(context, { type, name, axes: [], own: 0, depth: 0 });
  const read = fromTree(reader, tree, name, readOnly);
  if (read.value.kind !== "tensor") return read;
  return { ...read, value: { ...read.value, origin: { name, span: reader.span(node) } } };
}

/** How a value of a type stands in the graph; inside of arrays, every leaf has their axes first. */
function treeOf(context: Context, part: Part): Tree {
  const { checker } = context;
  const { type, axes } = part;
  if (part.depth > 20) return refuse(context);
  if ((type.flags & ts.TypeFlags.TypeParameter) !== 0) {
    const constraint = checker.getBaseConstraintOfType(type);
    return constraint === undefined ? refuse(context) : treeOf(context, inside(part, constraint));
  }
  if (isAll(type, ts.TypeFlags.NumberLike)) {
    return { kind: "leaf", as: "number", dtype: "f64", shape: axes };
  }
  if (isAll(type, ts.TypeFlags.BooleanLike)) {
    return { kind: "leaf", as: "boolean", dtype: "bool", shape: axes };
  }
  if (type.isUnion()) return refuse(context);
  if (type.isStringLiteral()) return { kind: "constant", value: type.value };
  if ((type.flags & ts.TypeFlags.Undefined) !== 0) return { kind: "constant", value: undefined };
  if ((type.flags & ts.TypeFlags.Null) !== 0) return { kind: "constant", value: null };
  const dtype = typedArrayOf(type);
  if (dtype !== undefined) {
    return { kind: "leaf", as: "typed", dtype, shape: [...axes, lengthOf(context, part)] };
  }
  const tensor = tensorTree(context, part);
  if (tensor !== undefined) return axes.length === 0 ? tensor : refuse(context);
  if (checker.isTupleType(type)) return tupleTree(context, part);
  if (checker.isArrayType(type)) return arrayTree(context, part);
  const isObject = (type.flags & ts.TypeFlags.Object) !== 0 || type.isIntersection();
  return isObject ? recordTree(context, part) : refuse(context);
}

/** A type of another name, at the same place. */
function inside(part: Part, type: ts.Type, name = part.name): Part {
  const own = name === part.name ? part.own : 0;
  return { ...part, type, name, own, depth: part.depth + 1 };
}

function isAll(type: ts.Type, flags: ts.TypeFlags): boolean {
  return type.isUnion()
    ? type.types.every((one) => (one.flags & flags) !== 0)
    : (type.flags & flags) !== 0;
}

function typedArrayOf(type: ts.Type): DType | undefined {
  const name = type.symbol?.name;
  if (name === undefined || !Object.hasOwn(typedArrays, name)) return undefined;

  return typedArrays[name];
}

/** A length that the host's arguments tell: `x_length`, `x_width` of its rows, … */
function lengthOf({ reader }: Context, { name, own }: Part): Dim {
  const word = ["length", "width", "depth"][own] ?? `axis${own}`;
  return reader.openDim(`${name}_${word}`);
}

/** `number[]`, rectangular `number[][]`…, typed arrays as rows: one array. All else is a table. */
function arrayTree(context: Context, part: Part): Tree {
  const [element] = context.checker.getTypeArguments(part.type as ts.TypeReference);
  if (element === undefined) return refuse(context);
  const axes = [...part.axes, lengthOf(context, part)];
  const columns = treeOf(context, { ...inside(part, element), axes, own: part.own + 1 });
  if (columns.kind === "constant") return refuse(context);
  if (columns.kind === "leaf") {
    if (columns.as === "boolean") return refuse(context);
    return columns.as === "number" ? { ...columns, as: "array" } : columns;
  }
  return hasLeaf(columns) ? { kind: "table", columns } : refuse(context);
}

/** Without one, nothing says how long an array is. */
function hasLeaf(tree: Tree): boolean {
  switch (tree.kind) {
    case "leaf":
      return true;
    case "constant":
      return false;
    case "record":
      return tree.fields.some(([, field]) => hasLeaf(field));
    case "tuple":
      return tree.items.some(hasLeaf);
    case "table":
      return hasLeaf(tree.columns);
  }
}

/** In an array, numbers of a tuple lie side by side, as they do in an array of known length. */
function tupleTree(context: Context, part: Part): Tree {
  const { target } = part.type as ts.TupleTypeReference;
  if (target.hasRestElement || target.minLength !== target.elementFlags.length) {
    return refuse(context);
  }
  const items = context.checker
    .getTypeArguments(part.type as ts.TypeReference)
    .map((item, k) => treeOf(context, inside(part, item, `${part.name}_${k}`)));
  const row = part.axes.length === 0 ? undefined : rowOfNumbers(items, part.axes.length);
  return row ?? { kind: "tuple", items };
}

/** The one array that numbers, or tuples of numbers of one shape, are in an array. */
function rowOfNumbers(items: readonly Tree[], axes: number): Leaf | undefined {
  const [first] = items;
  if (first?.kind !== "leaf" || first.dtype !== "f64") return undefined;
  const inner = first.shape.slice(axes);
  const isKnown = inner.every((dim) => typeof dim === "number");
  if (!isKnown || (first.as !== "number" && first.as !== "array")) return undefined;
  const same = items.every(
    (item) => item.kind === "leaf" && item.as === first.as && sameShape(item.shape, first.shape),
  );
  if (!same) return undefined;
  const shape = [...first.shape.slice(0, axes), items.length, ...inner];
  return { kind: "leaf", as: "array", dtype: "f64", shape };
}

/** Whether a field is there must be known: an optional one is refused as `T | undefined` is. */
function recordTree(context: Context, part: Part): Tree {
  const { checker, reader, node } = context;
  const { type } = part;
  const isPlain =
    type.getCallSignatures().length === 0 &&
    type.getConstructSignatures().length === 0 &&
    !type.isClass() &&
    checker.getIndexInfosOfType(type).length === 0;
  const properties = checker.getPropertiesOfType(type);
  if (!isPlain || properties.length === 0) return refuse(context);
  const fields = properties.map((property) => {
    const declared = checker.getTypeOfSymbolAtLocation(property, node);
    if ((property.flags & ts.SymbolFlags.Optional) !== 0) {
      const optional = { name: property.name, type: checker.typeToString(declared) };
      return reader.fail(unsupported(optional, reader.span(node)));
    }
    return [property.name, treeOf(context, inside(part, declared, property.name))] as const;
  });
  return { kind: "record", fields };
}

function tensorTree(context: Context, { type, name }: Part): Leaf | undefined {
  const { checker, reader } = context;
  // `Tensor` is an interface: its own symbol and arguments, whatever alias names it.
  const declared = type.symbol as ts.Symbol | undefined;
  if (declared?.name !== "Tensor") return undefined;
  const file = declared.declarations?.[0]?.getSourceFile();
  if (file === undefined || !reader.world.isLanguageFile(file.fileName)) return undefined;
  const [shapeType, dtypeType] = checker.getTypeArguments(type as ts.TypeReference);
  const dtype =
    dtypeType === undefined
      ? "f32"
      : dtypes.find((known) => dtypeType.isStringLiteral() && dtypeType.value === known);
  if (shapeType === undefined || dtype === undefined) return refuse(context);
  if (!checker.isTupleType(shapeType)) return refuse(context);
  const shape = checker
    .getTypeArguments(shapeType as ts.TypeReference)
    .map((dim) => dimOf(context, dim, name));
  return { kind: "leaf", as: "tensor", dtype, shape };
}

/** A literal, the symbol of a type parameter, or a symbol of its own. */
function dimOf(context: Context, type: ts.Type, name: string): Dim {
  if (type.isNumberLiteral()) return type.value;
  if ((type.flags & ts.TypeFlags.TypeParameter) !== 0) {
    return symbol(context.reader.dimName(type.symbol.name, type));
  }
  return context.reader.openDim(`${name}_dim`);
}

export function unsupported(
  what: { readonly name: string; readonly type: string },
  span: Span,
  holdsFunctions = false,
): Diagnostic {
  const wayOut = holdsFunctions
    ? "make it inside of the compiled function, or use separate functions: what is captured is data"
    : "use numbers, booleans, typed arrays, `number[]`, rows of these, tensors, records and " +
      "tuples of these, and arrays of such records and tuples, without tensors";
  return messages.unsupportedType({ ...what, wayOut }, span);
}

/** A record of functions, or an array of them, from around the root. */
function hasFunctions({ checker, readOnly, type, node }: Context): boolean {
  if (readOnly !== "captured") return false;
  const parts = checker.isArrayType(type)
    ? checker.getTypeArguments(type as ts.TypeReference)
    : checker
        .getPropertiesOfType(type)
        .map((property) => checker.getTypeOfSymbolAtLocation(property, node));
  const isData = typedArrayOf(type) !== undefined;
  return !isData && parts.some((part) => part.getCallSignatures().length > 0);
}

function refuse(context: Context): never {
  const { reader, checker, name, type, node } = context;
  return reader.fail(
    unsupported(
      { name, type: checker.typeToString(type) },
      reader.span(node),
      hasFunctions(context),
    ),
  );
}

/** What a function is declared to return, where one number or nothing stands for it. */
export function declaredResult(reader: Reader, declaration: FunctionNode): Template | undefined {
  if (declaration.type === undefined) return undefined;
  const checker = reader.world.checkerOf(declaration);
  const { flags } = checker.getTypeFromTypeNode(declaration.type);
  if ((flags & ts.TypeFlags.NumberLike) !== 0) return { kind: "scalar", dtype: "f64" };
  if ((flags & ts.TypeFlags.BooleanLike) !== 0) return { kind: "scalar", dtype: "bool" };
  const nothing = ts.TypeFlags.Void | ts.TypeFlags.Undefined;
  return (flags & nothing) !== 0 ? { kind: "fixed", value: fixed(undefined) } : undefined;
}

/** A value of the structure of a tree. */
export function fromTree(
  reader: Reader,
  tree: Tree,
  name: string,
  readOnly: "argument" | "captured" = "argument",
): Incoming {
  return partFrom(reader, tree, name, { readOnly, tables: [] });
}

/** `tables`: what the tables are called that a part is in. */
interface Inside {
  readonly readOnly: "argument" | "captured";
  readonly tables: readonly string[];
}

function partFrom(reader: Reader, tree: Tree, name: string, around: Inside): Incoming {
  const { readOnly, tables } = around;
  // Columns are called what their table is called.
  const making: Making = { name: tables[0] ?? name, readOnly };
  switch (tree.kind) {
    case "constant":
      return { tree, leaves: [], value: fixed(constantOf(tree)) };
    case "tuple": {
      const items = tree.items.map((item, k) => partFrom(reader, item, `${name}_${k}`, around));
      const values = items.map((item) => item.value);
      const leaves = items.flatMap((item) => item.leaves);
      return { tree, leaves, value: newList(reader, values, making) };
    }
    case "record": {
      const fields = tree.fields.map(
        ([field, part]) => [field, partFrom(reader, part, field, around)] as const,
      );
      const values = fields.map(([field, part]) => [field, part.value] as const);
      const leaves = fields.flatMap(([, part]) => part.leaves);
      return { tree, leaves, value: newRecord(reader, values, making) };
    }
    case "table": {
      const inner = { readOnly, tables: [...tables, name] };
      const { leaves, value } = partFrom(reader, tree.columns, name, inner);
      const length = leaves[0]?.type.shape[tables.length];
      if (value.kind !== "record" && value.kind !== "array") throw new Error("not columns");
      if (length === undefined) throw new Error("a table has columns");
      return { tree, leaves, value: newTable(reader, value, length, making) };
    }
    case "leaf": {
      const value: Value = { type: arrayType(tree.dtype, tree.shape), name };
      const leaves = [value];
      if (tree.as === "tensor") return { tree, leaves, value: { kind: "tensor", value } };
      if (tree.shape.length === 0) return { tree, leaves, value: scalar(value) };
      const kind = { typed: tree.as === "typed", element: tree.dtype };
      return { tree, leaves, value: newDense(reader, value, kind, making) };
    }
  }
}
