/** The loop IR: functions of loops, loads and stores over typed locals, spelled by every target. */

import type { Dim } from "../ir/dim.ts";
import type { DType, Span } from "../ir/types.ts";

/**
 * Types of locals. `u32`, `u8` and `bool` live in `i32`; lanes of booleans are masks. An `f16` lives
 * in `f32`: loads and stores convert, and casts to it round.
 */
export type Machine = "i32" | "f32" | "f64" | "f32x4" | "f64x2" | "i32x4";
export type Lanes = 1 | 2 | 4;

/** A local is known by its identity. Names are for reading and need not be unique. */
export interface Local {
  readonly name: string;
  readonly type: Machine;
  /** Assigned by one statement, before every use. */
  readonly once?: boolean | undefined;
  /** For an address: the pointer that it was computed from. */
  readonly root?: Local | undefined;
}

/**
 * `dtype` is the element type of the operands, `lanes` how many there are at once.
 * Addresses are bytes, indices are elements.
 */
export type Expr =
  | { readonly kind: "const"; readonly value: number; readonly dtype: DType; readonly lanes: Lanes }
  | { readonly kind: "local"; readonly local: Local }
  /** `constant + Σ coefficient·local`, i32. Becomes arithmetic once its loops are known. */
  | { readonly kind: "affine"; readonly constant: Dim; readonly terms: readonly AffineTerm[] }
  | {
      readonly kind: "load";
      readonly base: Expr;
      readonly index: Expr;
      readonly dtype: DType;
      readonly lanes: Lanes;
    }
  /**
   * An elementwise op by its name in the op table, or one of those that are here only:
   * `index_div`, `index_rem` of indices ≥ 0; `bits_of` with dtype i32, the bits of one f32, and
   * `of_bits` with dtype f32, the number of one i32's bits. The last two are for the elementary
   * functions of GPUs (compiler/targets/gpu/elementary.ts) and move any bits, of denormal numbers
   * and NaN too.
   */
  | {
      readonly kind: "op";
      readonly op: string;
      readonly dtype: DType;
      readonly lanes: Lanes;
      readonly operands: readonly Expr[];
      /** A term of a sum that may be taken in another order. */
      readonly loose?: boolean;
    }
  | {
      readonly kind: "cast";
      readonly from: DType;
      readonly to: DType;
      readonly lanes: Lanes;
      readonly value: Expr;
      /** From f64 to i32: of a whole number of 32 bits, or nobody asks for the result. */
      readonly whole?: boolean;
    }
  | { readonly kind: "splat"; readonly dtype: DType; readonly lanes: Lanes; readonly value: Expr }
  | {
      readonly kind: "lane";
      readonly dtype: DType;
      readonly lanes: Lanes;
      readonly lane: number;
      readonly value: Expr;
    }
  /** Lanes of two vectors: 0…n-1 name those of `a`, n…2n-1 those of `b`. */
  | {
      readonly kind: "shuffle";
      readonly dtype: DType;
      readonly lanes: Lanes;
      readonly picks: readonly number[];
      readonly a: Expr;
      readonly b: Expr;
    }
  /** `a * b + c`, rounded once or twice as the machine likes: tensor code only. */
  | {
      readonly kind: "madd";
      readonly dtype: DType;
      readonly lanes: Lanes;
      readonly a: Expr;
      readonly b: Expr;
      readonly c: Expr;
    }
  /** Evaluates one side only. The condition is a scalar. */
  | {
      readonly kind: "when";
      readonly dtype: DType;
      readonly lanes: Lanes;
      readonly condition: Expr;
      readonly then: Expr;
      readonly otherwise: Expr;
    };

/** What a kernel computes, in words, and the code of the user's program that it comes from. */
export interface Origin {
  readonly comment: string;
  readonly spans: readonly Span[];
}

export interface AffineTerm {
  readonly local: Local;
  readonly coefficient: Dim;
}

