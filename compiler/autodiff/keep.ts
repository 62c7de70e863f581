/**
 * What the adjoint of a block keeps of its forward half, and what it computes again.
 *
 * Cheap equations are computed again from loop-carried values, from values around the region and
 * from what is kept anyway. Kept are: loop-carried values themselves, elements read from arrays
 * that are written in place (they may be gone), results of inner regions, and costly results.
 */

import type { Equation, Value } from "../ir/types.ts";
import { operandsOf } from "../ir/walk.ts";
import { opOf } from "../ops/of.ts";

export interface RecomputePlan {
  readonly kept: readonly Value[];
  /** In the order of the forward code. */
  readonly recomputed: readonly Equation[];
}

interface Known {
  /** The values that the block defines. Others can be read where the adjoint stands. */
  readonly own: ReadonlySet<Value>;
  /** Own values that the adjoint has for nothing. */
  readonly given: ReadonlyMap<Value, Value>;
  readonly mutated: ReadonlySet<Value>;
  /** True where nothing can be kept: in a map, whose elements have no stacks. */
  readonly keepNothing: boolean;
}

/** Decides for each of `needs` and for what they are computed from. */
export function planRecompute(
  equations: readonly Equation[],
  needs: readonly Value[],
  known: Known,
): RecomputePlan {
  const { own, given } = known;
  const definitions = new Map<Value, Equation>();
  for (const equation of equations) {
    for (const output of equation.outputs) definitions.set(output, equation);
  }
  const kept = new Set<Value>();
  const recomputed = new Set<Equation>();
  const require = (value: Value): void => {
    if (!own.has(value) || given.has(value) || kept.has(value)) return;
    const equation = definitions.get(value);
    if (equation === undefined || !canRecompute(equation, known)) {
      kept.add(value);
    } else if (!recomputed.has(equation)) {
      recomputed.add(equation);
      operandsOf(equation).forEach(require);
    }
  };
  needs.forEach(require);
  return {
    kept: [...kept],
    recomputed: equations.filter((equation) => recomputed.has(equation)),
  };
}

function canRecompute(equation: Equation, { mutated, keepNothing }: Known): boolean {
  if (keepNothing) return true;
  if (equation.regions.length > 0 || equation.outputs.some((output) => output.type.stack)) {
    return false;
  }
  const { laws } = opOf(equation);
  if (laws.costly || laws.effect || laws.consumes !== undefined) return false;
  return !equation.inputs.some((input) => input.type.stack || mutated.has(input));
}
