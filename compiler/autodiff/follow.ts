/**
 * The walk of forward mode: each equation of a function is followed by those of the tangents of
 * what it defines. What a tangent is, an algebra says: a derivative along a direction (`jvp.ts`), or
 * the set of inputs that a value depends on (`dependence.ts`).
 */

import { newBuilder } from "../ops/index.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import {
  type Block,
  type Equation,
  type Fn,
  isFloat,
  type Value,
  type ValueType,
} from "../ir/types.ts";
import { loopOf } from "../ir/walk.ts";
import { tidied } from "../passes/tidy.ts";
import { variedValues } from "./activity.ts";
import { customCallee } from "./custom.ts";
import type { CustomCallee } from "./callee.ts";
import {
  calledName,
  callOf,
  type FunctionTable,
  maskText,
  movesAt,
  movesWithTangents,
} from "./functions.ts";

export interface Algebra {
  /** The transform that it makes: part of the names of functions. */
  readonly name: string;
  readonly typeOf: (type: ValueType) => ValueType;
  /** What the tangent of the user's `x` is called. */
  readonly nameOf: (name: string) => string;
  /** Emits an equation of the op table, and sets the tangents of its outputs. */
  readonly primitive: (sweep: Sweep, builder: GraphBuilder, equation: Equation) => void;
  /** The same for a call with a derivative of its own. */
  readonly custom: (
    sweep: Sweep,
    builder: GraphBuilder,
    equation: Equation,
    callee: CustomCallee,
  ) => void;
  /** The function that a call of a function of the graph becomes. */
  readonly derive: (sweep: Sweep, call: Equation, active: readonly boolean[]) => Derived;
  /**
   * Emits an equation in a way of its own, or asks for the usual walk through it even where nothing
   * that it gives has a tangent.
   */
  readonly intercept?: (
    sweep: Sweep,
    builder: GraphBuilder,
    equation: Equation,
  ) => "done" | "walk" | undefined;
}

export interface Derived {
  /** Besides the names of the transform, of the function and of its active inputs. */
  readonly suffix: string;
  readonly make: (fn: Fn) => Fn;
}

export interface Sweep {
  readonly tangents: Map<Value, Value>;
  readonly varied: ReadonlySet<Value>;
  readonly functions: FunctionTable;
  readonly algebra: Algebra;
}

/**
 * `active` marks the parameters that have tangents. The result takes the parameters and then the
 * tangents of the active ones; it returns the results and then the tangents of the floating-point
 * ones.
 */
export function followed(
  fn: Fn,
  active: readonly boolean[],
  functions: FunctionTable,
  algebra: Algebra,
): Fn {
  const { parameters, results } = fn.body;
  const chosen = select(parameters, active);
  const tangents = new Map(chosen.map((value) => [value, tangentOf(algebra, value)] as const));
  const varied = variedValues(fn.body, chosen);
  const sweep: Sweep = { tangents, varied, functions, algebra };
  const tangentParameters = [...tangents.values()];
  const builder = newBuilder();
  pushBlock(sweep, builder, fn.body);
  const floats = results.filter((result) => isFloat(result.type.dtype));
  const tangentResults = floats.map((result) => tangentOrZero(sweep, builder, result));
  return {
    name: `${fn.name}$${algebra.name}`,
    moves: movesWithTangents(fn.moves ?? [], active, parameters, results),
    body: {
      parameters: [...parameters, ...tangentParameters],
      equations: builder.equations,
      results: [...results, ...tangentResults],
    },
  };
}

/** Emits the equations of `block`, each followed by those of its tangents. */
export function pushBlock(sweep: Sweep, builder: GraphBuilder, block: Block): void {
  for (const equation of block.equations) {
    builder.span = equation.span;
    pushEquation(sweep, builder, equation);
  }
}

