/**
 * What the adjoint of a block keeps of its forward half, and what it computes again.
 *
 * Some values cannot be computed again: loop-carried ones, elements read from arrays that are
 * written in place (they may be gone), results of inner regions, and costly results are not worth
 * it. Everything else can be, from those and from values around the region. Kept is the cheapest
 * set, in bytes, that cuts the needs of the adjoint off from what cannot be computed again.
 */

import { byteSize, type Equation, type Value } from "../ir/types.ts";
import { operandsOf } from "../ir/walk.ts";
import { opOf } from "../ops/of.ts";
import { minCut } from "./minCut.ts";

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
  const isUnknown = (value: Value): boolean => own.has(value) && !given.has(value);
  const recipe = (value: Value): Equation | undefined => {
    const equation = definitions.get(value);
    return equation !== undefined && canRecompute(equation, known) ? equation : undefined;
  };

  // What the needs are computed from, back to what cannot be computed again.
  const relevant = new Set(needs.filter(isUnknown));
  const users = new Map<Value, Value[]>();
  for (const value of relevant) {
    const equation = recipe(value);
    for (const operand of equation === undefined ? [] : operandsOf(equation).filter(isUnknown)) {
      relevant.add(operand);
      const list = users.get(operand);
      if (list === undefined) users.set(operand, [value]);
      else list.push(value);
    }
  }
  const needed = new Set(needs);
  const kept = minCut<Value>({
    cost: bytesOf,
    successors: (value) => users.get(value) ?? [],
    sources: [...relevant].filter((value) => recipe(value) === undefined),
    isSink: (value) => needed.has(value),
  });

  const recomputed = new Set<Equation>();
  const require = (value: Value): void => {
    const equation = recipe(value);
    if (!isUnknown(value) || kept.has(value) || equation === undefined) return;
    if (recomputed.has(equation)) return;
    recomputed.add(equation);
    operandsOf(equation).forEach(require);
  };
  needs.forEach(require);
  return {
    kept: [...relevant].filter((value) => kept.has(value)),
    recomputed: equations.filter((equation) => recomputed.has(equation)),
  };
}

/** What keeping a value costs: a symbolic extent counts as this many elements. */
const symbolicExtent = 1024;

function bytesOf({ type }: Value): number {
  const extents = type.shape.map((dim) =>
    typeof dim === "number" ? Math.max(dim, 1) : symbolicExtent,
  );
  return extents.reduce((product, extent) => product * extent, byteSize(type.dtype));
}

function canRecompute(equation: Equation, { mutated, keepNothing }: Known): boolean {
  if (keepNothing) return true;
  if (equation.op === "call") return false;
  if (equation.regions.length > 0 || equation.outputs.some((output) => output.type.stack)) {
    return false;
  }
  const { laws } = opOf(equation);
  if (laws.costly || laws.effect || laws.consumes !== undefined) return false;
  return !equation.inputs.some((input) => input.type.stack || mutated.has(input));
}
