import { compile, grad } from "fluxion";

/** Newton's method in a loop, with the second derivative by two transforms. */
const solve = compile((start: number, steps: number) => {
  const f = (x: number) => x ** 4 - 3 * x ** 3 + 2;
  const slope = grad(f);
  const curvature = grad((x: number) => slope(x));
  let x = start;
  for (let i = 0; i < steps; i++) x -= slope(x) / curvature(x);
  return { x, value: f(x), slope: slope(x) };
});

export const main = () => [solve(3, 0), solve(3, 8)];
/** By hand. */
export const expected = () =>
  [0, 8].map((steps) => {
    let x = 3;
    for (let i = 0; i < steps; i++) x -= (4 * x ** 3 - 9 * x ** 2) / (12 * x ** 2 - 18 * x);
    return { x, value: x ** 4 - 3 * x ** 3 + 2, slope: 4 * x ** 3 - 9 * x ** 2 };
  });
export const tolerance = 1e-6;
