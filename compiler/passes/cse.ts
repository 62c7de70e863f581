/**
 * Merges equations that compute the same thing, regions included:
 *
 *   %2 = mul a b; %3 = mul a b   →   %2 = mul a b
 *
 * Arrays that are written in place are left alone, each has a life of its own.
 */

import type { Block, Equation, Value } from "../ir/types.ts";
import { ops } from "../ops/index.ts";
import { mutatedValues } from "./mutated.ts";

export function mergeCommon(block: Block): Block {
  const mutated = mutatedValues(block);
  const numbers = new Map<Value, number>();
  const renaming = new Map<Value, Value>();
  const resolve = (value: Value): Value => renaming.get(value) ?? value;
  return visit(block, []);

  /** `known` maps keys to outputs, a map for each block around this one. */
  function visit(inner: Block, known: readonly ReadonlyMap<string, readonly Value[]>[]): Block {
    const here = new Map<string, readonly Value[]>();
    const scopes = [here, ...known];
    const equations: Equation[] = [];
    for (const equation of inner.equations) {
      const inputs = equation.inputs.map(resolve);
      const regions = equation.regions.map((region) => visit(region, scopes));
      const merged: Equation = { ...equation, inputs, regions };
      if (!canMerge(merged)) {
        equations.push(merged);
        continue;
      }
      const key = keyOf(merged);
      const earlier = scopes.map((scope) => scope.get(key)).find((found) => found !== undefined);
      if (earlier === undefined) {
        here.set(key, merged.outputs);
        equations.push(merged);
      } else {
        merged.outputs.forEach((output, k) => renaming.set(output, earlier[k] as Value));
      }
    }
    return { ...inner, equations, results: inner.results.map(resolve) };
  }

  function canMerge(equation: Equation): boolean {
    if (equation.op === "call" || equation.op === "copy") return false;
    const laws = ops[equation.op]?.laws;
    if (laws?.onceFor !== undefined) return true;
    if (laws?.effect || laws?.consumes !== undefined) return false;
    return !equation.outputs.some((output) => output.type.stack || mutated.has(output));
  }

  /** Text that equal computations share: outer values by number, inner ones by position. */
  function keyOf(equation: Equation): string {
    const local = new Map<Value, string>();
    const define = (value: Value): void => void local.set(value, `.${local.size}`);
    const name = (value: Value): string => local.get(value) ?? numberOf(resolve(value));
    const one = (inner: Equation): string => {
      const operands = inner.inputs.map(name);
      if (ops[inner.op]?.laws.commutative) operands.sort();
      const regions = inner.regions.map((region) => {
        region.parameters.forEach(define);
        const lines = region.equations.map((nested) => {
          const line = one(nested);
          nested.outputs.forEach(define);
          return line;
        });
        return `{${lines.join(";")}|${region.results.map(name).join()}}`;
      });
      const parameters = JSON.stringify(telling(inner), spellNumber);
      return `${inner.op} ${operands.join()} ${parameters} ${regions.join("")}`;
    };
    return one(equation);
  }

  function numberOf(value: Value): string {
    let number = numbers.get(value);
    if (number === undefined) numbers.set(value, (number = numbers.size));
    return String(number);
  }
}

/** The parameters that make a difference. */
function telling({ op, parameters }: Equation): Equation["parameters"] {
  const named = ops[op]?.laws.onceFor;
  if (named === undefined) return parameters;
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => named.includes(name)));
}

/** JSON has no -0, NaN or infinities. */
function spellNumber(_key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  return Object.is(value, -0) ? "-0" : Number.isFinite(value) ? value : String(value);
}
