/** GradBench `ode`: a chain of linear differential equations by the classical Runge–Kutta method. */

import { compile, grad } from "fluxion";
import { type Prepare, type Runs, work } from "./problem.ts";

/** y′₀ = x₀ and y′ᵢ = xᵢ yᵢ₋₁. */
function derivative(x: Float64Array, y: Float64Array, into: Float64Array): void {
  into[0] = x[0];
  for (let i = 1; i < x.length; i++) into[i] = x[i] * y[i - 1];
}

/** y + h k */
function advance(y: Float64Array, h: number, k: Float64Array, into: Float64Array): void {
  for (let i = 0; i < y.length; i++) into[i] = y[i] + h * k[i];
}

/** y at time 2, from y = 0 at time 0, in `steps` steps. */
export function solve(x: Float64Array, steps: number): Float64Array {
  const n = x.length;
  const h = 2 / steps;
  const y = new Float64Array(n);
  const between = new Float64Array(n);
  const k1 = new Float64Array(n);
  const k2 = new Float64Array(n);
  const k3 = new Float64Array(n);
  const k4 = new Float64Array(n);
  for (let step = 0; step < steps; step++) {
    derivative(x, y, k1);
    advance(y, h / 2, k1, between);
    derivative(x, between, k2);
    advance(y, h / 2, k2, between);
    derivative(x, between, k3);
    advance(y, h, k3, between);
    derivative(x, between, k4);
    for (let i = 0; i < n; i++) y[i] += (h / 6) * (k1[i] + 2 * k2[i] + 2 * k3[i] + k4[i]);
  }
  return y;
}

/** The last component alone: what the gradient is of. */
export function last(x: Float64Array, steps: number): number {
  return solve(x, steps)[x.length - 1];
}

export const value = compile(solve);
export const slope = grad(last);

interface Input extends Runs {
  readonly x: readonly number[];
  readonly s: number;
}

export const primal: Prepare<Input> = (input) => {
  const x = Float64Array.from(input.x);
  return work(() => value(x, input.s), Array.from<number>);
};

export const gradient: Prepare<Input> = (input) => {
  const x = Float64Array.from(input.x);
  return work(() => slope(x, input.s), Array.from<number>);
};
