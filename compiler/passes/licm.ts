/**
 * Moves out of loops what is the same in every iteration:
 *
 *   for n { y = mul a b; … }   →   y = mul a b; for n { … }
 *
 * Only what cannot fail moves, so that a loop of no iterations stays harmless.
 */

import type { Block, Equation, Value } from "../ir/types.ts";
import { allEquations, extentsOf } from "../ir/walk.ts";
import { ops } from "../ops/index.ts";
import { mutatedValues } from "./mutated.ts";

export function hoistInvariants(block: Block): Block {
  const mutated = mutatedValues(block);
  return visit(block);

  function visit(inner: Block): Block {
    const equations = inner.equations.flatMap((equation): readonly Equation[] => {
      const regions = equation.regions.map(visit);
      if (equation.op !== "for" && equation.op !== "while") return [{ ...equation, regions }];
      const body = regions.at(-1) as Block;
      const inside = new Set<Value>(body.parameters);
      const moved: Equation[] = [];
      const kept: Equation[] = [];
      const bound = boundIn(body);
      for (const candidate of body.equations) {
        const invariant =
          canMove(candidate) &&
          !candidate.inputs.some((v) => inside.has(v)) &&
          !extentsOf(candidate).some((name) => bound.has(name));
        if (invariant) moved.push(candidate);
        else {
          kept.push(candidate);
          for (const output of candidate.outputs) inside.add(output);
        }
      }
      const rest = { ...body, equations: kept };
      return [...moved, { ...equation, regions: [...regions.slice(0, -1), rest] }];
    });
    return { ...inner, equations };
  }

  function canMove(equation: Equation): boolean {
    if (equation.regions.length > 0) return false;
    const laws = ops[equation.op]?.laws;
    if (laws === undefined || laws.effect || laws.consumes !== undefined) return false;
    // An access that was checked before the loop cannot fail, if the array is the same all along.
    if (laws.partial && equation.parameters["unchecked"] !== true) return false;
    if (equation.op === "copy") return false;
    return ![...equation.inputs, ...equation.outputs].some(
      (value) => value.type.stack || mutated.has(value),
    );
  }
}

/** The extents that are bound anew in every iteration. */
function boundIn(body: Block): ReadonlySet<string> {
  const binds = [...allEquations(body)].filter(({ op }) => op === "bind");
  return new Set(binds.map(({ parameters }) => String(parameters["symbol"])));
}
