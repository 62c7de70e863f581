/** The forward code of a block, and what the walk back does about each of its equations. */

import type { Block, Equation, Value } from "../ir/types.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import type { Contribution, RuleContext } from "../ops/define.ts";
import { opOf } from "../ops/of.ts";
import { forwardCall } from "./calls.ts";
import { customCallee, forwardCustom } from "./custom.ts";
import { forwardFor, forwardIf, forwardWhile, reverseMap } from "./regions.ts";
import { scaled } from "./scale.ts";
import type { Cotangents, Scope, Step, Sweep } from "./sweep.ts";

/** Emits the forward code of a block and returns the steps of the walk back, in forward order. */
export function runForward(
  sweep: Sweep,
  scope: Scope,
  builder: GraphBuilder,
  block: Block,
): readonly Step[] {
  const steps: Step[] = [];
  for (const equation of block.equations) {
    builder.span = equation.span;
    const active = equation.outputs.some(sweep.isActive);
    if (!active) {
      builder.put(equation);
      continue;
    }
    switch (equation.op) {
      case "if":
        steps.push(forwardIf(sweep, scope, builder, equation));
        break;
      case "for":
        steps.push(forwardFor(sweep, scope, builder, equation));
        break;
      case "while":
        steps.push(forwardWhile(sweep, scope, builder, equation));
        break;
      case "call": {
        const custom = customCallee(equation);
        steps.push(
          custom === undefined
            ? forwardCall(sweep, scope, builder, equation)
            : forwardCustom(sweep, builder, equation, custom),
        );
        break;
      }
      case "map":
        builder.put(equation);
        steps.push((reverse, cotangents) => reverseMap(reverse, cotangents, equation, sweep));
        break;
      default:
        builder.put(equation);
        steps.push((reverse, cotangents) => {
          reverse.span = equation.span;
          reversePrimitive(sweep, reverse, cotangents, equation);
        });
    }
  }
  return steps;
}

/** One equation of the op table, by the class of its derivative. */
function reversePrimitive(
  sweep: Sweep,
  builder: GraphBuilder,
  cotangents: Cotangents,
  equation: Equation,
): void {
  const { inputs, outputs } = equation;
  const context: RuleContext = { builder, equation, inputs, outputs };
  const contribute = (k: number, contribution: Contribution): void => {
    const input = inputs[k] as Value;
    if (sweep.isActive(input)) cotangents.contribute(input, contribution);
  };
  if (equation.op === "stack_new") return;
  if (equation.op === "pop") {
    // [s', v] = pop(s)   →   s̄ = push(s̄', v̄)
    if (!sweep.isActive(inputs[0] as Value)) return;
    const [rest, value] = outputs as [Value, Value];
    cotangents.set(inputs[0] as Value, builder.push(cotangents.take(rest), cotangents.take(value)));
    return;
  }
  if (equation.op === "push") {
    // s' = push(s, v)   →   [s̄, v̄] = pop(s̄'), and v̄ = 0 if v was never popped
    if (!sweep.isActive(outputs[0] as Value)) return;
    const [stack, value] = builder.popOrZero(cotangents.take(outputs[0] as Value));
    cotangents.set(inputs[0] as Value, stack);
    contribute(1, value);
    return;
  }
  const seeds = outputs.map((output) => cotangents.get(output));
  if (seeds.every((seed) => seed === undefined)) return;
  const seed = seeds[0] as Value;
  const { derivative } = opOf(equation);
  switch (derivative.kind) {
    case "zero":
      return;
    case "linear": {
      const linear = derivative.in === "all" ? inputs.map((_, k) => k) : derivative.in;
      derivative
        .transpose(context, seed)
        .forEach((contribution, k) => contribute(linear[k] as number, contribution));
      return;
    }
    case "multilinear":
      derivative.transposes.forEach((transpose, k) => {
        if (sweep.isActive(inputs[k] as Value)) contribute(k, transpose(context, seed));
      });
      return;
    case "partials":
      derivative.partials.forEach((partial, k) => {
        if (!sweep.isActive(inputs[k] as Value)) return;
        const factor = partial(context);
        if (factor !== undefined) contribute(k, scaled(builder, factor, seed));
      });
      return;
    case "rules":
      derivative.vjp(context, seeds).forEach((contribution, k) => contribute(k, contribution));
      return;
  }
}
