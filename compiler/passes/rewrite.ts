/** Walks a block and replaces equations by what rules give for them; the engine of `simplify`. */

import { newBuilder } from "../ops/index.ts";
import type { GraphBuilder } from "../ops/builder.ts";
import type { Block, Equation, Value } from "../ir/types.ts";

/** What a rule may ask and use. */
export interface RewriteContext {
  readonly builder: GraphBuilder;
  /** The equation that defines a value, if it is not a parameter. */
  readonly definition: (value: Value) => Equation | undefined;
  /** The number that a value is known to be everywhere, if it is. */
  readonly constant: (value: Value | undefined) => number | undefined;
}

/** Gives the values that stand for the equation's outputs, or undefined to leave it. */
export type Rule = (equation: Equation, context: RewriteContext) => readonly Value[] | undefined;

/** The block with `rules` applied to each equation, the rules of its op first to last. */
export function rewrite(block: Block, rules: ReadonlyMap<string, readonly Rule[]>): Block {
  const definitions = new Map<Value, Equation>();
  const renaming = new Map<Value, Value>();
  const resolve = (value: Value): Value => {
    let current = value;
    for (let next = renaming.get(current); next !== undefined; next = renaming.get(current)) {
      current = next;
    }
    return current;
  };
  return visit(block);

  function visit(inner: Block): Block {
    const builder = newBuilder();
    for (const equation of inner.equations) {
      const resolved: Equation = { ...equation, inputs: equation.inputs.map(resolve) };
      const before = builder.equations.length;
      builder.span = equation.span;
      const context: RewriteContext = {
        builder,
        definition: (value) => definitions.get(resolve(value)),
        constant: (value) => value && constantOf(definitions, resolve(value)),
      };
      const replacement = firstOf(rules.get(equation.op) ?? [], resolved, context);
      if (replacement === undefined) builder.put(resolved);
      // What a rule took from a region still names what was replaced before.
      for (let k = before; k < builder.equations.length; k++) {
        const made = builder.equations[k] as Equation;
        const inputs = made.inputs.map(resolve);
        const walked: Equation = { ...made, inputs, regions: made.regions.map(visit) };
        builder.equations[k] = walked;
        define(walked);
      }
      if (replacement !== undefined) {
        equation.outputs.forEach((output, k) => {
          const value = resolve(replacement[k] as Value);
          if (output.name !== undefined) builder.name(value, output.name);
          renaming.set(output, value);
        });
      }
    }
    return { ...inner, equations: builder.equations, results: inner.results.map(resolve) };
  }

  function define(equation: Equation): void {
    for (const output of equation.outputs) definitions.set(output, equation);
  }
}

function firstOf(
  rules: readonly Rule[],
  equation: Equation,
  context: RewriteContext,
): readonly Value[] | undefined {
  for (const rule of rules) {
    const made = rule(equation, context);
    if (made !== undefined) return made;
  }
  return undefined;
}

/** The number of a scalar constant, or of an array that repeats one. */
function constantOf(definitions: ReadonlyMap<Value, Equation>, value: Value): number | undefined {
  const definition = definitions.get(value);
  if (definition === undefined) return undefined;
  if (definition.op === "broadcast" || definition.op === "reshape") {
    return constantOf(definitions, definition.inputs[0] as Value);
  }
  if (definition.op !== "constant") return undefined;
  const values = definition.parameters["values"] as readonly number[];
  return values.length === 1 ? values[0] : undefined;
}
