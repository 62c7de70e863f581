/** What an expression of the user's code stands for while it is being read. */

import type ts from "typescript";
import type { Dim, DType, Shape, Value } from "../../compiler/ir/types.ts";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import type { Span } from "../../compiler/ir/types.ts";
import type { Place } from "./heap.ts";
import type { Reader } from "./reader.ts";
import type { Scope } from "./scope.ts";

export type ReaderValue =
  | StaticValue
  | DimValue
  | IntegerValue
  | ScalarValue
  | TensorValue
  | ArrayReference
  | RecordReference
  | FunctionValue
  | NativeValue
  | UnsetValue
  | ConflictValue
  | FaultyValue;

/** Known when the program is compiled. */
export interface StaticValue {
  readonly kind: "static";
  readonly value: StaticContent;
}
export type StaticContent = number | boolean | string | undefined | null;

/** A number that is a symbolic extent. */
export interface DimValue {
  readonly kind: "dim";
  readonly dim: Dim;
}

/** A number that is an integer in `low..high`, held as i32. Never -0. */
export interface IntegerValue {
  readonly kind: "integer";
  readonly value: Value;
  readonly low: number;
  readonly high: number;
}

/** A number or a boolean; f32 and i32 only over the elements of tensors. */
export interface ScalarValue {
  readonly kind: "scalar";
  readonly value: Value;
}

export interface TensorValue {
  readonly kind: "tensor";
  readonly value: Value;
  /** Where it was made, for messages. */
  readonly origin?: Origin | undefined;
}
export interface Origin {
  readonly name: string;
  readonly span: Span;
}

/** An array, or the sub-array at `path` of one: a row is not a copy. */
export interface ArrayReference {
  readonly kind: "array";
  readonly object: ArrayObject;
  readonly path: readonly Value[];
  /** For a row: which rows the array had when it was taken. */
  readonly rows?: RowsToken | undefined;
  /** For a list or a table in a table: `object` has the columns, and it stands here. */
  readonly at?: RowPosition | undefined;
}

/** Stands for the rows of an array, until one of them is replaced by another array. */
export class RowsToken {
  readonly replacedAt: Span | undefined;
  constructor(replacedAt: Span | undefined) {
    this.replacedAt = replacedAt;
  }
}

export interface ArrayObject {
  readonly name: string;
  readonly state: Place<ArrayState>;
  readonly rows: Place<RowsToken>;
  /** A typed array; else `number[]`, nested by rank. */
  readonly typed: boolean;
  readonly element: DType;
  readonly shared: Shared;
}
/**
 * A list holds anything and has a length known at compile time; a dense array is a value; a table
 * holds records, tuples or tables, each part of all of them as an array: a column. A stack has a
 * length that only the run tells: all there is to do with it is `push` and `pop`.
 */
export type ArrayState =
  | { readonly form: "list"; readonly items: readonly Place<ReaderValue>[] }
  | { readonly form: "dense"; readonly value: Value }
  | { readonly form: "table"; readonly columns: Columns; readonly length: Dim }
  | { readonly form: "stack"; readonly value: Value; readonly item: StackItem };

/**
 * What an element of a table is, with an axis more for each array in it. The columns of a table in a
 * table have the axes of both.
 */
export type Columns = RecordReference | ArrayReference;

/** What the items of a stack are: numbers or booleans, tensors, or arrays of a kind. */
export type StackItem =
  | { readonly kind: "scalar" }
  | { readonly kind: "tensor" }
  | { readonly kind: "array"; readonly typed: boolean; readonly element: DType };

export interface RecordReference {
  readonly kind: "record";
  readonly object: RecordObject;
  /** For a record in a table: `object` has the columns, and it stands here. */
  readonly at?: RowPosition | undefined;
  /** Then: which records the columns had when it was taken. */
  readonly rows?: RowsToken | undefined;
}
/** Where a part of a table stands: the first axes of all columns that it is made of. */
export interface RowPosition {
  readonly indices: readonly Value[];
  readonly table: ArrayReference;
}
export interface RecordObject {
  readonly name: string;
  readonly fields: Place<ReadonlyMap<string, Place<ReaderValue>>>;
  readonly rows: Place<RowsToken>;
  readonly shared: Shared;
}

