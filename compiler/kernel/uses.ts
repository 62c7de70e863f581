/** Who uses a value, and when for the last time: asked by fusion and by the memory plan. */

import type { Block, Equation, Value } from "../ir/types.ts";
import { freeValues } from "../ir/walk.ts";

export interface Uses {
  /** How often a value is an input of an equation or a result of a block. */
  readonly count: (value: Value) => number;
  /** Position in the block of the last equation that reads the value; its results come last. */
  readonly last: (block: Block, value: Value) => number;
  /** Counts uses in equations that now stand for `original`, in place of the uses in it. */
  readonly replace: (equations: readonly Equation[], original: Equation) => void;
}

export function usesIn(root: Block): Uses {
  const counts = new Map<Value, number>();
  const lasts = new Map<Block, Map<Value, number>>();
  const count = (value: Value): void => {
    counts.set(value, (counts.get(value) ?? 0) + 1);
  };
  const visit = (block: Block): void => {
    const last = new Map<Value, number>();
    lasts.set(block, last);
    block.equations.forEach((equation, position) => {
      for (const value of equation.inputs) {
        count(value);
        last.set(value, position);
      }
      for (const region of equation.regions) {
        visit(region);
        for (const value of freeValues(region)) last.set(value, position);
      }
    });
    for (const value of block.results) {
      count(value);
      last.set(value, block.equations.length);
    }
  };
  visit(root);
  return {
    count: (value) => counts.get(value) ?? 0,
    last: (block, value) => lasts.get(block)?.get(value) ?? -1,
    replace: (equations, original) => {
      for (const value of original.inputs) counts.set(value, (counts.get(value) ?? 0) - 1);
      for (const equation of equations) equation.inputs.forEach(count);
    },
  };
}

/** The blocks being lowered around a place, outermost first. */
export interface Frame {
  readonly block: Block;
  /** The equation being lowered. */
  position: number;
  /** Runs again and again: what stands around it stays alive. */
  readonly repeats: boolean;
  readonly defined: Set<Value>;
}

/** True when nothing reads `value` after the equation being lowered. */
export function diesHere(uses: Uses, frames: readonly Frame[], value: Value): boolean {
  for (let k = frames.length - 1; k >= 0; k--) {
    const frame = frames[k] as Frame;
    if (uses.last(frame.block, value) > frame.position) return false;
    if (frame.defined.has(value)) return true;
    if (frame.repeats) return false;
  }
  return true;
}