function pushEquation(sweep: Sweep, builder: GraphBuilder, equation: Equation): void {
  const { tangents, varied, algebra } = sweep;
  const way = algebra.intercept?.(sweep, builder, equation);
  if (way === "done") return;
  const isVaried = equation.outputs.some((output) => varied.has(output));
  if (!isVaried && !(way === "walk" && equation.regions.length > 0)) {
    builder.put(equation);
    return;
  }
  const declare = (values: readonly Value[]): readonly Value[] =>
    values.map((value) => {
      const tangent = tangentOf(algebra, value);
      tangents.set(value, tangent);
      return tangent;
    });
  switch (equation.op) {
    case "if": {
      const moving = equation.outputs.map((output) => varied.has(output));
      const regions = equation.regions.map((region) => {
        const inner = builder.nested();
        pushBlock(sweep, inner, region);
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
      const extra = declare(select(loop.carried, moving));
      const inner = builder.nested();
      pushBlock(sweep, inner, loop.body);
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
      const extra = declare(select(body.parameters, arrays));
      const inner = builder.nested();
      pushBlock(sweep, inner, body);
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
    case "stack_new": {
      builder.put(equation);
      const [stack] = equation.outputs as [Value];
      tangents.set(stack, zeroOf(sweep, builder, stack));
      return;
    }
    case "push":
    case "pop": {
      builder.put(equation);
      const moved = equation.inputs.map((input) => tangentOrZero(sweep, builder, input));
      const outputs = builder.emit(equation.op, moved, equation.parameters);
      equation.outputs.forEach((output, k) => tangents.set(output, outputs[k] as Value));
      return;
    }
    default:
      algebra.primitive(sweep, builder, equation);
  }
}

/** f(x)   →   f$jvp(x, ẋ) */
function pushCall(sweep: Sweep, builder: GraphBuilder, equation: Equation): void {
  const { algebra, functions, tangents, varied } = sweep;
  const custom = customCallee(equation);
  if (custom !== undefined) return algebra.custom(sweep, builder, equation, custom);
  const called = calledName(equation);
  const active = equation.inputs.map((input) => varied.has(input));
  const { suffix, make } = algebra.derive(sweep, equation, active);
  const name = `${called}$${algebra.name}_${maskText(active)}${suffix}`;
  functions.derive([name], () => [tidied({ ...make(functions.get(called)), name })]);
  const moving = select(equation.inputs, active).map((v) => tangentOrZero(sweep, builder, v));
  const floats = equation.outputs.filter((output) => isFloat(output.type.dtype));
  const directions = floats.map((output) => tangentOf(algebra, output));
  floats.forEach((output, k) => tangents.set(output, directions[k] as Value));
  const moves = movesWithTangents(movesAt(equation), active, equation.inputs, equation.outputs);
  const inputs = [...equation.inputs, ...moving];
  builder.put(callOf(equation, { name, moves }, inputs, [...equation.outputs, ...directions]));
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
  const extra = primals.map((primal) => tangentOf(sweep.algebra, primal));
  primals.forEach((primal, k) => sweep.tangents.set(primal, extra[k] as Value));
  builder.put({ ...equation, inputs, regions, outputs: [...equation.outputs, ...extra] });
}

/** The condition of a `while`, which also receives the tangents and ignores them. */
function widened(condition: Block | undefined, extra: readonly Value[]): Block {
  if (condition === undefined) throw new Error("a `while` without a condition");
  const ignored = extra.map(({ type, name }): Value => ({ type, name }));
  return { ...condition, parameters: [...condition.parameters, ...ignored] };
}

export function tangentOrZero(sweep: Sweep, builder: GraphBuilder, value: Value): Value {
  return sweep.tangents.get(value) ?? zeroOf(sweep, builder, value);
}

function zeroOf({ algebra }: Sweep, builder: GraphBuilder, { type }: Value): Value {
  return builder.zerosOf(algebra.typeOf(type));
}

/** A new value for the tangent of a value. */
function tangentOf({ typeOf, nameOf }: Algebra, { type, name }: Value): Value {
  return { type: typeOf(type), name: name === undefined ? undefined : nameOf(name) };
}

function select<T>(values: readonly T[], chosen: readonly boolean[]): readonly T[] {
  return values.filter((_, k) => chosen[k]);
}
