/**
 * Restores uniqueness: inserts a `copy` where an equation consumes an array that is read later, or
 * that is not the block's own to consume (a parameter of the function, a value around a loop).
 *
 *   b = update(a, v, i); s = sum(a)   →   c = copy(a); b = update(c, v, i); s = sum(a)
 */

import { ops } from "../ops/index.ts";
import type { Block, Equation, Value } from "../ir/types.ts";
import { freeValues, movesOf } from "../ir/walk.ts";
import { mutatedValues } from "./mutated.ts";

/**
 * `block` is the body of a function: its parameters belong to the caller, but for those `owned`,
 * which the function takes over.
 */
export function repairUniqueness(block: Block, owned: Iterable<Value> = []): Block {
  const mutated = mutatedValues(block);
  return repair(block, new Set(owned), new Set(), new Set());

  /**
   * `owned` are the values from around the block that it may consume, `live` those that are read
   * after it; `parameters` are the block's own parameters, where it may consume them.
   */
  function repair(
    inner: Block,
    owned: ReadonlySet<Value>,
    liveAfter: ReadonlySet<Value>,
    parameters: ReadonlySet<Value>,
    loop = false,
  ): Block {
    const mine = new Set([...owned, ...parameters]);
    for (const equation of inner.equations) for (const value of equation.outputs) mine.add(value);
    const live = new Set(liveAfter);
    const reversed: Equation[] = [];

    const lead = inner.parameters.length - inner.results.length;
    const staying = inner.results.filter(
      (result, k) => loop && result === inner.parameters[k + lead],
    );
    const taken = new Set<Value>();
    const results = inner.results.map((result, k) => {
      const moves = loop ? isArray(result) : mutated.has(result);
      if (!moves || result.type.stack) return result;
      if (loop && result === inner.parameters[k + lead]) return result;
      const free = mine.has(result) && !live.has(result) && !taken.has(result);
      taken.add(result);
      return free && !staying.includes(result) ? result : copyBefore(reversed, result);
    });
    for (const result of inner.results) live.add(result);

    for (const equation of inner.equations.toReversed()) {
      const captured = equation.regions.flatMap((region) => freeValues(region));
      const consumed = consumedPositions(equation);
      const copies: Equation[] = [];
      const inputs = equation.inputs.map((input, k) => {
        if (!consumed.includes(k) || !isArray(input) || input.type.stack) return input;
        const again =
          live.has(input) || captured.includes(input) || equation.inputs.lastIndexOf(input) !== k;
        return mine.has(input) && !again ? input : copyBefore(copies, input);
      });
      const regions = equation.regions.map((region, k) => {
        if (equation.op === "if") {
          const free = new Set([...mine].filter((value) => !live.has(value)));
          return repair(region, free, live, new Set());
        }
        const isLoopBody = equation.op === "for" || (equation.op === "while" && k === 1);
        return repair(region, new Set(), new Set(), new Set(region.parameters), isLoopBody);
      });
      reversed.push({ ...equation, inputs, regions }, ...copies.reverse());
      for (const value of [...equation.inputs, ...captured]) live.add(value);
    }
    return { ...inner, equations: reversed.reverse(), results };
  }
}

/** Positions of the inputs that an equation may overwrite. */
export function consumedPositions(equation: Equation): readonly number[] {
  switch (equation.op) {
    case "for":
      return equation.inputs.map((_, k) => k).slice(1);
    case "while":
      return equation.inputs.map((_, k) => k);
    case "call":
      return movesOf(equation).map(([input]) => equation.inputs.indexOf(input));
    default:
      return ops[equation.op]?.laws.consumes ?? [];
  }
}

function isArray(value: Value): boolean {
  return value.type.shape.length > 0 || value.type.stack;
}

/** Appends a copy to equations that are being collected in reverse; the copy. */
function copyBefore(equations: Equation[], value: Value): Value {
  const copy: Value = { type: value.type, name: value.name };
  equations.push({
    op: "copy",
    inputs: [value],
    parameters: {},
    regions: [],
    outputs: [copy],
    span: undefined,
  });
  return copy;
}
