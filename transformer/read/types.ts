/** The types of a root's parameters: from TypeScript to values of the graph and trees of leaves. */

import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Dim, symbol } from "../../compiler/ir/dim.ts";
import {
  arrayType,
  type DType,
  dtypes,
  scalarType,
  type Span,
  type Value,
} from "../../compiler/ir/types.ts";
import { constantOf, constantTree, type Tree } from "../../runtime/manifest.ts";
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
  return ofType(context, type, name, 0);
}

function ofType(context: Context, type: ts.Type, name: string, depth: number): Incoming {
  const { checker, reader } = context;
  if (depth > 20) return refuse(context);
  if ((type.flags & ts.TypeFlags.TypeParameter) !== 0) {
    const constraint = checker.getBaseConstraintOfType(type);
    return constraint === undefined
      ? refuse(context)
      : ofType(context, constraint, name, depth + 1);
  }
  if (type.isUnion()) {
    const kinds = type.types.every((part) => (part.flags & ts.TypeFlags.NumberLike) !== 0);
    if (kinds) return number(name);
    if (type.types.every((part) => (part.flags & ts.TypeFlags.BooleanLike) !== 0)) {
      return boolean(name);
    }
    return refuse(context);
  }
  if ((type.flags & ts.TypeFlags.NumberLike) !== 0) return number(name);
  if ((type.flags & ts.TypeFlags.BooleanLike) !== 0) return boolean(name);
  if (type.isStringLiteral()) return constant(type.value);
  if ((type.flags & ts.TypeFlags.Undefined) !== 0) return constant(undefined);
  if ((type.flags & ts.TypeFlags.Null) !== 0) return constant(null);
  const making: Making = { name, readOnly: context.readOnly };
  const element = typedArrayOf(type);
  if (element !== undefined) {
    const dim = symbol(reader.freshName(`${name}_length`));
    const value: Value = { type: arrayType(element, [dim]), name };
    const tree: Tree = { kind: "leaf", as: "typed", dtype: element, shape: [dim] };
    return {
      tree,
      leaves: [value],
      value: newDense(reader, value, { typed: true, element }, making),
    };
  }
  const tensor = tensorType(context, type, name);
  if (tensor !== undefined) return tensor;
  if (checker.isTupleType(type)) return tuple(context, type, name, depth, making);
  if (checker.isArrayType(type)) return array(context, type, name, making);
  if ((type.flags & ts.TypeFlags.Object) !== 0) return record(context, type, name, depth, making);
  if (type.isIntersection()) return record(context, type, name, depth, making);
  return refuse(context);
}

function number(name: string): Incoming {
  const value: Value = { type: scalarType("f64"), name };
  const tree: Tree = { kind: "leaf", as: "number", dtype: "f64", shape: [] };
  return { tree, leaves: [value], value: scalar(value) };
}

function boolean(name: string): Incoming {
  const value: Value = { type: scalarType("bool"), name };
  const tree: Tree = { kind: "leaf", as: "boolean", dtype: "bool", shape: [] };
  return { tree, leaves: [value], value: scalar(value) };
}

function constant(value: string | undefined | null): Incoming {
  return { tree: constantTree(value), leaves: [], value: fixed(value) };
}

function typedArrayOf(type: ts.Type): DType | undefined {
  const name = type.symbol?.name;
  if (name === undefined || !Object.hasOwn(typedArrays, name)) return undefined;

  return typedArrays[name];
}

/** `number[]`, rectangular `number[][]…`, and these with typed arrays as rows: `Float64Array[]`. */
function array(context: Context, type: ts.Type, name: string, making: Making): Incoming {
  const { checker, reader } = context;
  let rank = 0;
  let element: ts.Type = type;
  while (checker.isArrayType(element)) {
    const [inner] = checker.getTypeArguments(element as ts.TypeReference);
    if (inner === undefined) return refuse(context);
    element = inner;
    rank++;
  }
  const row = typedArrayOf(element);
  if (row !== undefined) rank++;
  else if ((element.flags & ts.TypeFlags.NumberLike) === 0) {
    return rank === 1 ? table(context, element, name) : refuse(context);
  }
  const dtype = row ?? "f64";
  const typed = row !== undefined;
  const letters = ["length", "width", "depth"];
  const shape = Array.from({ length: rank }, (_, axis) =>
    symbol(reader.freshName(`${name}_${letters[axis] ?? `axis${axis}`}`)),
  );
  const value: Value = { type: arrayType(dtype, shape), name };
  const tree: Tree = { kind: "leaf", as: typed ? "typed" : "array", dtype, shape };
  return {
    tree,
    leaves: [value],
    value: newDense(reader, value, { typed, element: dtype }, making),
  };
}

/** Records in an array: an array for each field. */
function table(context: Context, element: ts.Type, name: string): Incoming {
  const row = ofType(context, element, name, 1);
  const { reader } = context;
  const length = symbol(reader.freshName(`${name}_length`));
  const columns = row.tree.kind === "record" ? withLength(row.tree, length) : undefined;
  if (columns === undefined || row.leaves.length === 0) return refuse(context);
  return fromTree(reader, { kind: "table", columns }, name, context.readOnly);
}

