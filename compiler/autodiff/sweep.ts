/** What the files of reverse mode share: the sweep, its scopes and stacks, the cotangents. */

import { sameType, type Value, type ValueType } from "../ir/types.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import type { Contribution } from "../ops/define.ts";
import type { FunctionTable } from "./functions.ts";

export interface Sweep {
  readonly isActive: (value: Value) => boolean;
  /** Arrays that some equation writes in place: their elements cannot be read again later. */
  readonly mutated: ReadonlySet<Value>;
  /** True in a map: its elements have no stacks, so all of the body is computed again. */
  readonly keepNothing: boolean;
  /**
   * True in a function of its own: it is given one stack of numbers for everything that it keeps,
   * the same that it hands to the functions it calls.
   */
  readonly oneStack: boolean;
  /** Extents that regions bind: no array of such a length fits on a stack from around them. */
  readonly boundInside: ReadonlySet<string>;
  readonly functions: FunctionTable;
}

/** A stack, as it stands at this point of the forward code, or of the reverse code. */
export interface Slot {
  forward: Value;
  reverse: Value | undefined;
}

/** A place of the forward code in which regions stand: it can be asked for a stack to thread. */
export interface Scope {
  readonly requestStack: (type: ValueType) => Slot;
}

/** What the walk back does about one equation of the forward code. */
export type Step = (builder: GraphBuilder, cotangents: Cotangents) => void;

/** The cotangents collected so far, in the scope of one builder. */
export class Cotangents {
  private readonly values = new Map<Value, Value>();
  /** Stacks without elements from around the scope. */
  private readonly lent: Value[] = [];
  readonly builder: GraphBuilder;

  constructor(builder: GraphBuilder) {
    this.builder = builder;
  }

  get(value: Value): Value | undefined {
    return this.values.get(value);
  }

  set(value: Value, cotangent: Value): void {
    this.values.set(value, cotangent);
  }

  /** Gives a stack without elements, to be the first of them that is wanted. */
  lend(stack: Value): void {
    this.lent.push(stack);
  }

  /** The cotangent, zero if nothing was contributed. */
  take(value: Value): Value {
    const known = this.values.get(value);
    if (known !== undefined) return known;
    const at = this.lent.findIndex(({ type }) => value.type.stack && sameType(type, value.type));
    const [lent] = at < 0 ? [] : this.lent.splice(at, 1);
    if (lent !== undefined) return lent;
    const zeros = this.builder.zerosOf(value.type);
    if (value.name !== undefined && value.type.shape.length > 0) {
      this.builder.name(zeros, `d${value.name}`);
    }
    return zeros;
  }

  /** Adds a contribution; `v̄ += contribution`. */
  contribute(value: Value, contribution: Contribution): void {
    if (contribution === undefined) return;
    const { builder } = this;
    const existing = this.values.get(value);
    // A version of a stack has one user, so its cotangent arrives whole.
    if (value.type.stack) this.values.set(value, contribution as Value);
    else if ("accumulate" in contribution) {
      const accumulator = existing ?? builder.zerosOf(value.type);
      this.values.set(value, contribution.accumulate(accumulator));
    } else {
      this.values.set(value, existing ? builder.accumulate(existing, contribution) : contribution);
    }
    if (value.name !== undefined) builder.name(this.take(value), `d${value.name}`);
  }
}

export function walkBack(
  steps: readonly Step[],
  builder: GraphBuilder,
  cotangents: Cotangents,
): void {
  for (const step of steps.toReversed()) step(builder, cotangents);
}

/** A new value of the same type, named as the user's `x` is: `dx`. */
export function cotangentOf({ type, name }: Value): Value {
  return { type, name: name === undefined ? undefined : `d${name}` };
}
