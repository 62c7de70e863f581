/**
 * Replaces every call by the body of what it calls, transforms applied, innermost first:
 *
 *   %2 = call vjp(@f) %0, %1   →   the equations of vjp(f)
 */

import { type Block, type Equation, type Fn, type Graph, rootOf, type Value } from "../ir/types.ts";
import { copyBlock } from "../ir/walk.ts";
import { cleanUp } from "../passes/simplify.ts";
import { repairUniqueness } from "../passes/copies.ts";
import { type Callee, decodeCallee } from "./callee.ts";
import { jvp } from "./jvp.ts";
import { vjp } from "./vjp.ts";
import { vmap } from "./vmap.ts";

/** The root of a graph as one function without calls. */
export function expand(graph: Graph): Fn {
  const plain = new Map<string, Fn>();
  const root = rootOf(graph);
  const body = expandBlock(root.body);
  return { name: root.name, body: repairUniqueness(body) };

  function expandBlock(block: Block): Block {
    const renaming = new Map<Value, Value>();
    const equations = expandEquations(block.equations, renaming);
    const results = block.results.map((result) => renaming.get(result) ?? result);
    return { ...block, equations, results };
  }

  function expandEquations(
    equations: readonly Equation[],
    renaming: Map<Value, Value>,
  ): readonly Equation[] {
    const rename = (value: Value): Value => renaming.get(value) ?? value;
    return equations.flatMap((equation): readonly Equation[] => {
      const inputs = equation.inputs.map(rename);
      if (equation.op !== "call") {
        const regions = equation.regions.map((region) => ({
          ...region,
          equations: expandEquations(region.equations, renaming),
          results: region.results.map(rename),
        }));
        return [{ ...equation, inputs, regions }];
      }
      const fn = resolve(decodeCallee(equation.parameters["callee"]));
      const bound = fn.body.parameters.map((parameter, k) => [parameter, inputs[k]] as const);
      const given = new Map(bound as readonly (readonly [Value, Value])[]);
      const body = copyBlock({ ...fn.body, parameters: [] }, given);
      equation.outputs.forEach((output, k) => {
        const result = body.results[k] as Value;
        if (output.name !== undefined && result.name === undefined) {
          Object.assign(result, { name: output.name });
        }
        renaming.set(output, result);
      });
      return body.equations;
    });
  }

  /** The function that a callee is, without calls of its own. */
  function resolve(callee: Callee): Fn {
    const key = JSON.stringify(callee);
    const known = plain.get(key);
    if (known !== undefined) return known;
    const fn = derive(callee);
    plain.set(key, fn);
    return fn;
  }

  function derive(callee: Callee): Fn {
    switch (callee.kind) {
      case "function": {
        const fn = graph.functions.get(callee.name);
        if (fn === undefined) throw new Error(`the program has no function @${callee.name}`);
        return { name: fn.name, body: cleanUp(expandBlock(fn.body)) };
      }
      case "vjp":
        return clean(vjp(resolve(callee.of), callee.active));
      case "jvp":
        return clean(jvp(resolve(callee.of), callee.active));
      case "vmap":
        return clean(vmap(resolve(callee.of), callee.batched, callee.size));
    }
  }

  function clean(fn: Fn): Fn {
    return { name: fn.name, body: cleanUp(fn.body) };
  }
}
