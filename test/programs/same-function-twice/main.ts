import { compile, grad } from "fluxion";

/** A few steps of Newton's method. */
function root(f: (x: number) => number, start: number): number {
  const slope = grad(f);
  let x = start;
  for (let i = 0; i < 6; i++) x -= f(x) / slope(x);
  return x;
}

/** A function that calls itself, on another function, is not recursive. */
const f = (a: number) => root((x) => x - root((y) => y * y - a * x, 1 + a), 2);
const compiled = compile(f);

export const main = () => [compiled(2), compiled(5)];
/** x = √(a x) at x = a. */
export const expected = () => [2, 5];
export const tolerance = 1e-9;
