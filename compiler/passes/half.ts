/**
 * Half precision is how numbers are stored: what computes with them does so in single precision, and
 * its results are rounded.
 *
 *   z = add x y: f16   →   z = cast (add (cast x) (cast y): f32)
 *
 * So an op rounds once, also one that sums products. Ops that only move elements stay as they are, and
 * so do those that write into an array, whose elements are each rounded when they are written.
 */

import type { Block, Equation, Fn, Graph, Value } from "../ir/types.ts";
import { allEquations } from "../ir/walk.ts";
import { ops } from "../ops/index.ts";

/** The program with arithmetic on f32 and f64 only; the very graph where that is so already. */
export function computedInSingles(graph: Graph): Graph {
  const functions = [...graph.functions].map(([name, fn]) => [name, widenedFn(fn)] as const);
  const changed = functions.some(([name, fn]) => fn !== graph.functions.get(name));
  return changed ? { ...graph, functions: new Map(functions) } : graph;
}

function widenedFn(fn: Fn): Fn {
  const computes = [...allEquations(fn.body)].some(computesInHalves);
  return computes ? { ...fn, body: widened(fn.body) } : fn;
}

function widened(block: Block): Block {
  const equations = block.equations.flatMap((equation): readonly Equation[] => {
    if (computesInHalves(equation)) return inSingles(equation);
    return [{ ...equation, regions: equation.regions.map(widened) }];
  });
  return { ...block, equations };
}

function computesInHalves({ op: name, inputs, outputs }: Equation): boolean {
  const op = ops[name];
  if (op === undefined || ![...inputs, ...outputs].some(isHalf)) return false;
  const { laws, lower } = op;
  const moves = lower.kind === "element" || lower.kind === "frame" || laws.rearranges === true;
  return !moves && laws.consumes === undefined && name !== "cast";
}

function isHalf({ type }: Value): boolean {
  return type.dtype === "f16";
}

function inSingles(equation: Equation): readonly Equation[] {
  const { span } = equation;
  const casts: Equation[] = [];
  const cast = (from: Value, to: Value): void => {
    const { dtype } = to.type;
    casts.push({
      op: "cast",
      inputs: [from],
      parameters: { dtype },
      regions: [],
      outputs: [to],
      span,
    });
  };
  const wide = ({ type, name }: Value): Value => ({ type: { ...type, dtype: "f32" }, name });
  const inputs = equation.inputs.map((input) => {
    if (!isHalf(input)) return input;
    const single = wide(input);
    cast(input, single);
    return single;
  });
  const before = casts.splice(0);
  const outputs = equation.outputs.map((output) => {
    if (!isHalf(output)) return output;
    const single = wide(output);
    cast(single, output);
    return single;
  });
  return [...before, { ...equation, inputs, outputs }, ...casts];
}
