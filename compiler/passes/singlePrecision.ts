/**
 * Doubles become singles, for devices that have no doubles.
 *
 *   z = add x y: f64   →   z = add x y: f32
 */

import type { Block, Equation, Fn, Graph, Value } from "../ir/types.ts";
import { allEquations } from "../ir/walk.ts";

/** The program with f32 for f64; the very graph where it has no doubles. */
export function inSinglePrecision(graph: Graph): Graph {
  const functions = [...graph.functions].map(([name, fn]) => [name, withoutDoubles(fn)] as const);
  const changed = functions.some(([name, fn]) => fn !== graph.functions.get(name));
  return changed ? { ...graph, functions: new Map(functions) } : graph;
}

function withoutDoubles(fn: Fn): Fn {
  const equations = [...allEquations(fn.body)];
  const values = [...fn.body.parameters, ...equations.flatMap(({ outputs }) => outputs)];
  const inRegions = equations.flatMap(({ regions }) => regions.flatMap((each) => each.parameters));
  if (![...values, ...inRegions].some(isDouble)) return fn;
  const singles = new Map<Value, Value>();
  const single = (value: Value): Value => {
    if (!isDouble(value)) return value;
    let found = singles.get(value);
    if (found === undefined) {
      found = { ...value, type: { ...value.type, dtype: "f32" } };
      singles.set(value, found);
    }
    return found;
  };
  const changedBlock = ({ parameters, equations: inside, results }: Block): Block => ({
    parameters: parameters.map(single),
    equations: inside.map(changed),
    results: results.map(single),
  });
  const changed = (equation: Equation): Equation => ({
    ...equation,
    inputs: equation.inputs.map(single),
    parameters:
      equation.parameters["dtype"] === "f64"
        ? { ...equation.parameters, dtype: "f32" }
        : equation.parameters,
    regions: equation.regions.map(changedBlock),
    outputs: equation.outputs.map(single),
  });
  return { ...fn, body: changedBlock(fn.body) };
}

function isDouble({ type }: Value): boolean {
  return type.dtype === "f64";
}
