/**
 * Calls with a derivative of their own. They stay calls until they are differentiated, and are the
 * function itself where they are not.
 *
 * A rule for one mode is a rule for the other, because both are linear:
 *
 *   ẏ = J ẋ         →   x̄ = the vjp of  ẋ ↦ J ẋ  at 0, applied to ȳ
 *   x̄ = Jᵀ ȳ        →   ẏ = the vjp of  ȳ ↦ Jᵀ ȳ  at 0, applied to ẋ
 */

import { type Equation, isFloat, type Value } from "../ir/types.ts";
import { copyBlock } from "../ir/walk.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import { type Callee, type CustomCallee, decodeCallee } from "./callee.ts";
import type { FunctionTable } from "./functions.ts";
import type { Step, Sweep } from "./sweep.ts";

/** A use of a derivative that the user's own rule does not give. */
export class DerivativeFault extends Error {
  /** What the user calls the function, and the value it captures. */
  readonly callee: string;
  readonly variable: string;
  readonly span: Equation["span"];
  /** The calls that asked for the derivative, innermost first. */
  readonly calls: NonNullable<Equation["span"]>[] = [];
  constructor(callee: string, variable: string, span: Equation["span"]) {
    super(`${callee} has no derivative for ${variable}`);
    this.callee = callee;
    this.variable = variable;
    this.span = span;
  }
}

/** The callee of a call that has a derivative of its own. */
export function customCallee(equation: Equation): CustomCallee | undefined {
  const callee = decodeCallee(equation.parameters["callee"]);
  return callee.kind === "custom" || callee.kind === "checkpoint" ? callee : undefined;
}

/** The function that such a call computes. */
export function primalOf(callee: CustomCallee): Callee {
  return callee.kind === "custom" ? callee.primal : callee.of;
}

/** Emits results and tangents of the floating-point results; `tangents` are of the active inputs. */
export function pushCustom(
  functions: FunctionTable,
  builder: GraphBuilder,
  equation: Equation,
  callee: CustomCallee,
  tangents: readonly (Value | undefined)[],
): readonly Value[] {
  const { inputs, outputs } = equation;
  const active = tangents.map((tangent) => tangent !== undefined);
  if (callee.kind === "checkpoint") {
    const moving = tangents.filter((tangent) => tangent !== undefined);
    const pushed: Callee = { kind: "jvp", of: callee.of, active };
    return finish(inline(functions, builder, pushed, [...inputs, ...moving]));
  }
  checkSmooth(equation, callee, active);
  const along = inputs.flatMap((input, k) =>
    callee.smooth[k] ? [tangents[k] ?? builder.zerosOf(input.type)] : [],
  );
  if ("jvp" in callee) return finish(inline(functions, builder, callee.jvp, [...inputs, ...along]));
  const given = inline(functions, builder, callee.fwd, inputs);
  const results = given.slice(0, outputs.length);
  const residuals = [...given.slice(outputs.length), ...constants(callee, inputs)];
  const zeros = outputs
    .filter((output) => isFloat(output.type.dtype))
    .map((output) => builder.zerosOf(output.type));
  const linear = [...residuals.map(() => false), ...zeros.map(() => true)];
  const back: Callee = { kind: "vjp", of: callee.bwd, active: linear };
  const pulled = inline(functions, builder, back, [...residuals, ...zeros, ...along]);
  return finish([...results, ...pulled.slice(along.length)]);

  function finish(values: readonly Value[]): readonly Value[] {
    outputs.forEach((output, k) => builder.put(identity(values[k] as Value, output)));
    return values.slice(outputs.length);
  }
}

/** Emits the forward half; the step contributes the cotangents of the inputs. */
export function forwardCustom(
  sweep: Sweep,
  builder: GraphBuilder,
  equation: Equation,
  callee: CustomCallee,
): Step {
  const { functions } = sweep;
  const { inputs, outputs } = equation;
  const active = inputs.map(sweep.isActive);
  const floats = outputs.filter((output) => isFloat(output.type.dtype));
  const contributing = (chosen: readonly boolean[]): readonly Value[] =>
    inputs.filter((_, k) => chosen[k]);
  if (callee.kind === "checkpoint") {
    builder.put(equation);
    return (reverse, cotangents) => {
      const seeds = floats.map((output) => cotangents.take(output));
      const back: Callee = { kind: "vjp", of: callee.of, active };
      const values = inline(functions, reverse, back, [...inputs, ...seeds]);
      contributing(active).forEach((input, k) =>
        cotangents.contribute(input, values[outputs.length + k]),
      );
    };
  }
  checkSmooth(equation, callee, active);
  const smooth = contributing(callee.smooth);
  const give = (values: readonly Value[], cotangents: Parameters<Step>[1]): void =>
    smooth.forEach((input, k) => {
      if (sweep.isActive(input)) cotangents.contribute(input, values[k]);
    });
  if ("jvp" in callee) {
    builder.put(equation);
    return (reverse, cotangents) => {
      const seeds = floats.map((output) => cotangents.take(output));
      const still = [...smooth, ...floats].map(({ type }) => reverse.zerosOf(type));
      const linear = [...inputs.map(() => false), ...smooth.map(() => true)];
      const back: Callee = { kind: "vjp", of: callee.jvp, active: linear };
      const values = inline(functions, reverse, back, [...inputs, ...still, ...seeds]);
      give(values.slice(outputs.length + floats.length), cotangents);
    };
  }
  const given = inline(functions, builder, callee.fwd, inputs);
  outputs.forEach((output, k) => builder.put(identity(given[k] as Value, output)));
  const residuals = [...given.slice(outputs.length), ...constants(callee, inputs)];
  return (reverse, cotangents) => {
    const seeds = floats.map((output) => cotangents.take(output));
    give(inline(functions, reverse, callee.bwd, [...residuals, ...seeds]), cotangents);
  };
}

/** What the function captures: inputs of `bwd` too. */
function constants(
  callee: CustomCallee & { readonly kind: "custom" },
  inputs: readonly Value[],
): readonly Value[] {
  return inputs.slice(inputs.length - callee.captured);
}

/** Refuses derivatives that a rule does not give. */
export function checkSmooth(
  equation: Equation,
  callee: CustomCallee & { readonly kind: "custom" },
  active: readonly boolean[],
): void {
  const wrong = active.findIndex((is, k) => is && !callee.smooth[k]);
  if (wrong < 0) return;
  const variable = equation.inputs[wrong]?.name ?? "a value around it";
  throw new DerivativeFault(callee.name, variable, equation.span);
}

/** The body of a function, transforms applied, in place of a call; its results. */
export function inline(
  functions: FunctionTable,
  builder: GraphBuilder,
  callee: Callee,
  inputs: readonly Value[],
): readonly Value[] {
  const { body } = functions.resolve(callee);
  const bound = body.parameters.map((parameter, k) => [parameter, inputs[k] as Value] as const);
  const copy = copyBlock({ ...body, parameters: [] }, new Map(bound));
  for (const equation of copy.equations) builder.put(equation);
  return copy.results;
}

/** An equation that gives `from` the identity of `to`. */
export function identity(from: Value, to: Value): Equation {
  return {
    op: "reshape",
    inputs: [from],
    parameters: { shape: to.type.shape },
    regions: [],
    outputs: [to],
    span: undefined,
  };
}
