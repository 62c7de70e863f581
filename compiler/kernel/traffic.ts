/** How often a block pushes on a stack or pops from it, where that is known before it starts. */

import type { Block, Equation, Value } from "../ir/types.ts";
import { freeValues } from "../ir/walk.ts";

/** `own` times in the block itself, in each round of inner loops, and in one arm of each branch. */
export interface Traffic {
  readonly own: number;
  /** The first of the pushes or pops. */
  readonly first?: Equation | undefined;
  readonly loops: readonly { readonly count: Value; readonly inner: Traffic }[];
  readonly branches: readonly (readonly Traffic[])[];
}

/** Follows a stack through a round of a loop; undefined where the path, or another function, decides. */
export function trafficOf(body: Block, stack: Value, op: "push" | "pop"): Traffic | undefined {
  return roundOf(body, stack, op, false);
}

/** What a round pushes at most, whatever it pops and whichever arms it runs. */
export function mostTraffic(body: Block, stack: Value): Traffic | undefined {
  return roundOf(body, stack, "push", true);
}

/** Of a stack that is handed to the next round where this one has found it. */
function roundOf(
  body: Block,
  stack: Value,
  op: "push" | "pop",
  atMost: boolean,
): Traffic | undefined {
  const walk = walked(body, stack, op, atMost);
  const next = body.results[body.parameters.indexOf(stack) - 1];
  return walk !== undefined && walk.end === next ? walk.traffic : undefined;
}

/** What the arms of a branch push at most. */
export function mostInArms(equation: Equation, stack: Value): Traffic | undefined {
  const arms = throughArms(equation, stack, "push");
  return arms && { own: 0, loops: [], branches: [arms.traffic] };
}

/** Where the stack is after a block, and what has been done with it on the way. */
interface Walk {
  readonly traffic: Traffic;
  readonly end: Value;
}

function walked(block: Block, stack: Value, op: "push" | "pop", atMost: boolean): Walk | undefined {
  let own = 0;
  let first: Equation | undefined;
  const loops: { count: Value; inner: Traffic }[] = [];
  const branches: (readonly Traffic[])[] = [];
  let current = stack;
  for (const equation of block.equations) {
    if (!equation.inputs.includes(current)) {
      if (!equation.regions.some((region) => freeValues(region).includes(current))) continue;
      const arms = atMost ? throughArms(equation, current, op) : undefined;
      if (arms === undefined) return undefined;
      branches.push(arms.traffic);
      current = arms.end;
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
      const inner = roundOf(body, parameter, op, atMost);
      if (inner === undefined) return undefined;
      loops.push({ count, inner });
      if (first !== undefined && inner.first !== undefined) {
        if (isPadded(first) !== isPadded(inner.first)) return undefined;
      }
      first ??= inner.first;
    } else if (!atMost || equation.op !== "pop") return undefined;
    current = next;
  }
  return { traffic: { own, loops, first, branches }, end: current };
}

/** Both arms of an `if` that leave the stack as one and the same result. */
function throughArms(
  { op: name, regions, outputs }: Equation,
  stack: Value,
  op: "push" | "pop",
): { readonly traffic: readonly Traffic[]; readonly end: Value } | undefined {
  if (name !== "if") return undefined;
  const arms = regions.map((region) => walked(region, stack, op, true));
  const places = arms.map((arm, k) => (regions[k] as Block).results.indexOf(arm?.end as Value));
  const [place = -1] = places;
  const end = outputs[place];
  if (end === undefined || places.some((each) => each !== place)) return undefined;
  return { traffic: arms.map((arm) => (arm as Walk).traffic), end };
}

function isPadded({ parameters }: Equation): boolean {
  return parameters["orZero"] === true;
}

/** Once a round, in the body itself: the place of each element follows from the counter. */
export function isOnce({ own, loops, branches }: Traffic): boolean {
  return own === 1 && loops.length === 0 && branches.length === 0;
}

export function isNone({ own, loops, branches }: Traffic): boolean {
  return own === 0 && loops.every(({ inner }) => isNone(inner)) && branches.flat().every(isNone);
}

/** True where a device may decide what is pushed. */
export function isDecided({ loops, branches }: Traffic): boolean {
  return branches.flat().some((arm) => !isNone(arm)) || loops.some(({ inner }) => isDecided(inner));
}

function outputOf({ op, inputs }: Equation, stack: Value): number {
  return op === "for" ? inputs.indexOf(stack) - 1 : 0;
}