/** The tree of a record with an axis more for each leaf; undefined where that makes no columns. */
function withLength(tree: Tree, length: Dim): Tree | undefined {
  switch (tree.kind) {
    case "leaf":
      return tree.as === "tensor" ? undefined : { ...tree, shape: [length, ...tree.shape] };
    case "record": {
      const fields = tree.fields.map(([name, field]) => [name, withLength(field, length)] as const);
      if (fields.some(([, field]) => field === undefined)) return undefined;
      return { kind: "record", fields: fields as readonly (readonly [string, Tree])[] };
    }
    case "constant":
      return tree;
    default:
      return undefined;
  }
}

/** Arrays for the leaves of a table. */
function columnFrom(reader: Reader, tree: Tree, name: string, making: Making): Incoming {
  switch (tree.kind) {
    case "leaf": {
      const value: Value = { type: arrayType(tree.dtype, tree.shape), name };
      const kind = { typed: tree.as === "typed", element: tree.dtype };
      return { tree, leaves: [value], value: newDense(reader, value, kind, making) };
    }
    case "record": {
      const fields = tree.fields.map(
        ([field, inner]) => [field, columnFrom(reader, inner, field, making)] as const,
      );
      const value = newRecord(
        reader,
        fields.map(([field, inner]) => [field, inner.value] as const),
        { ...making, name },
      );
      return { tree, leaves: fields.flatMap(([, inner]) => inner.leaves), value };
    }
    default:
      return fromTree(reader, tree, name);
  }
}

function tuple(
  context: Context,
  type: ts.Type,
  name: string,
  depth: number,
  making: Making,
): Incoming {
  const { target } = type as ts.TupleTypeReference;
  if (target.hasRestElement || target.minLength !== target.elementFlags.length) {
    return refuse(context);
  }
  const items = context.checker
    .getTypeArguments(type as ts.TypeReference)
    .map((item, k) => ofType(context, item, `${name}_${k}`, depth + 1));
  return {
    tree: { kind: "tuple", items: items.map((item) => item.tree) },
    leaves: items.flatMap((item) => item.leaves),
    value: newList(
      context.reader,
      items.map((item) => item.value),
      making,
    ),
  };
}

/** Whether a field is there must be known: an optional one is refused as `T | undefined` is. */
function record(
  context: Context,
  type: ts.Type,
  name: string,
  depth: number,
  making: Making,
): Incoming {
  const { checker, reader, node } = context;
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
    return [property.name, ofType(context, declared, property.name, depth + 1)] as const;
  });
  return {
    tree: { kind: "record", fields: fields.map(([field, { tree }]) => [field, tree] as const) },
    leaves: fields.flatMap(([, inner]) => inner.leaves),
    value: newRecord(
      reader,
      fields.map(([field, inner]) => [field, inner.value] as const),
      { ...making, name },
    ),
  };
}

function tensorType(context: Context, type: ts.Type, name: string): Incoming | undefined {
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
  const value: Value = { type: arrayType(dtype, shape), name };
  const tree: Tree = { kind: "leaf", as: "tensor", dtype, shape };
  const origin = { name, span: reader.span(context.node) };
  return { tree, leaves: [value], value: { kind: "tensor", value, origin } };
}

/** A literal, the symbol of a type parameter, or a symbol of its own. */
function dimOf(context: Context, type: ts.Type, name: string): Dim {
  if (type.isNumberLiteral()) return type.value;
  if ((type.flags & ts.TypeFlags.TypeParameter) !== 0) {
    return symbol(context.reader.dimName(type.symbol.name, type));
  }
  return symbol(context.reader.freshName(`${name}_dim`));
}

export function unsupported(
  what: { readonly name: string; readonly type: string },
  span: Span,
  holdsFunctions = false,
): Diagnostic {
  const wayOut = holdsFunctions
    ? "make it inside of the compiled function, or use separate functions: what is captured is data"
    : "use numbers, booleans, typed arrays, `number[]`, rows of these, tensors, records and " +
      "tuples of these, and arrays of records";
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
  const making: Making = { name, readOnly };
  switch (tree.kind) {
    case "constant":
      return { tree, leaves: [], value: fixed(constantOf(tree)) };
    case "tuple": {
      const items = tree.items.map((item, k) => fromTree(reader, item, `${name}_${k}`));
      const leaves = items.flatMap((item) => item.leaves);
      const value = newList(
        reader,
        items.map((item) => item.value),
        making,
      );
      return { tree, leaves, value };
    }
    case "record": {
      const fields = tree.fields.map(
        ([field, inner]) => [field, fromTree(reader, inner, field)] as const,
      );
      const leaves = fields.flatMap(([, inner]) => inner.leaves);
      const value = newRecord(
        reader,
        fields.map(([field, inner]) => [field, inner.value] as const),
        making,
      );
      return { tree, leaves, value };
    }
    case "table": {
      const { leaves, value } = columnFrom(reader, tree.columns, name, making);
      const length = leaves[0]?.type.shape[0];
      if (value.kind !== "record" || length === undefined) throw new Error("a table has columns");
      return { tree, leaves, value: newTable(reader, value, length, making) };
    }
    case "leaf": {
      const value: Value = { type: arrayType(tree.dtype, tree.shape), name };
      const leaves = [value];
      switch (tree.as) {
        case "number":
        case "boolean":
          return { tree, leaves, value: scalar(value) };
        case "tensor":
          return { tree, leaves, value: { kind: "tensor", value } };
        case "typed":
        case "array": {
          const kind = { typed: tree.as === "typed", element: tree.dtype };
          return { tree, leaves, value: newDense(reader, value, kind, making) };
        }
      }
    }
  }
}
