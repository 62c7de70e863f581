import { hessian, hvp, jacfwd, jacrev, jvp, linearize, vjp } from "fluxion";

const f = (x: Float64Array) => {
  const y = new Float64Array(2);
  y[0] = x[0] * x[1];
  y[1] = Math.sin(x[2]) + x[0];
  return y;
};
const energy = (x: Float64Array) => x[0] ** 3 * x[1] + x[1] * x[2] * x[2];
const point = new Float64Array([1, 2, 3]);
const direction = new Float64Array([0.5, -1, 0.25]);

export const main = () => {
  const [y, pullback] = vjp(f, point);
  const [z, pushforward] = linearize((a: number, b: number) => a * Math.exp(b), 2, 0.5);
  return [
    jvp(f, [point], [direction]),
    y,
    pullback(new Float64Array([1, 2])),
    z,
    pushforward(1, 0),
    pushforward(0, 1),
    jacfwd(f)(point),
    jacrev(f)(point),
    hessian(energy)(point),
    hvp(energy)(point, direction),
  ];
};
/** By hand. */
export const expected = () => {
  const y = new Float64Array([2, Math.sin(3) + 1]);
  const rows = [new Float64Array([2, 1, 0]), new Float64Array([1, 0, Math.cos(3)])];
  const second = [
    new Float64Array([6 * 1 * 2, 3, 0]),
    new Float64Array([3, 0, 2 * 3]),
    new Float64Array([0, 2 * 3, 2 * 2]),
  ];
  const times = (row: Float64Array) => row.reduce((sum, v, i) => sum + v * direction[i], 0);
  return [
    [y, new Float64Array(rows.map(times))],
    y,
    [new Float64Array([2 + 2, 1, 2 * Math.cos(3)])],
    2 * Math.exp(0.5),
    Math.exp(0.5),
    2 * Math.exp(0.5),
    rows,
    rows,
    second,
    new Float64Array(second.map(times)),
  ];
};
export const tolerance = 1e-9;
