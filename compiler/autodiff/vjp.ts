/**
 * Reverse mode: a function followed by its adjoint.
 *
 *   y = f(x)   →   y, x̄ = f(x), f'(x)ᵀ ȳ
 *
 * A straight line is run forward and then walked backward, in one scope. A region is split in
 * two: a forward region, and a reverse region that stands where the walk comes back to it. What
 * the reverse region needs of the forward one is recomputed where that is cheap, and else kept on
 * stacks, one for each kept value:
 *
 *   for i { c' = g(c) }   →   for i { push c; c' = g(c) }  …  for i reversed { pop c; c̄ = ḡ(c, c̄) }
 *
 * Stacks are threaded through every region around them, so that a value of an inner loop is kept
 * for all iterations of the outer ones, whatever their trip counts.
 */

import { type Block, type Equation, type Fn, isFloat, type Value } from "../ir/types.ts";
import { allEquations, freeValues } from "../ir/walk.ts";
import { newBuilder } from "../ops/index.ts";
import { repairUniqueness } from "../passes/copies.ts";
import { mutatedValues } from "../passes/mutated.ts";
import { usefulValues, variedValues } from "./activity.ts";
import { extremesApart } from "./extremes.ts";
import { runForward } from "./forward.ts";
import { FunctionTable } from "./functions.ts";
import { mapToLoop } from "./mapToLoop.ts";
import { Cotangents, cotangentOf, type Scope, type Sweep, walkBack } from "./sweep.ts";

/**
 * `active` marks the parameters to differentiate. The result takes the parameters and then one
 * cotangent for each floating-point result; it returns the results and then the cotangents of the
 * active parameters.
 */
export function vjp(
  fn: Fn,
  active: readonly boolean[],
  functions: FunctionTable = new FunctionTable(),
): Fn {
  const { parameters } = fn.body;
  const seeds = parameters.filter((_, k) => active[k]);
  const body = extremesApart(loopsForMaps(fn.body, seeds), seeds);
  const { results } = body;
  const floats = results.filter((result) => isFloat(result.type.dtype));
  const cotangentParameters = floats.map(cotangentOf);
  const sweep = newSweep(body, seeds, floats, functions, false);

  const builder = newBuilder();
  const outermost: Scope = {
    requestStack: (type) => ({
      forward: builder.stackNew(type.dtype, type.shape),
      reverse: undefined,
    }),
  };
  const steps = runForward(sweep, outermost, builder, body);
  const cotangents = new Cotangents(builder);
  floats.forEach((result, k) => {
    if (sweep.isActive(result)) cotangents.contribute(result, cotangentParameters[k]);
  });
  walkBack(steps, builder, cotangents);
  const gradients = seeds.map((seed) => cotangents.take(seed));
  return {
    name: `${fn.name}$vjp`,
    body: repairUniqueness({
      parameters: [...parameters, ...cotangentParameters],
      equations: builder.equations,
      results: [...results, ...gradients],
    }),
  };
}

/** What `seeds` and `floats` make active in a body. */
export function newSweep(
  body: Block,
  seeds: readonly Value[],
  floats: readonly Value[],
  functions: FunctionTable,
  oneStack: boolean,
): Sweep {
  const varied = variedValues(body, seeds);
  const useful = usefulValues(body, floats);
  return {
    isActive: (value) => varied.has(value) && useful.has(value),
    mutated: mutatedValues(body),
    keepNothing: false,
    oneStack,
    boundInside: boundInside(body),
    functions,
  };
}

/** The extents that are bound in regions of a block: they may differ from one run to the next. */
function boundInside(body: Block): ReadonlySet<string> {
  const inner = body.equations.flatMap(({ regions }) => regions);
  const binds = inner.flatMap((region) => [...allEquations(region)]);
  return new Set(
    binds.flatMap(({ op, parameters }) => (op === "bind" ? [String(parameters["symbol"])] : [])),
  );
}

/**
 * Maps become loops where their adjoint would not be a map: where the body reads elements of an
 * active array, whose cotangent is added to in place, and where it loops or calls, which needs a
 * stack.
 */
export function loopsForMaps(block: Block, seeds: readonly Value[]): Block {
  const varied = variedValues(block, seeds);
  const needsLoop = (body: Block): boolean =>
    freeValues(body).some((value) => varied.has(value) && value.type.shape.length > 0) ||
    [...allEquations(body)].some(({ op }) => ["for", "while", "call"].includes(op));
  const visit = (inner: Block): Block => ({
    ...inner,
    equations: inner.equations.flatMap((equation): readonly Equation[] => {
      if (equation.op !== "map") return [{ ...equation, regions: equation.regions.map(visit) }];
      return needsLoop(equation.regions[0] as Block) ? mapToLoop(equation) : [equation];
    }),
  });
  return visit(block);
}
