/** GradBench `saddle`: the saddle point of a function, by descent through an ascent. */

import { compile, grad, jacfwd } from "fluxion";
import { argmax, argmin, type Gradient, type Vector } from "./descent.ts";
import { type Prepare, type Runs, work } from "./problem.ts";

function height([x1, x2]: Vector, [y1, y2]: Vector): number {
  return x1 * x1 + x2 * x2 - (y1 * y1 + y2 * y2);
}

/** The point (x, y) whose x is best when y is as bad as it can be. */
export function saddle(start: Vector, outer: Gradient, inner: Gradient): Vector {
  const worst = (x: Vector) => argmax((y) => height(x, y), inner, start);
  const x = argmin((v) => height(v, worst(v)), outer, start);
  return [...x, ...worst(x)];
}

type Point = readonly [number, number];

export const forwardForward = compile((start: Point) => saddle(start, jacfwd, jacfwd));
export const forwardReverse = compile((start: Point) => saddle(start, jacfwd, grad));
export const reverseForward = compile((start: Point) => saddle(start, grad, jacfwd));
export const reverseReverse = compile((start: Point) => saddle(start, grad, grad));

interface Input extends Runs {
  readonly start: Point;
}

const same = (result: Vector): unknown => result;

export const ff: Prepare<Input> = ({ start }) => work(() => forwardForward(start), same);
export const fr: Prepare<Input> = ({ start }) => work(() => forwardReverse(start), same);
export const rf: Prepare<Input> = ({ start }) => work(() => reverseForward(start), same);
export const rr: Prepare<Input> = ({ start }) => work(() => reverseReverse(start), same);
