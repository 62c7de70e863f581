/** GradBench `lse`: the logarithm of a sum of exponentials. */

import { compile, grad } from "fluxion";
import { plain, type Prepare, type Runs, work } from "./problem.ts";

/** log Σ exp xᵢ, with the largest xᵢ taken out. */
export function logSumExp(x: Float64Array): number {
  let largest = -Infinity;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, x[i]);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i] - largest);
  return Math.log(sum) + largest;
}

export const value = compile(logSumExp, { reassociate: true });
export const slope = compile(grad(logSumExp), { reassociate: true });

interface Input extends Runs {
  readonly x: readonly number[];
}

export const primal: Prepare<Input> = (input) => {
  const x = Float64Array.from(input.x);
  return work(() => value(x), plain);
};

export const gradient: Prepare<Input> = (input) => {
  const x = Float64Array.from(input.x);
  return work(() => slope(x), Array.from<number>);
};
