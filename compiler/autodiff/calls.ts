/**
 * Reverse mode through functions that stay functions: each gets a forward half that also pushes
 * what its adjoint needs, and a reverse half that pops it.
 *
 *   y = f(x)   →   y, s = f$fwd(x, s)   …   x̄, s = f$rev(ȳ, s)
 *
 * All calls share one stack of numbers, in the order of the calls: the walk back meets everything
 * in the opposite order. Arrays that the function only reads are lent to both halves instead, and
 * what the reverse half contributes to them is added in place:
 *
 *   y = f(a)   →   y, s = f$fwd(a, s)   …   ā, s = f$rev(ȳ, a, ā, s)
 */

import { type Equation, type Fn, isFloat, stackType, type Value } from "../ir/types.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import { newBuilder } from "../ops/index.ts";
import { tidied } from "../passes/tidy.ts";
import { calledName, callOf, type FunctionTable, maskText, movesAt } from "./functions.ts";
import { splitBlock } from "./regions.ts";
import { cotangentOf, type Scope, type Step, type Sweep } from "./sweep.ts";
import { loopsForMaps, newSweep } from "./vjp.ts";

type Moves = NonNullable<Fn["moves"]>;

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
    const lent = lentOf(equation.inputs, moves);
    const layout = reverseLayout(moves, equation, active);
    // An array that is lent twice has its cotangent so far at one place only.
    const sums = equation.inputs.map(
      (input, k) => active[k] && lent.includes(k) && equation.inputs.indexOf(input) === k,
    );
    const incoming = lent
      .filter((k) => active[k])
      .map((k) => {
        const input = equation.inputs[k] as Value;
        return sums[k] ? cotangents.take(input) : reverse.zerosOf(input.type);
      });
    const gradients = equation.inputs.filter((_, k) => active[k]).map(cotangentOf);
    const popped: Value = { type: numbers };
    const stack = slot.reverse ?? slot.forward;
    const read = lent.map((k) => equation.inputs[k] as Value);
    const fn = { name: names.reverse, moves: layout };
    reverse.put(
      callOf(equation, fn, [...seeds, ...read, ...incoming, stack], [...gradients, popped]),
    );
    slot.reverse = popped;
    // The cotangent of an array that came back is now that of the array that went in.
    equation.inputs.forEach((input, k) => {
      if (!active[k]) return;
      const gradient = gradients[active.slice(0, k).filter(Boolean).length] as Value;
      if (sums[k]) cotangents.set(input, gradient);
      else cotangents.contribute(input, gradient);
    });
  };
}

/** Positions of the arrays that a function reads and does not take over. */
function lentOf(inputs: readonly Value[], moves: Moves): readonly number[] {
  return inputs.flatMap(({ type }, k) => {
    const isMoved = moves.some(([from]) => from === k);
    return type.stack || type.shape.length === 0 || isMoved ? [] : [k];
  });
}

function halfNames(called: string, active: readonly boolean[]) {
  const mask = maskText(active);
  return { forward: `${called}$fwd_${mask}`, reverse: `${called}$rev_${mask}` };
}

/**
 * What the reverse half moves: the cotangent of a result that is a moved parameter becomes that of
 * the parameter, and the cotangents of lent arrays are added to, in place.
 */
function reverseLayout(
  moves: Moves,
  call: { readonly inputs: readonly Value[]; readonly outputs: readonly Value[] },
  active: readonly boolean[],
): Moves {
  const gradientOf = (k: number): number => active.slice(0, k).filter(Boolean).length;
  const seedOf = (k: number): number =>
    call.outputs.slice(0, k).filter((output) => isFloat(output.type.dtype)).length;
  const lent = lentOf(call.inputs, moves);
  const before = seedOf(call.outputs.length) + lent.length;
  return [
    ...moves.flatMap(([from, to]): Moves => (active[from] ? [[seedOf(to), gradientOf(from)]] : [])),
    ...lent.filter((k) => active[k]).map((k, n) => [before + n, gradientOf(k)] as const),
  ];
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
  const moves = fn.moves ?? [];
  const lent = lentOf(parameters, moves);
  const read = lent.map((k): [Value, Value] => {
    const parameter = body.parameters[k] as Value;
    return [parameter, { type: parameter.type, name: parameter.name }];
  });
  const sums = lent.filter((k) => active[k]).map((k) => body.parameters[k] as Value);
  const incoming = sums.map(cotangentOf);
  const halves = splitBlock(
    sweep,
    newBuilder(),
    body,
    (_, cotangents) => {
      sums.forEach((parameter, k) => cotangents.set(parameter, incoming[k] as Value));
      floats.forEach((result, k) => {
        if (sweep.isActive(result)) cotangents.contribute(result, seeds[k]);
      });
    },
    (_, cotangents) => differentiated.map((parameter) => cotangents.take(parameter)),
    new Map(read),
  );
  const names = halfNames(called, active);
  // A function that keeps nothing hands the stack through.
  const through = { forward: { type: numbers }, reverse: { type: numbers } };
  const [entering = through.forward] = halves.stackParameters;
  const [leaving = entering] = halves.stacks;
  const [returning = through.reverse] = halves.reverseStackParameters;
  const [left = returning] = halves.reverseStacks;
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
      moves: reverseLayout(moves, { inputs: parameters, outputs: results }, active),
      body: {
        parameters: [...seeds, ...read.map(([, own]) => own), ...incoming, returning],
        equations: halves.reverse,
        results: [...halves.reverseResults, left],
      },
    }),
  ];
}
