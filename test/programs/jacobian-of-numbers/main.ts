import { compile, jacfwd, jacrev } from "fluxion";

type Pair = readonly [number, number];

/** Jacobians of numbers and of lists of numbers, in a loop. */
const swirl = ([x, y]: Pair): Pair => [x * y + Math.sin(x), x - y * y];
const height = ([x, y]: Pair) => x * x * y;
const f = (x: number, steps: number) => {
  let point: Pair = [x, 1];
  for (let i = 0; i < steps; i++) {
    const [dx, dy] = jacfwd(height)(point);
    point = [point[0] - 0.1 * dx, point[1] - 0.1 * dy];
  }
  return { point, forward: jacfwd(swirl)(point), reverse: jacrev(swirl)(point) };
};
const compiled = compile(f);

export const main = () => [compiled(0.5, 0), compiled(0.5, 3)];
/** By hand. */
export const expected = () =>
  [0, 3].map((steps) => {
    let [x, y] = [0.5, 1];
    for (let i = 0; i < steps; i++) [x, y] = [x - 0.2 * x * y, y - 0.1 * x * x];
    const jacobian = [
      [y + Math.cos(x), x],
      [1, -2 * y],
    ];
    return { point: [x, y], forward: jacobian, reverse: jacobian };
  });
export const tolerance = 1e-14;
