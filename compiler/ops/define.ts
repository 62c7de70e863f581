/** What the compiler knows of a primitive: the type of one definition. */

import type { Dim } from "../ir/dim.ts";
import type { NdArray } from "../ir/ndarray.ts";
import type { Equation, Parameters, Value, ValueType } from "../ir/types.ts";
import type { GraphBuilder } from "./builder.ts";

/** One definition says all there is to say of a primitive. Every field must be there. */
export interface Op {
  readonly name: string;
  /** One sentence: what it computes. */
  readonly summary: string;
  readonly laws: Laws;
  /** The types of the outputs, or a `TypeFault` that says what is wrong with the inputs. */
  readonly type: (inputs: readonly ValueType[], parameters: Parameters) => readonly ValueType[];
  /** The meaning, in JavaScript. Also folds constants and serves as the oracle of every test. */
  readonly reference: Reference;
  readonly derivative: Derivative;
  /** What an element depends on, where the laws do not say it and all of the inputs is too much. */
  readonly dependence?: DependenceRule;
  readonly batch: Batching;
  readonly lower: Lowering;
  /** Inputs to test with; every generated test runs over them. Empty only for stacks. */
  readonly samples: readonly Sample[];
}

/** Properties that passes ask for, instead of asking for names. */
export interface Laws {
  /** The output element at an index depends on the input elements at that index alone. */
  readonly elementwise?: boolean;
  readonly commutative?: boolean;
  /** `op(x, identity) = x` to the last bit, in the second input. That of `add` is -0. */
  readonly rightIdentity?: number;
  /** Positions of inputs that the equation consumes: it may write its result in their place. */
  readonly consumes?: readonly number[];
  /**
   * Every element of the result is an element of an input that the op is linear in, or 0; which
   * one, the other inputs and the parameters say. So the op moves elements of any type.
   */
  readonly rearranges?: boolean;
  /** Must stay even if nothing uses its outputs. */
  readonly effect?: boolean;
  /** An effect that is enough once for the same inputs, if these parameters are the same too. */
  readonly onceFor?: readonly string[];
  /** Costs far more than reading its result back from memory: kept for the adjoint, not redone. */
  readonly costly?: boolean;
  /** May fail at run time (an index out of range): stays behind the branch that guards it. */
  readonly partial?: boolean;
}

/**
 * The mask of the result, from those of the inputs: arrays of i32 in their shapes, whose bits say
 * what each element depends on. An input without one depends on nothing. Inputs that the op is not
 * differentiated in may be read: they are what they are in the program.
 */
export type DependenceRule = (context: RuleContext, masks: readonly (Value | undefined)[]) => Value;

/** `parameters` may hold symbolic dimensions; `extents` gives their values. */
export type Reference = (
  inputs: readonly NdArray[],
  parameters: Parameters,
  context: ReferenceContext,
) => readonly NdArray[];

export interface ReferenceContext {
  /** The output types with every dimension a number. */
  readonly outputs: readonly { readonly dtype: ValueType["dtype"]; readonly shape: number[] }[];
  /** The value of a dimension. */
  readonly extent: (dim: Dim) => number;
}

