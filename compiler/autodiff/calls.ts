/**
 * Reverse mode through functions that stay functions: each gets a forward half that also pushes
 * what its adjoint needs, and a reverse half that pops it.
 *
 *   y = f(x)   →   y, s = f$fwd(x, s)   …   x̄, s = f$rev(ȳ, s)
 *
 * All calls share one stack of numbers, in the order of the calls: the walk back meets everything
 * in the opposite order.
 */

import { type Equation, type Fn, isFloat, stackType, type Value } from "../ir/types.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import { newBuilder } from "../ops/index.ts";
import { tidied } from "../passes/tidy.ts";
import { calledName, callOf, type FunctionTable, maskText, movesAt } from "./functions.ts";
import { splitBlock } from "./regions.ts";
import { cotangentOf, type Scope, type Step, type Sweep } from "./sweep.ts";
import { loopsForMaps, newSweep } from "./vjp.ts";

const numbers = stackType("f64", []);

/** Emits the call of the forward half; the step calls the reverse half. */
export function forwardCall(
  sweep: Sweep,
  scope: Scope,
  builder: GraphBuilder,
  equation: Equation,
): Step {
  const { functions } = sweep;
  const active = equation.inputs.map(sweep.isActive);
  const called = calledName(equation);
  const names = halfNames(called, active);
  functions.derive([names.forward, names.reverse], () => makeHalves(functions, called, active));

  const slot = scope.requestStack(numbers);
  const pushed: Value = { type: numbers };
  const moves = movesAt(equation);
  const inputs = [...equation.inputs, slot.forward];
  builder.put(
    callOf(equation, { name: names.forward, moves }, inputs, [...equation.outputs, pushed]),
  );
  slot.forward = pushed;

  return (reverse, cotangents) => {
    reverse.span = equation.span;
    const floats = equation.outputs.filter((output) => isFloat(output.type.dtype));
    const seeds = floats.map((output) => cotangents.take(output));
    const differentiated = equation.inputs.filter((_, k) => active[k]);
    const gradients = differentiated.map(cotangentOf);
    const popped: Value = { type: numbers };
    const fn = { name: names.reverse, moves: reverseMoves(moves, equation, active) };
    const stack = slot.reverse ?? slot.forward;
    reverse.put(callOf(equation, fn, [...seeds, stack], [...gradients, popped]));
    slot.reverse = popped;
    // The cotangent of an array that came back is now that of the array that went in.
    differentiated.forEach((input, k) => cotangents.contribute(input, gradients[k]));
  };
}

function halfNames(called: string, active: readonly boolean[]) {
  const mask = maskText(active);
  return { forward: `${called}$fwd_${mask}`, reverse: `${called}$rev_${mask}` };
}

/** The cotangent of a result that is a moved parameter becomes that of the parameter, in place. */
function reverseMoves(
  moves: NonNullable<Fn["moves"]>,
  call: { readonly inputs: readonly Value[]; readonly outputs: readonly Value[] },
  active: readonly boolean[],
): NonNullable<Fn["moves"]> {
  return moves.flatMap(([from, to]) => {
    if (!active[from]) return [];
    const seed = call.outputs.slice(0, to).filter((output) => isFloat(output.type.dtype)).length;
    return [[seed, active.slice(0, from).filter(Boolean).length] as const];
  });
}

function makeHalves(
  functions: FunctionTable,
  called: string,
  active: readonly boolean[],
): readonly Fn[] {
  const fn = functions.get(called);
  const { parameters, results } = fn.body;
  const differentiated = parameters.filter((_, k) => active[k]);
  const floats = results.filter((result) => isFloat(result.type.dtype));
  const body = loopsForMaps(fn.body, differentiated);
  const sweep = newSweep(body, differentiated, floats, functions, true);
  const seeds = floats.map(cotangentOf);
  const halves = splitBlock(
    sweep,
    newBuilder(),
    body,
    (_, cotangents) =>
      floats.forEach((result, k) => {
        if (sweep.isActive(result)) cotangents.contribute(result, seeds[k]);
      }),
    (_, cotangents) => differentiated.map((parameter) => cotangents.take(parameter)),
  );
  const names = halfNames(called, active);
  // A function that keeps nothing hands the stack through.
  const through = { forward: { type: numbers }, reverse: { type: numbers } };
  const [entering = through.forward] = halves.stackParameters;
  const [leaving = entering] = halves.stacks;
  const [returning = through.reverse] = halves.reverseStackParameters;
  const [left = returning] = halves.reverseStacks;
  const moves = fn.moves ?? [];
  return [
    tidied({
      name: names.forward,
      moves,
      body: {
        parameters: [...parameters, entering],
        equations: halves.forward,
        results: [...results, leaving],
      },
    }),
    tidied({
      name: names.reverse,
      moves: reverseMoves(moves, { inputs: parameters, outputs: results }, active),
      body: {
        parameters: [...seeds, returning],
        equations: halves.reverse,
        results: [...halves.reverseResults, left],
      },
    }),
  ];
}
