/**
 * Drops what nothing needs, values carried by loops and results of branches included:
 *
 *   %2, %3 = for n, a, b { … yield x, y };  return %2   →   %2 = for n, a { … yield x };  return %2
 *
 * where the body needs `b` only for `y`.
 */

import { ops } from "../ops/index.ts";
import type { Block, Equation, Value } from "../ir/types.ts";
import { freeValues } from "../ir/walk.ts";

export function dropDead(block: Block): Block {
  const live = new Set(block.results);
  const kept: Equation[] = [];
  for (const equation of block.equations.toReversed()) {
    const needed = neededPart(equation, live);
    if (needed === undefined) continue;
    kept.push(needed);
    for (const input of needed.inputs) live.add(input);
    for (const region of needed.regions) for (const value of freeValues(region)) live.add(value);
  }
  return { ...block, equations: kept.reverse() };
}

/** The part of an equation that the live values after it need; undefined where there is none. */
function neededPart(equation: Equation, live: ReadonlySet<Value>): Equation | undefined {
  const used = equation.outputs.map((output) => live.has(output));
  switch (equation.op) {
    case "if": {
      if (!used.includes(true)) return undefined;
      const regions = equation.regions.map((region) =>
        dropDead({ ...region, results: select(region.results, used) }),
      );
      return { ...equation, regions, outputs: select(equation.outputs, used) };
    }
    case "map": {
      if (!used.includes(true)) return undefined;
      const [region] = equation.regions as [Block];
      const body = dropDead({ ...region, results: select(region.results, used) });
      const read = readIn(body);
      const inputs = body.parameters.map((parameter) => read.has(parameter));
      return {
        ...equation,
        inputs: select(equation.inputs, inputs),
        regions: [{ ...body, parameters: select(body.parameters, inputs) }],
        outputs: select(equation.outputs, used),
      };
    }
    case "for":
    case "while":
      return used.includes(true) ? neededLoop(equation, used) : undefined;
    default: {
      const effect = ops[equation.op]?.laws.effect === true;
      return effect || used.includes(true) ? equation : undefined;
    }
  }
}

/** A carried value is needed when its last version is, or when a needed one is computed from it. */
function neededLoop(equation: Equation, used: readonly boolean[]): Equation {
  const isFor = equation.op === "for";
  const lead = isFor ? 1 : 0;
  const body = equation.regions[isFor ? 0 : 1] as Block;
  const condition = isFor ? undefined : dropDead(equation.regions[0] as Block);
  const carried = body.parameters.slice(lead);
  const inCondition = condition && readIn(condition);
  const keep = carried.map(
    (_, k) => used[k] === true || inCondition?.has(condition?.parameters[k] as Value) === true,
  );
  for (;;) {
    const trimmed = dropDead({ ...body, results: select(body.results, keep) });
    const read = readIn(trimmed);
    let grown = false;
    carried.forEach((parameter, k) => {
      if (!keep[k] && read.has(parameter)) grown = keep[k] = true;
    });
    if (grown) continue;
    const parameters = [...body.parameters.slice(0, lead), ...select(carried, keep)];
    const regions: Block[] = [{ ...trimmed, parameters }];
    if (condition !== undefined) {
      regions.unshift({ ...condition, parameters: select(condition.parameters, keep) });
    }
    return {
      ...equation,
      inputs: [...equation.inputs.slice(0, lead), ...select(equation.inputs.slice(lead), keep)],
      regions,
      outputs: select(equation.outputs, keep),
    };
  }
}

/** Everything that a block reads, its own parameters included. */
function readIn(block: Block): ReadonlySet<Value> {
  return new Set(freeValues({ ...block, parameters: [] }));
}

function select<T>(values: readonly T[], chosen: readonly boolean[]): readonly T[] {
  return values.filter((_, k) => chosen[k]);
}
