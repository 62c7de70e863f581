/** GradBench `hello`: the square of a number. */

import { compile, grad } from "fluxion";
import { plain, type Prepare, work } from "./problem.ts";

export function f(x: number): number {
  return x * x;
}

export const value = compile(f);
export const slope = grad(f);

export const square: Prepare<number> = (x) => work(() => value(x), plain);
export const double: Prepare<number> = (x) => work(() => slope(x), plain);
