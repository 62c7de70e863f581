/**
 * Forward mode: a function that also carries the derivative along given directions.
 *
 *   y = f(x)   →   y, ẏ = f(x), f'(x) ẋ
 */

import { newBuilder } from "../ops/index.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import type { RuleContext } from "../ops/define.ts";
import { type Block, type Equation, type Fn, isFloat, type Value } from "../ir/types.ts";
import { loopOf } from "../ir/walk.ts";
import { tidied } from "../passes/tidy.ts";
import { opOf } from "../ops/of.ts";
import { variedValues } from "./activity.ts";
import { customCallee, pushCustom } from "./custom.ts";
import {
  calledName,
  callOf,
  FunctionTable,
  maskText,
  movesAt,
  movesWithTangents,
} from "./functions.ts";
import { scaled } from "./scale.ts";

/**
 * `active` marks the parameters that have tangents. The result takes the parameters and then the
 * tangents of the active ones; it returns the results and then the tangents of the floating-point
 * ones.
 */
export function jvp(
  fn: Fn,
  active: readonly boolean[],
  functions: FunctionTable = new FunctionTable(),
): Fn {
  const { parameters, results } = fn.body;
  const tangents = new Map<Value, Value>();
  const tangentParameters: Value[] = [];
  parameters.forEach((parameter, k) => {
    if (!active[k]) return;
    const tangent = tangentOf(parameter);
    tangents.set(parameter, tangent);
    tangentParameters.push(tangent);
  });
  const sweep = { tangents, varied: variedValues(fn.body, tangents.keys()), functions };
  const builder = newBuilder();
  pushForward(sweep, builder, fn.body);
  const floats = results.filter((result) => isFloat(result.type.dtype));
  const tangentResults = floats.map((result) => tangentOrZero(sweep, builder, result));
  const moves = movesWithTangents(fn.moves ?? [], active, parameters, results);
  return {
    name: `${fn.name}$jvp`,
    moves,
    body: {
      parameters: [...parameters, ...tangentParameters],
      equations: builder.equations,
      results: [...results, ...tangentResults],
    },
  };
}

interface Sweep {
  readonly tangents: Map<Value, Value>;
  readonly varied: ReadonlySet<Value>;
  readonly functions: FunctionTable;
}

/** Emits the equations of `block`, each followed by those of its tangents. */
function pushForward(sweep: Sweep, builder: GraphBuilder, block: Block): void {
  for (const equation of block.equations) {
    builder.span = equation.span;
    pushEquation(sweep, builder, equation);
  }
}

function pushEquation(sweep: Sweep, builder: GraphBuilder, equation: Equation): void {
  const { tangents, varied } = sweep;
  if (!equation.outputs.some((output) => varied.has(output))) {
    builder.put(equation);
    return;
  }
  switch (equation.op) {
    case "if": {
      const moving = equation.outputs.map((output) => varied.has(output));
      const regions = equation.regions.map((region) => {
        const inner = builder.nested();
        pushForward(sweep, inner, region);
        const extra = select(region.results, moving).map((v) => tangentOrZero(sweep, inner, v));
        return { ...region, equations: inner.equations, results: [...region.results, ...extra] };
      });
      emitWithTangents(sweep, builder, equation, equation.inputs, regions, moving);
      return;
    }
    case "for":
    case "while": {
      const loop = loopOf(equation);
      const moving = loop.carried.map((parameter) => varied.has(parameter));
      const initial = select(loop.initial, moving).map((v) => tangentOrZero(sweep, builder, v));
      const extra = select(loop.carried, moving).map(tangentOf);
      select(loop.carried, moving).forEach((v, k) => tangents.set(v, extra[k] as Value));
      const inner = builder.nested();
      pushForward(sweep, inner, loop.body);
      const next = select(loop.body.results, moving).map((v) => tangentOrZero(sweep, inner, v));
      const body: Block = {
        parameters: [...loop.body.parameters, ...extra],
        equations: inner.equations,
        results: [...loop.body.results, ...next],
      };
      const regions = equation.op === "for" ? [body] : [widened(equation.regions[0], extra), body];
      const inputs = [...equation.inputs, ...initial];
      emitWithTangents(sweep, builder, equation, inputs, regions, moving);
      return;
    }
    case "map": {
      const [body] = equation.regions as [Block];
      const arrays = body.parameters.map((parameter) => varied.has(parameter));
      const directions = select(equation.inputs, arrays).map((v) =>
        tangentOrZero(sweep, builder, v),
      );
      const extra = select(body.parameters, arrays).map(tangentOf);
      select(body.parameters, arrays).forEach((v, k) => tangents.set(v, extra[k] as Value));
      const inner = builder.nested();
      pushForward(sweep, inner, body);
      const moving = equation.outputs.map((output) => varied.has(output));
      const next = select(body.results, moving).map((v) => tangentOrZero(sweep, inner, v));
      const region: Block = {
        parameters: [...body.parameters, ...extra],
        equations: inner.equations,
        results: [...body.results, ...next],
      };
      const inputs = [...equation.inputs, ...directions];
      emitWithTangents(sweep, builder, equation, inputs, [region], moving);
      return;
    }
    case "call":
      pushCall(sweep, builder, equation);
      return;
    case "stack_new":
    case "push":
    case "pop": {
      builder.put(equation);
      const moved = equation.inputs.map((input) => tangentOrZero(sweep, builder, input));
      const outputs = builder.emit(equation.op, moved, equation.parameters);
      equation.outputs.forEach((output, k) => tangents.set(output, outputs[k] as Value));
      return;
    }
    default:
      pushPrimitive(sweep, builder, equation);
  }
}