/** What decides whether an object may be written and read. */
export interface Shared {
  /** An argument of the compiled function, or a variable of the host. */
  readonly readOnly: "argument" | "captured" | undefined;
  /** Set once the object was written under another name: it may not be used any more. */
  readonly stale: Place<Span | undefined>;
  /** The objects made with this one where paths met; undefined for an object of its own. */
  readonly group: Group | undefined;
  /** The objects from before that it may be. */
  readonly origins: Set<Shared>;
  /** Later objects that may be this one. */
  readonly derived: Set<Shared>;
  /** Objects that share memory with this one: it may be them, or stand in them. */
  readonly linked: Set<Shared>;
  /** Objects that may stand in this one. */
  readonly holds: Set<Shared>;
  /** Set once one object may stand in two places of this one: its parts may not be written. */
  readonly twice: Place<Span | undefined>;
}
/** Objects that stand, from where paths met, for objects that were there before. */
export interface Group {
  /** Each with the objects that it stands for, path by path. */
  readonly members: {
    readonly shared: Shared;
    readonly sides: readonly (readonly Shared[])[];
  }[];
}

/** A function of the user, with what it captures. */
export interface FunctionValue {
  readonly kind: "function";
  readonly declaration: FunctionNode;
  readonly scope: Scope;
  readonly name: string;
}
export type FunctionNode =
  ts.FunctionDeclaration | ts.FunctionExpression | ts.ArrowFunction | ts.MethodDeclaration;

/** A function or an object that the reader knows: `Math`, `grad`, `x.matmul`. */
export interface NativeValue {
  readonly kind: "native";
  readonly name: string;
  readonly call?: (reader: Reader, call: NativeCall) => ReaderValue;
  readonly construct?: (reader: Reader, call: NativeCall) => ReaderValue;
  readonly property?: (reader: Reader, name: string, node: ts.Node) => ReaderValue | undefined;
  /** What stands for all elements of an array among the arguments. */
  readonly fold?: (reader: Reader, array: ArrayReference, node: ts.Node) => ReaderValue;
  /** How many parameters it declares, where that matters. */
  readonly arity?: number;
}
export interface NativeCall {
  readonly node: ts.Node;
  readonly arguments: readonly ReaderValue[];
  readonly argumentNodes: readonly ts.Node[];
  readonly typeArguments?: readonly ts.TypeNode[] | undefined;
}

/** A variable without a value. */
export interface UnsetValue {
  readonly kind: "unset";
}

/** What differs between two paths so that no value can stand for it. An error only when used. */
export interface ConflictValue {
  readonly kind: "conflict";
  readonly problem: (name: string, span: Span) => Diagnostic;
}

/** What an error has been reported for: silent. */
export interface FaultyValue {
  readonly kind: "faulty";
}

export const undefinedValue: StaticValue = { kind: "static", value: undefined };
export const unset: UnsetValue = { kind: "unset" };
export const faulty: FaultyValue = { kind: "faulty" };

export function fixed(value: StaticContent): StaticValue {
  return { kind: "static", value };
}

export function scalar(value: Value): ScalarValue {
  return { kind: "scalar", value };
}

export function isStaticNumber(
  value: ReaderValue,
): value is StaticValue & { readonly value: number } {
  return value.kind === "static" && typeof value.value === "number";
}

export function isNumber(value: ReaderValue): boolean {
  switch (value.kind) {
    case "dim":
    case "integer":
      return true;
    case "static":
      return typeof value.value === "number";
    case "scalar":
      return value.value.type.dtype !== "bool";
    default:
      return false;
  }
}

export function isBoolean(value: ReaderValue): boolean {
  if (value.kind === "static") return typeof value.value === "boolean";
  return value.kind === "scalar" && value.value.type.dtype === "bool";
}

/** The shape of a dense array reference. */
export function shapeBelow(value: Value, path: readonly Value[]): Shape {
  return value.type.shape.slice(path.length);
}

/** For messages: `a number`, `an array`. */
export function describe(value: ReaderValue): string {
  switch (value.kind) {
    case "static":
      if (value.value === undefined || value.value === null) return String(value.value);
      if (typeof value.value === "string") return `the string "${value.value}"`;
      return `a ${typeof value.value}`;
    case "dim":
    case "integer":
      return "a number";
    case "scalar":
      return value.value.type.dtype === "bool" ? "a boolean" : "a number";
    case "tensor":
      return "a tensor";
    case "array":
      return "an array";
    case "record":
      return "a record";
    case "function":
      return "a function";
    case "native":
      return value.call === undefined && value.construct === undefined ? "an object" : "a function";
    case "unset":
      return "without a value";
    case "conflict":
    case "faulty":
      return "a value that cannot be compiled";
  }
}
