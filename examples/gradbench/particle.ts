/** GradBench `particle`: where a charge must stand for a flying one to land at zero. */

import { compile, grad, jacfwd } from "fluxion";
import { argmin, length, type Gradient, type Vector } from "./descent.ts";
import { plain, type Prepare, type Runs, work } from "./problem.ts";

/** The square of where the particle lands, with one charge lowered by `w`. */
export function landing(w: number, gradient: Gradient): number {
  const potential = ([x, y]: Vector) =>
    1 / length([x - 10, y - (10 - w)]) + 1 / length([x - 10, y]);
  const slope = gradient(potential);
  const dt = 0.1;
  let [x, y, vx, vy] = [0, 8, 0.75, 0];
  while (true) {
    const [ax, ay] = slope([x, y]);
    const [nextX, nextY] = [x + dt * vx, y + dt * vy];
    if (nextY <= 0) {
      const landed = x - (y / vy) * vx;
      return landed * landed;
    }
    [x, y, vx, vy] = [nextX, nextY, vx - dt * ax, vy - dt * ay];
  }
}

export function best(w: number, outer: Gradient, inner: Gradient): number {
  return argmin(([v]) => landing(v, inner), outer, [w])[0];
}

export const forwardForward = compile((w: number) => best(w, jacfwd, jacfwd));
export const forwardReverse = compile((w: number) => best(w, jacfwd, grad));
export const reverseForward = compile((w: number) => best(w, grad, jacfwd));
export const reverseReverse = compile((w: number) => best(w, grad, grad));

interface Input extends Runs {
  readonly w: number;
}

export const ff: Prepare<Input> = ({ w }) => work(() => forwardForward(w), plain);
export const fr: Prepare<Input> = ({ w }) => work(() => forwardReverse(w), plain);
export const rf: Prepare<Input> = ({ w }) => work(() => reverseForward(w), plain);
export const rr: Prepare<Input> = ({ w }) => work(() => reverseReverse(w), plain);
