/** GradBench `llsq`: a polynomial fitted to the sign function by least squares. */

import { compile, grad } from "fluxion";
import { plain, type Prepare, type Runs, work } from "./problem.ts";

/** Half the squared errors of Σ xⱼ tʲ against sign(t), at `n` points t from -1 to 1. */
export function error(x: Float64Array, n: number): number {
  let total = 0;
  for (let i = 0; i < n; i++) {
    const t = -1 + (2 * i) / (n - 1);
    let residual = Math.sign(t);
    let power = 1;
    for (let j = 0; j < x.length; j++) {
      residual -= x[j] * power;
      power *= t;
    }
    total += residual * residual;
  }
  return total / 2;
}

export const value = compile(error);
export const slope = grad(error);

interface Input extends Runs {
  readonly x: readonly number[];
  readonly n: number;
}

export const primal: Prepare<Input> = (input) => {
  const x = Float64Array.from(input.x);
  return work(() => value(x, input.n), plain);
};

export const gradient: Prepare<Input> = (input) => {
  const x = Float64Array.from(input.x);
  return work(() => slope(x, input.n), Array.from<number>);
};
