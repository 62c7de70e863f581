import { compile, grad, valueAndGrad } from "fluxion";

function rosenbrock(x: Float64Array) {
  let sum = 0;
  for (let i = 0; i + 1 < x.length; i++) {
    sum += 100 * (x[i + 1] - x[i] * x[i]) ** 2 + (1 - x[i]) ** 2;
  }
  return sum;
}
const gradient = grad(rosenbrock);
const both = valueAndGrad((p: { a: number; b: [number, number] }, k: number) => {
  return p.a * p.a * k + Math.sin(p.b[0]) * p.b[1];
});
const second = grad((x: number, y: number) => x * x * y, { argnums: [0, 1] });
const inside = compile((x: Float64Array) => {
  const step = grad(rosenbrock)(x);
  const next = x.slice();
  for (let i = 0; i < x.length; i++) next[i] -= 1e-3 * step[i];
  return next;
});

export const main = () => [
  gradient(new Float64Array([1.2, 1, 0.5])),
  both({ a: 2, b: [0.5, 3] }, 4),
  second(3, 5),
  inside(new Float64Array([1.2, 1])),
];
/** By hand. */
export const expected = () => {
  const slope = (x: readonly number[]) =>
    Float64Array.from(x, (v, i) => {
      const inner = i + 1 < x.length ? -400 * v * (x[i + 1] - v * v) - 2 * (1 - v) : 0;
      return inner + (i > 0 ? 200 * (v - x[i - 1] ** 2) : 0);
    });
  return [
    slope([1.2, 1, 0.5]),
    [16 + Math.sin(0.5) * 3, { a: 16, b: [Math.cos(0.5) * 3, Math.sin(0.5)] }],
    [30, 9],
    slope([1.2, 1]).map((v, i) => [1.2, 1][i] - 1e-3 * v),
  ];
};
export const tolerance = 1e-10;
