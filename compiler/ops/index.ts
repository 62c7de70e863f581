/** The table of primitives: every op by name. */

import type { Span, ValueType } from "../ir/types.ts";
import * as binary from "./binary.ts";
import { GraphBuilder, type TypeRule } from "./builder.ts";
import * as contraction from "./contraction.ts";
import * as conversions from "./conversions.ts";
import * as convolution from "./convolution.ts";
import type { Op } from "./define.ts";
import * as elements from "./elements.ts";
import * as gathering from "./gathering.ts";
import { gemm } from "./gemm.ts";
import * as logic from "./logic.ts";
import * as meta from "./meta.ts";
import * as movement from "./movement.ts";
import * as random from "./random.ts";
import * as reductions from "./reductions.ts";
import * as slicing from "./slicing.ts";
import * as stacks from "./stacks.ts";
import * as unary from "./unary.ts";
import * as windows from "./windows.ts";

export const ops: Readonly<Record<string, Op>> = {
  ...unary,
  ...binary,
  ...logic,
  ...conversions,
  ...reductions,
  ...movement,
  ...slicing,
  ...contraction,
  gemm,
  ...convolution,
  ...windows,
  ...elements,
  ...gathering,
  ...random,
  ...stacks,
  ...meta,
};

/** Types the outputs of an op of the table. Throws a `TypeFault` that says what is wrong. */
export const typeRule: TypeRule = (op, inputs, parameters) => {
  const definition = Object.hasOwn(ops, op) ? ops[op] : undefined;
  if (definition === undefined) throw new Error(`there is no op called ${op}`);
  if (inputs.some(isStack) && definition !== stacks.push && definition !== stacks.pop) {
    throw new Error(`${op} is given a stack`);
  }
  return definition.type(inputs, parameters);
};

/** A builder of equations of this table. */
export function newBuilder(span?: Span): GraphBuilder {
  return new GraphBuilder(typeRule, span);
}

function isStack(type: ValueType): boolean {
  return type.stack;
}
