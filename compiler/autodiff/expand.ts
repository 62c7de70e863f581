/**
 * Replaces every call by the body of what it calls, transforms applied, innermost first:
 *
 *   %2 = call vjp(@f) %0, %1   →   the equations of vjp(f)
 *
 * Functions that call themselves stay functions, and so do those that are derived from them.
 */

import { type Block, type Equation, type Fn, type Graph, rootOf, type Value } from "../ir/types.ts";
import { allEquations, copyBlock } from "../ir/walk.ts";
import { cleanUp } from "../passes/simplify.ts";
import { repairUniqueness } from "../passes/copies.ts";
import { raiseProducts } from "../passes/raise.ts";
import { tidied } from "../passes/tidy.ts";
import { type Callee, decodeCallee } from "./callee.ts";
import { customCallee, DerivativeFault, primalOf } from "./custom.ts";
import { calledNames, FunctionTable } from "./functions.ts";
import { dependence, PatternFault } from "./dependence.ts";
import { jvp } from "./jvp.ts";
import { mapToLoop } from "./mapToLoop.ts";
import { vjp } from "./vjp.ts";
import { vmap } from "./vmap.ts";

export interface ExpandOptions {
  /** False to leave loops that are products as they are, for people to read. */
  readonly raise?: boolean;
}

/** The same program without transforms; calls are left only of functions that call themselves. */
export function expand(graph: Graph, { raise = true }: ExpandOptions = {}): Graph {
  const plain = new Map<string, Fn>();
  const recursive = recursiveNames(graph);
  const functions = new FunctionTable(resolve);
  /** True once all is differentiated: functions with derivatives of their own are themselves. */
  let last = false;
  for (const name of recursive) {
    const fn = graph.functions.get(name) as Fn;
    functions.derive([name], () => [raised(tidied({ ...fn, body: expandBlock(fn.body) }))]);
  }
  const root = rootOf(graph);
  const own = expandBlock(root.body);
  last = true;
  plain.clear();
  const finished = new Map<string, Fn>();
  keep({ ...root, body: repairUniqueness(callsInLoops(expandBlock(own))) });
  return { root: root.name, functions: finished };

  /** Keeps a function, and all that it calls. */
  function keep(fn: Fn): void {
    finished.set(fn.name, fn);
    for (const name of calledNames(fn.body.equations)) {
      if (!finished.has(name)) keep(finish(functions.get(name)));
    }
  }

  function finish(fn: Fn): Fn {
    const equations = [...allEquations(fn.body)];
    if (!equations.some((equation) => isCustomCall(equation) || isMapOfCalls(equation))) return fn;
    return tidied({ ...fn, body: callsInLoops(expandBlock(fn.body)) });
  }

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
      const callee = decodeCallee(equation.parameters["callee"]);
      const stays = callee.kind === "function" && recursive.has(callee.name);
      if (stays || (callee.kind === "function" && functions.has(callee.name))) {
        return [{ ...equation, inputs }];
      }
      if (customCallee(equation) !== undefined && !last) return [{ ...equation, inputs }];
      const fn = resolveFor(equation, callee);
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

  function resolveFor({ span }: Equation, callee: Callee): Fn {
    try {
      return resolve(callee);
    } catch (error) {
      const differentiates = ["vjp", "jvp", "dependence"].includes(callee.kind);
      const isFault = error instanceof DerivativeFault || error instanceof PatternFault;
      if (isFault && differentiates && span) error.calls.push(span);
      throw error;
    }
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
        return raised({ ...fn, body: cleanUp(expandBlock(fn.body)) });
      }
      case "vjp":
        return clean(vjp(resolve(callee.of), callee.active, functions));
      case "jvp":
        return clean(jvp(resolve(callee.of), callee.active, functions));
      case "dependence":
        return clean(dependence(resolve(callee.of), callee.active, callee.touched, functions));
      case "custom":
      case "checkpoint":
        return resolve(primalOf(callee));
      case "vmap":
        return clean(vmap(resolve(callee.of), callee.batched, callee.size, callee.inTurn));
    }
  }

  /** Products before they are differentiated: their adjoints are products. */
  function raised(fn: Fn): Fn {
    return raise ? { ...fn, body: raiseProducts(fn.body, { differentiated: true }) } : fn;
  }

  function clean(fn: Fn): Fn {
    return { ...fn, body: cleanUp(fn.body) };
  }
}

/** The functions of a graph that call themselves, directly or through others. */
function recursiveNames(graph: Graph): ReadonlySet<string> {
  const calls = new Map<string, readonly string[]>();
  for (const [name, fn] of graph.functions) calls.set(name, transformedNames(fn.body.equations));
  const reaches = (from: string, to: string): boolean => {
    const seen = new Set<string>();
    const visit = (name: string): boolean =>
      (calls.get(name) ?? []).some((next) => {
        if (next === to) return true;
        if (seen.has(next)) return false;
        seen.add(next);
        return visit(next);
      });
    return visit(from);
  };
  return new Set([...calls.keys()].filter((name) => reaches(name, name)));
}

/** The functions that calls name, below any transforms. */
function transformedNames(equations: readonly Equation[]): readonly string[] {
  const innermost = (callee: Callee): string =>
    callee.kind === "function"
      ? callee.name
      : innermost(callee.kind === "custom" ? callee.primal : callee.of);
  return equations.flatMap((equation) => [
    ...(equation.op === "call" ? [innermost(decodeCallee(equation.parameters["callee"]))] : []),
    ...equation.regions.flatMap((region) => transformedNames(region.equations)),
  ]);
}

/** A map whose elements call functions that stay functions is a loop: kernels do not call. */
function callsInLoops(block: Block): Block {
  const equations = block.equations.flatMap((equation): readonly Equation[] => {
    const regions = equation.regions.map(callsInLoops);
    const walked = { ...equation, regions };
    return isMapOfCalls(walked) ? mapToLoop(walked) : [walked];
  });
  return { ...block, equations };
}

function isMapOfCalls({ op, regions }: Equation): boolean {
  return op === "map" && regions.some((body) => [...allEquations(body)].some(isCall));
}

function isCall({ op }: Equation): boolean {
  return op === "call";
}

function isCustomCall(equation: Equation): boolean {
  return equation.op === "call" && customCallee(equation) !== undefined;
}
