/** The graph IR: typed A-normal form with structured regions, as plain readonly data. */

import type { Span } from "../diagnostics/diagnostic.ts";
import { type Dim, sameShape, shapeText } from "./dim.ts";

export type { Span } from "../diagnostics/diagnostic.ts";
export type { Dim } from "./dim.ts";

export const dtypes = ["f64", "f32", "f16", "i32", "u32", "u8", "bool"] as const;

/**
 * Element types. A `bool` is stored as a byte, 0 or 1. An `f16` is one in memory only: kernels compute
 * in f32 (`compiler/passes/half.ts`).
 */
export type DType = (typeof dtypes)[number];

export type Shape = readonly Dim[];

/**
 * The type of a value: an array, or a stack of arrays of that type. A scalar has shape `[]`.
 * Stacks are the tape of reverse mode: `push` and `pop` consume the stack they are given.
 */
export interface ValueType {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly stack: boolean;
}

/** A value is known by its identity: one definition, by an equation or a block parameter. */
export interface Value {
  readonly type: ValueType;
  /** What the user calls it, for messages and for readable output. Not part of its meaning. */
  readonly name?: string | undefined;
  /** The dimension that this scalar is known to equal, for shapes made from it. */
  readonly extent?: Dim | undefined;
}

/** A static parameter of an equation: plain data. */
export type Parameter = number | string | boolean | SymbolicParameter | readonly Parameter[];
type SymbolicParameter = Exclude<Dim, number>;
export type Parameters = Readonly<Record<string, Parameter>>;

export interface Equation {
  readonly op: string;
  readonly inputs: readonly Value[];
  readonly parameters: Parameters;
  /** Blocks that the operation runs. They may read every value in scope around them. */
  readonly regions: readonly Block[];
  readonly outputs: readonly Value[];
  readonly span: Span | undefined;
}

export interface Block {
  readonly parameters: readonly Value[];
  readonly equations: readonly Equation[];
  readonly results: readonly Value[];
}

/** A function: closed, all of its inputs are parameters of its body. */
export interface Fn {
  readonly name: string;
  readonly body: Block;
  /**
   * Array parameters that the function takes over and gives back, `[parameter, result]`: it may
   * write them. A root has none. Calls repeat the list in their parameter `moves`.
   */
  readonly moves?: readonly (readonly [number, number])[] | undefined;
}

/** The functions of a program; `call` equations name them. */
export interface Graph {
  readonly root: string;
  readonly functions: ReadonlyMap<string, Fn>;
}

export function arrayType(dtype: DType, shape: Shape): ValueType {
  return { dtype, shape, stack: false };
}

export function scalarType(dtype: DType): ValueType {
  return { dtype, shape: [], stack: false };
}

export function stackType(dtype: DType, shape: Shape): ValueType {
  return { dtype, shape, stack: true };
}

export function sameType(a: ValueType, b: ValueType): boolean {
  return a.dtype === b.dtype && a.stack === b.stack && sameShape(a.shape, b.shape);
}

/** `f32[2,3]`, `f64`, `stack f64[3]`. */
export function typeText(type: ValueType): string {
  const element = type.shape.length === 0 ? type.dtype : type.dtype + shapeText(type.shape);
  return type.stack ? `stack ${element}` : element;
}

/** Only floating-point values have derivatives. */
export function isFloat(dtype: DType): boolean {
  return dtype === "f64" || dtype === "f32" || dtype === "f16";
}

export function byteSize(dtype: DType): number {
  switch (dtype) {
    case "f64":
      return 8;
    case "f32":
    case "i32":
    case "u32":
      return 4;
    case "f16":
      return 2;
    case "u8":
    case "bool":
      return 1;
  }
}

/** The root function of a graph. */
export function rootOf(graph: Graph): Fn {
  const fn = graph.functions.get(graph.root);
  if (fn === undefined) throw new Error(`the program has no function @${graph.root}`);
  return fn;
}