/** f(x)   →   f$jvp(x, ẋ) */
function pushCall(sweep: Sweep, builder: GraphBuilder, equation: Equation): void {
  const { functions, varied } = sweep;
  const custom = customCallee(equation);
  if (custom !== undefined) {
    const known = equation.inputs.map((input) =>
      varied.has(input) ? tangentOrZero(sweep, builder, input) : undefined,
    );
    const changes = pushCustom(functions, builder, equation, custom, known);
    const moved = equation.outputs.filter((output) => isFloat(output.type.dtype));
    moved.forEach((output, k) => sweep.tangents.set(output, changes[k] as Value));
    return;
  }
  const called = calledName(equation);
  const active = equation.inputs.map((input) => varied.has(input));
  const name = `${called}$jvp_${maskText(active)}`;
  functions.derive([name], () => {
    const derived = jvp(functions.get(called), active, functions);
    return [tidied({ ...derived, name })];
  });
  const moving = select(equation.inputs, active).map((v) => tangentOrZero(sweep, builder, v));
  const floats = equation.outputs.filter((output) => isFloat(output.type.dtype));
  const directions = floats.map(tangentOf);
  floats.forEach((output, k) => sweep.tangents.set(output, directions[k] as Value));
  const moves = movesWithTangents(movesAt(equation), active, equation.inputs, equation.outputs);
  const inputs = [...equation.inputs, ...moving];
  builder.put(callOf(equation, { name, moves }, inputs, [...equation.outputs, ...directions]));
}

/** One equation of the op table, by the class of its derivative. */
function pushPrimitive(sweep: Sweep, builder: GraphBuilder, equation: Equation): void {
  const { tangents } = sweep;
  const { inputs, outputs, parameters } = equation;
  const op = opOf(equation);
  const directions = inputs.map((input) => tangents.get(input));
  const context: RuleContext = { builder, equation, inputs, outputs };
  const consumes = op.laws.consumes ?? [];
  // A rule may read an input that the equation consumes, so it runs before the equation, unless
  // it reads the result.
  const define = (): void => builder.put(equation);
  const { derivative } = op;
  switch (derivative.kind) {
    case "zero":
      define();
      return;
    case "linear": {
      const linear = derivative.in === "all" ? inputs.map((_, k) => k) : derivative.in;
      const moved = inputs.map((input, k) =>
        linear.includes(k) ? tangentOrZero(sweep, builder, input) : input,
      );
      define();
      const results = builder.emit(equation.op, moved, parameters);
      outputs.forEach((output, k) => tangents.set(output, results[k] as Value));
      return;
    }
    case "multilinear": {
      // (xy)˙ = ẋ y + x ẏ
      define();
      const terms = directions.flatMap((direction, k) =>
        direction === undefined
          ? []
          : [builder.one(equation.op, inputs.with(k, direction), parameters)],
      );
      tangents.set(outputs[0] as Value, sumOf(builder, terms));
      return;
    }
    case "partials": {
      define();
      const terms = directions.flatMap((direction, k) => {
        const partial = direction && derivative.partials[k]?.(context);
        return partial === undefined ? [] : [scaled(builder, partial, direction as Value)];
      });
      if (terms.length > 0) tangents.set(outputs[0] as Value, sumOf(builder, terms));
      return;
    }
    case "rules": {
      // A rule of an op that consumes reads no results.
      if (consumes.length === 0) define();
      const moved = derivative.jvp(context, directions);
      if (consumes.length > 0) define();
      moved.forEach((tangent, k) => {
        if (tangent !== undefined) tangents.set(outputs[k] as Value, tangent);
      });
      return;
    }
  }
}

/** Emits a region equation whose `moving` outputs are followed by their tangents. */
function emitWithTangents(
  sweep: Sweep,
  builder: GraphBuilder,
  equation: Equation,
  inputs: readonly Value[],
  regions: readonly Block[],
  moving: readonly boolean[],
): void {
  const primals = select(equation.outputs, moving);
  const extra = primals.map(tangentOf);
  primals.forEach((primal, k) => sweep.tangents.set(primal, extra[k] as Value));
  builder.put({ ...equation, inputs, regions, outputs: [...equation.outputs, ...extra] });
}

/** The condition of a `while`, which also receives the tangents and ignores them. */
function widened(condition: Block | undefined, extra: readonly Value[]): Block {
  if (condition === undefined) throw new Error("a `while` without a condition");
  const ignored = extra.map(({ type, name }): Value => ({ type, name }));
  return { ...condition, parameters: [...condition.parameters, ...ignored] };
}

function tangentOrZero(sweep: Sweep, builder: GraphBuilder, value: Value): Value {
  return sweep.tangents.get(value) ?? builder.zerosOf(value.type);
}

function sumOf(builder: GraphBuilder, terms: readonly Value[]): Value {
  return terms.reduce((sum, term) => builder.add(sum, term));
}

/** A new value of the same type, named as the user's `x` is: `dx`. */
function tangentOf({ type, name }: Value): Value {
  return { type, name: name === undefined ? undefined : differentialName(name) };
}

/** `w` → `dw`, `W` → `dW`. */
export function differentialName(name: string): string {
  return `d${name}`;
}

function select<T>(values: readonly T[], chosen: readonly boolean[]): readonly T[] {
  return values.filter((_, k) => chosen[k]);
}
