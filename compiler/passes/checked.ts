/**
 * An access at an index that an access before it has been checked at, for the same length, needs
 * no check: `v = at x i; … y = update x w i` → `… update x w i {unchecked}`.
 */

import { type Dim, dimText } from "../ir/dim.ts";
import type { Block, Equation, Value } from "../ir/types.ts";

/** Where the indices of an access start among its inputs. */
export function firstIndex({ op }: Equation): number | undefined {
  return { at: 1, update: 2, add_at: 2 }[op];
}

export function dropRepeatedChecks(block: Block): Block {
  const numbers = new Map<Value, number>();
  const numberOf = (value: Value): number => {
    const number = numbers.get(value) ?? numbers.size;
    numbers.set(value, number);
    return number;
  };
  return visit(block, new Set());

  /** `known` are pairs of an index and a length that have been checked on the way here. */
  function visit(inner: Block, known: ReadonlySet<string>): Block {
    const here = new Set(known);
    const equations = inner.equations.map((equation): Equation => {
      const from = firstIndex(equation);
      const [array, ...others] = equation.inputs;
      if (from === undefined || array === undefined || equation.parameters["unchecked"] === true) {
        return { ...equation, regions: equation.regions.map((region) => visit(region, here)) };
      }
      const pairs = others
        .slice(from - 1)
        .map((index, k) => `${numberOf(index)} ${dimText(array.type.shape[k] as Dim)}`);
      const all = pairs.length > 0 && pairs.every((pair) => here.has(pair));
      for (const pair of pairs) here.add(pair);
      if (!all) return equation;
      return { ...equation, parameters: { ...equation.parameters, unchecked: true } };
    });
    return { ...inner, equations };
  }
}