/** What a backward rule may use. */
export interface RuleContext {
  readonly builder: GraphBuilder;
  readonly equation: Equation;
  /** The equation's inputs and outputs as they stand in the program being built. */
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** A cotangent for an input: a value to add, or a way to add it in place to what is there. */
export type Contribution = Value | Accumulation | undefined;
export interface Accumulation {
  readonly accumulate: (accumulator: Value) => Value;
}

/**
 * How to differentiate, weakest class first. `jvp` and `vjp` both follow from it.
 * Tangents and cotangents of inputs that are not floating point are never asked for.
 */
export type Derivative =
  /** The outputs do not depend smoothly on any input. */
  | { readonly kind: "zero" }
  /**
   * Jointly linear in the inputs listed (all others fixed): the tangent is the op itself.
   * `transpose` gives one contribution per listed input.
   */
  | {
      readonly kind: "linear";
      readonly in: readonly number[] | "all";
      readonly transpose: (context: RuleContext, cotangent: Value) => readonly Contribution[];
    }
  /** Linear in each input separately: the product rule. One transpose per input. */
  | {
      readonly kind: "multilinear";
      readonly transposes: readonly ((context: RuleContext, cotangent: Value) => Contribution)[];
    }
  /**
   * Elementwise: one partial derivative per input, from inputs and outputs; undefined is zero. A
   * `bool` is a mask, 1 where true: where it is false nothing flows, not even 0 · ∞.
   */
  | {
      readonly kind: "partials";
      readonly partials: readonly ((context: RuleContext) => Value | undefined)[];
    }
  /** Fits none of the above. Undefined tangents and cotangents are zero. */
  | {
      readonly kind: "rules";
      readonly jvp: (
        context: RuleContext,
        tangents: readonly (Value | undefined)[],
      ) => readonly (Value | undefined)[];
      readonly vjp: (
        context: RuleContext,
        cotangents: readonly (Value | undefined)[],
      ) => readonly Contribution[];
      /** Outputs whose contents the vjp reads, inputs likewise; all where absent. */
    };

/**
 * How to add a leading axis. `elementwise`: unbatched inputs are repeated. `loop`: a loop over
 * the axis. `apart`: the whole function is run for one element after the other. A function is given
 * the inputs, batched ones with the new axis first, and `batched` saying which; it returns outputs
 * that all have the new axis first.
 */
export type Batching =
  | "elementwise"
  | "loop"
  | "apart"
  | ((
      context: { readonly builder: GraphBuilder; readonly equation: Equation; readonly size: Dim },
      inputs: readonly Value[],
      batched: readonly boolean[],
    ) => readonly Value[]);

/** An expression of the code being made for one element; opaque here. */
export interface Element {
  readonly element: "element";
}

/** What a lowering may write. `apply` names an elementwise op; i32 arithmetic serves indices. */
export interface ElementWriter {
  readonly constant: (value: number, dtype: ValueType["dtype"]) => Element;
  /** A dimension, as i32. */
  readonly dim: (dim: Dim) => Element;
  /** An elementwise op by name; `dtype` is that of its operands. */
  readonly apply: (op: string, dtype: ValueType["dtype"], ...operands: Element[]) => Element;
  readonly cast: (value: Element, from: ValueType["dtype"], to: ValueType["dtype"]) => Element;
  /** Evaluates only the chosen side. `dtype` is that of the result. */
  readonly when: (
    condition: Element,
    dtype: ValueType["dtype"],
    then: () => Element,
    otherwise: () => Element,
  ) => Element;
}

/** Reads an input of the equation at an index. */
export type ReadInput = (input: number, index: readonly Element[]) => Element;

/** How code is made of it, shared by all targets. */
export type Lowering =
  /** The target spells the op on single elements (and on vector lanes). */
  | { readonly kind: "elementwise" }
  /** One output element from input elements: views, selections, generators. */
  | {
      readonly kind: "element";
      readonly element: (
        writer: ElementWriter,
        equation: Equation,
        index: readonly Element[],
        read: ReadInput,
      ) => Element;
      /** The output is the input's memory read in the same order: no code at all. */
      readonly alias?: boolean;
    }
  /** Combines over `parameters.axes` with an elementwise op, from its identity. */
  | { readonly kind: "reduce"; readonly combine: string; readonly identity: number }
  /** A schedule of its own in compiler/kernel/schedules. */
  | { readonly kind: "schedule" }
  /** Handled by the program's frame, not by a kernel: scalars, extents, stacks. */
  | { readonly kind: "frame" };

export interface Sample {
  readonly inputs: readonly NdArray[];
  readonly parameters?: Parameters;
  /** Inputs to differentiate in; default all floating-point ones. Empty skips gradients. */
  readonly differentiate?: readonly number[];
  /** Why the sample is there, when it is a special one. */
  readonly note?: string;
}

/** What is wrong with the inputs of an op, in one sentence for its user. */
export class TypeFault extends Error {
  /** Two extents that would have to be one. */
  readonly differing: readonly [Dim, Dim] | undefined;
  constructor(sentence: string, differing?: readonly [Dim, Dim]) {
    super(sentence);
    this.differing = differing;
  }
}

export function fault(sentence: string, differing?: readonly [Dim, Dim]): never {
  throw new TypeFault(sentence, differing);
}

/** Freezes nothing, infers everything: exists so that a missing field is a type error at the op. */
export function defineOp(op: Op): Op {
  return op;
}
