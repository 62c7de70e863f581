/** How often a loop pushes on a stack or pops from it, where that is known before it starts. */

import type { Block, Equation, Value } from "../ir/types.ts";
import { freeValues } from "../ir/walk.ts";

/** `own` times in the block itself, and in each round of inner loops. */
export interface Traffic {
  readonly own: number;
  /** The first of the pushes or pops. */
  readonly first?: Equation | undefined;
  readonly loops: readonly { readonly count: Value; readonly inner: Traffic }[];
}

/** Follows a stack through a block; undefined where the path, or another function, decides. */
export function trafficOf(block: Block, stack: Value, op: "push" | "pop"): Traffic | undefined {
  let own = 0;
  let first: Equation | undefined;
  const loops: { count: Value; inner: Traffic }[] = [];
  let current = stack;
  for (const equation of block.equations) {
    if (!equation.inputs.includes(current)) {
      if (equation.regions.some((region) => freeValues(region).includes(current))) return undefined;
      continue;
    }
    const next = equation.outputs[outputOf(equation, current)];
    if (next === undefined) return undefined;
    if (equation.op === op) {
      if (first !== undefined && isPadded(first) !== isPadded(equation)) return undefined;
      own++;
      first ??= equation;
    } else if (equation.op === "for") {
      const [count] = equation.inputs;
      const [body] = equation.regions;
      const parameter = body?.parameters[equation.inputs.indexOf(current)];
      if (count === undefined || body === undefined || parameter === undefined) return undefined;
      const inner = trafficOf(body, parameter, op);
      if (inner === undefined) return undefined;
      loops.push({ count, inner });
      if (first !== undefined && inner.first !== undefined) {
        if (isPadded(first) !== isPadded(inner.first)) return undefined;
      }
      first ??= inner.first;
    } else return undefined;
    current = next;
  }
  return block.results.includes(current) ? { own, loops, first } : undefined;
}

function isPadded({ parameters }: Equation): boolean {
  return parameters["orZero"] === true;
}

/** Once a round, in the body itself: the place of each element follows from the counter. */
export function isOnce({ own, loops }: Traffic): boolean {
  return own === 1 && loops.length === 0;
}

export function isNone({ own, loops }: Traffic): boolean {
  return own === 0 && loops.every(({ inner }) => isNone(inner));
}

function outputOf({ op, inputs }: Equation, stack: Value): number {
  return op === "for" ? inputs.indexOf(stack) - 1 : 0;
}
