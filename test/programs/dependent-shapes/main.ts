import { compile } from "fluxion";

/** Arrays whose length is computed in the program. */
const f = (n: number, x: Float64Array) => {
  const grid = new Float64Array(n + 1);
  for (let i = 0; i <= n; i++) grid[i] = i / n;
  const twice = new Float64Array(x.length * 2);
  for (let i = 0; i < x.length; i++) {
    twice[2 * i] = x[i];
    twice[2 * i + 1] = -x[i];
  }
  return { grid, twice, length: grid.length + twice.length };
};
const compiled = compile(f);

export const main = () => compiled(4, new Float64Array([1, 2, 3]));