export type Statement =
  | {
      readonly kind: "set";
      readonly local: Local;
      readonly value: Expr;
      /** Where what it computes stands in the user's program, here and below. */
      readonly span?: Span | undefined;
    }
  | {
      readonly kind: "store";
      readonly base: Expr;
      readonly index: Expr;
      readonly dtype: DType;
      readonly lanes: Lanes;
      readonly value: Expr;
      readonly span?: Span | undefined;
    }
  /** `local` from `from` while below `to`. The body does not assign it. */
  | {
      readonly kind: "for";
      readonly local: Local;
      readonly from: Expr;
      readonly to: Expr;
      readonly step: number;
      readonly body: readonly Statement[];
      /** The rounds may run in any order, and all at the same time. */
      readonly isGrid?: boolean;
      /** Of a grid that calls no kernel. */
      readonly origin?: Origin | undefined;
      /** Where the loop stands in the user's program. */
      readonly span?: Span | undefined;
    }
  /** Runs `before`, leaves when `condition` is false, runs `body`, and again. */
  | {
      readonly kind: "while";
      readonly before: readonly Statement[];
      readonly condition: Expr;
      readonly body: readonly Statement[];
      readonly span?: Span | undefined;
    }
  | {
      readonly kind: "if";
      readonly condition: Expr;
      readonly then: readonly Statement[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly kind: "call";
      readonly callee: string;
      readonly operands: readonly Expr[];
      readonly results: readonly Local[];
      /** What is called for in the user's program. */
      readonly span?: Span | undefined;
      /** Of the call of a kernel: functions that do the same are one, whatever they are called for. */
      readonly origin?: Origin | undefined;
    }
  /** Moves bytes; the two ranges may overlap. */
  | {
      readonly kind: "copy";
      readonly to: Expr;
      readonly from: Expr;
      readonly bytes: Expr;
      readonly span?: Span | undefined;
    }
  /** Sets bytes to zero. */
  | {
      readonly kind: "clear";
      readonly to: Expr;
      readonly bytes: Expr;
      readonly span?: Span | undefined;
    }
  /** Ends the program with an error; the numbers go into its message. */
  | { readonly kind: "fault"; readonly site: number; readonly index: Expr; readonly extent: Expr };

export interface LoopFunction {
  readonly name: string;
  /** What it computes, for readers. */
  readonly comment: string;
  readonly parameters: readonly Local[];
  readonly body: readonly Statement[];
  readonly results: readonly Expr[];
  readonly resultTypes: readonly Machine[];
}

/** Functions that a module calls and the runtime provides. */
export const hostFunctions = {
  /** Address of that many fresh bytes, freed at the end of the call at the latest. */
  allocate: { parameters: ["i32"], results: ["i32"] },
  release: { parameters: ["i32"], results: [] },
  /** Has threads do so many parts of a task (`tasks.ts`), and returns when they are done. */
  fork: { parameters: ["i32", "i32"], results: [] },
} as const satisfies Record<string, { parameters: Machine[]; results: Machine[] }>;

export interface SiteInfo {
  readonly kind: "index" | "start" | "length" | "extent" | "stack";
  readonly op: string;
  readonly name: string | undefined;
  readonly span: Span | undefined;
}

/** A program: `run` is the function that is called from outside, `task` by threads if it is there. */
export interface LoopModule {
  readonly name: string;
  readonly functions: readonly LoopFunction[];
  /** Address of the constants, a parameter that every function may read. */
  readonly constants: Uint8Array;
  readonly constantsBase: Local;
  readonly sites: readonly SiteInfo[];
  readonly symbols: readonly string[];
  readonly arena: readonly (readonly Dim[])[];
  readonly results: readonly ResultPlace[];
  /** Parameters that the program takes over, and which result may be in the place of which. */
  readonly donated: readonly number[];
  readonly inPlace: readonly (readonly [parameter: number, result: number])[];
  readonly bound: readonly { readonly symbol: string; readonly offset: number }[];
  /** The memory plan, for people. */
  readonly memoryText: string;
}

export type ResultPlace =
  | { readonly kind: "returned" }
  | { readonly kind: "stored"; readonly offset: number }
  | { readonly kind: "passed" }
  | { readonly kind: "allocated"; readonly offset: number };

export function local(name: string, type: Machine): Local {
  return { name, type };
}

/** A local for the value of one expression. */
export function temporary(name: string, type: Machine, root?: Local): Local {
  return { name, type, once: true, root };
}

/** The machine type of `lanes` elements. */
export function machine(dtype: DType, lanes: Lanes = 1): Machine {
  if (lanes === 1)
    return dtype === "f16" ? "f32" : dtype === "f64" || dtype === "f32" ? dtype : "i32";
  if (dtype === "f32" || dtype === "f16") return "f32x4";
  return dtype === "f64" ? "f64x2" : "i32x4";
}

export function read(of: Local): Expr {
  return { kind: "local", local: of };
}

export function constant(value: number, dtype: DType = "i32", lanes: Lanes = 1): Expr {
  return { kind: "const", value, dtype, lanes };
}

export function load(base: Expr, index: Expr, dtype: DType, lanes: Lanes = 1): Expr {
  return { kind: "load", base, index, dtype, lanes };
}

export function store(
  base: Expr,
  index: Expr,
  dtype: DType,
  value: Expr,
  lanes: Lanes = 1,
): Statement {
  return { kind: "store", base, index, dtype, lanes, value };
}

export function op(name: string, dtype: DType, operands: readonly Expr[], lanes: Lanes = 1): Expr {
  return { kind: "op", op: name, dtype, lanes, operands };
}

/** x + y of a type that is computed in, or of f16. */
export function sum(dtype: DType, x: Expr, y: Expr): Expr {
  if (dtype !== "f16") return op("add", dtype, [x, y]);
  return rounded(op("add", "f32", [x, y]));
}

function rounded(value: Expr): Expr {
  return { kind: "cast", from: "f32", to: "f16", lanes: 1, value };
}

export function set(target: Local, value: Expr): Statement {
  return { kind: "set", local: target, value };
}

export function loop(
  counter: Local,
  to: Expr,
  body: readonly Statement[],
  step = 1,
  from: Expr = constant(0),
): Statement {
  return { kind: "for", local: counter, from, to, step, body };
}

export function splat(value: Expr, dtype: DType, lanes: Lanes): Expr {
  if (lanes === 1) return value;
  if (value.kind === "const") return { ...value, lanes };
  return { kind: "splat", dtype, lanes, value };
}

export function madd(a: Expr, b: Expr, c: Expr, dtype: DType, lanes: Lanes): Expr {
  return { kind: "madd", dtype, lanes, a, b, c };
}

// i32 arithmetic for addresses and indices, folded where an operand is known

export function add(a: Expr, b: Expr): Expr {
  if (isConstant(a) && isConstant(b)) return constant((a.value + b.value) | 0);
  if (isValue(a, 0)) return b;
  if (isValue(b, 0)) return a;
  return op("add", "i32", [a, b]);
}

export function subtract(a: Expr, b: Expr): Expr {
  if (isConstant(a) && isConstant(b)) return constant((a.value - b.value) | 0);
  if (isValue(b, 0)) return a;
  return op("sub", "i32", [a, b]);
}

export function multiply(a: Expr, b: Expr): Expr {
  if (isConstant(a) && isConstant(b)) return constant(Math.imul(a.value, b.value));
  if (isConstant(a)) return multiply(b, a);
  if (isValue(b, 0)) return b;
  if (isValue(b, 1)) return a;
  if (isConstant(b) && b.value > 0 && (b.value & (b.value - 1)) === 0) {
    return op("shift_left", "i32", [a, constant(31 - Math.clz32(b.value))]);
  }
  return op("mul", "i32", [a, b]);
}

/** The remainder and quotient of indices: both operands are at least zero. */
export function divide(a: Expr, b: Expr): Expr {
  if (isConstant(a) && isConstant(b)) return constant(Math.floor(a.value / b.value));
  if (isValue(b, 1)) return a;
  return op("index_div", "i32", [a, b]);
}

export function remainder(a: Expr, b: Expr): Expr {
  if (isConstant(a) && isConstant(b)) return constant(a.value % b.value);
  if (isValue(b, 1)) return constant(0);
  return op("index_rem", "i32", [a, b]);
}

export function minimum(a: Expr, b: Expr): Expr {
  if (isConstant(a) && isConstant(b)) return constant(Math.min(a.value, b.value));
  return op("min", "i32", [a, b]);
}

export function maximum(a: Expr, b: Expr): Expr {
  if (isConstant(a) && isConstant(b)) return constant(Math.max(a.value, b.value));
  return op("max", "i32", [a, b]);
}

export function less(a: Expr, b: Expr): Expr {
  return op("lt", "i32", [a, b]);
}

export function isConstant(expr: Expr): expr is Extract<Expr, { readonly kind: "const" }> {
  return expr.kind === "const" && expr.lanes === 1;
}

export function isValue(expr: Expr, value: number): boolean {
  return isConstant(expr) && expr.value === value;
}
