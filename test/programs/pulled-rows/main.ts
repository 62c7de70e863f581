import { compile, jvp, vjp } from "fluxion";

type Pair = readonly [number, number];
const swirl = ([x, y]: Pair): Pair => [x * y + Math.sin(x), x - y * y];

/** Cotangents and tangents from a table, in a loop: a row of two numbers is a pair. */
const f = (x: number, y: number) => {
  const [, pullback] = vjp(swirl, [x, y]);
  const basis: readonly Pair[] = [
    [1, 0],
    [0, 1],
  ];
  const rows = new Float64Array(8);
  for (let row = 0; row < 2; row++) {
    const [[byX, byY]] = pullback(basis[row]);
    const [, [du, dv]] = jvp(swirl, [[x, y]], [basis[row]]);
    [byX, byY, du, dv].forEach((value, k) => {
      rows[4 * row + k] = value;
    });
  }
  return rows;
};
const compiled = compile(f);

export const main = () => [compiled(0.5, 2)];
/** By hand. */
export const expected = () => {
  const [a, b] = [2 + Math.cos(0.5), 0.5];
  return [Float64Array.of(a, b, a, 1, 1, -4, b, -4)];
};
export const tolerance = 1e-15;
