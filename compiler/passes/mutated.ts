/** Which arrays are written in place, all versions of an array taken together. */

import type { Block, Value } from "../ir/types.ts";
import { loopOf, movesOf } from "../ir/walk.ts";
import { opOf } from "../ops/of.ts";

/**
 * The arrays that are written in place somewhere in the block: all versions of an array, from the
 * one it starts as to the last, count as one array.
 */
export function mutatedValues(block: Block): ReadonlySet<Value> {
  const parent = new Map<Value, Value>();
  const find = (value: Value): Value => {
    let root = value;
    for (let next = parent.get(root); next !== undefined; next = parent.get(root)) root = next;
    return root;
  };
  const unite = (a: Value | undefined, b: Value | undefined): void => {
    if (a === undefined || b === undefined || a.type.shape.length === 0) return;
    const [x, y] = [find(a), find(b)];
    if (x !== y) parent.set(x, y);
  };
  const written: Value[] = [];
  const seen: Value[] = [];
  const visit = (inner: Block): void => {
    seen.push(...inner.parameters);
    for (const equation of inner.equations) {
      seen.push(...equation.outputs);
      equation.regions.forEach(visit);
      if (equation.op === "for" || equation.op === "while") {
        const { initial, carried, body } = loopOf(equation);
        equation.outputs.forEach((output, k) => {
          unite(initial[k], output);
          unite(carried[k], output);
          unite(body.results[k], output);
        });
      } else if (equation.op === "if") {
        for (const region of equation.regions) {
          equation.outputs.forEach((output, k) => unite(region.results[k], output));
        }
      } else if (equation.op === "call") {
        for (const [input, output] of movesOf(equation)) {
          unite(input, output);
          written.push(input);
        }
      } else if (equation.regions.length === 0) {
        for (const position of opOf(equation).laws.consumes ?? []) {
          const consumed = equation.inputs[position] as Value;
          if (consumed.type.stack) continue;
          unite(consumed, equation.outputs[0]);
          written.push(consumed);
        }
      }
    }
  };
  visit(block);
  const roots = new Set(written.map(find));
  return new Set(seen.filter((value) => roots.has(find(value))));
}
