/** Helpers for batching rules: inputs that are batched have the new axis first. */

import type { Dim } from "../../ir/dim.ts";
import { multiplyDims } from "../../ir/dim.ts";
import { arrayType, type Equation, type Parameters, type Value } from "../../ir/types.ts";
import type { GraphBuilder } from "../builder.ts";
import type { Batching } from "../define.ts";

export interface BatchContext {
  readonly builder: GraphBuilder;
  readonly equation: Equation;
  readonly size: Dim;
}

/** The rule of an op whose axis parameters, moved by one, do the batched work. All inputs batched. */
export function shiftAxes(
  shift: (parameters: Parameters, context: BatchContext) => Parameters,
): Batching {
  return (context, inputs, batched) => {
    const { builder, equation, size } = context;
    const all = inputs.map((x, k) => (batched[k] ? x : repeated(builder, x, size)));
    return builder.emit(equation.op, all, shift(equation.parameters, context));
  };
}

/** `x` repeated along a new first axis. */
export function repeated(builder: GraphBuilder, x: Value, size: Dim): Value {
  const axes = x.type.shape.map((_, axis) => axis + 1);
  return builder.broadcast(x, [size, ...x.type.shape], axes);
}

/** Axis `from` moved to `to`, the others in order. */
export function moveAxis(builder: GraphBuilder, x: Value, from: number, to: number): Value {
  const permutation = x.type.shape.map((_, axis) => axis).filter((axis) => axis !== from);
  permutation.splice(to, 0, from);
  return builder.transpose(x, permutation);
}

/** The first two axes as one: [B, N, …] → [B*N, …]. */
export function foldFirst(builder: GraphBuilder, x: Value): Value {
  const [size, first, ...rest] = x.type.shape as readonly [Dim, Dim, ...Dim[]];
  return builder.reshape(x, [multiplyDims(size, first), ...rest]);
}

/** The inverse of `foldFirst`. */
export function unfoldFirst(builder: GraphBuilder, x: Value, size: Dim, first: Dim): Value {
  return builder.reshape(x, [size, first, ...x.type.shape.slice(1)]);
}

/**
 * The equation once for each index of the new axis, in a loop that writes its results in place.
 * `consumed` inputs are copied first.
 */
export function byLoop(
  context: BatchContext,
  inputs: readonly Value[],
  batched: readonly boolean[],
  consumed: readonly number[] = [],
): readonly Value[] {
  const { builder, equation, size } = context;
  const types = equation.outputs.map(({ type }) => arrayType(type.dtype, [size, ...type.shape]));
  const initial = types.map((type) => builder.zerosOf(type));
  const body = builder.block([arrayType("i32", []), ...types], (inner, [i, ...carried]) => {
    const row = inputs.map((x, k) => {
      if (batched[k]) return inner.at(x, [i as Value]);
      return consumed.includes(k) ? inner.one("copy", [x]) : x;
    });
    const results = inner.emit(equation.op, row, equation.parameters);
    return results.map((result, k) => inner.update(carried[k] as Value, result, [i as Value]));
  });
  return builder.for(builder.extent(size), initial, body);
}
