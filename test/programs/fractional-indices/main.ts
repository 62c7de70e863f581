import { compile } from "fluxion";

/** Indices whose terms are fractions, and whose sums are whole. */
const moved = compile((x: Float64Array, h: number) => {
  const y = new Float64Array(4);
  for (let i = 0; i < 4; i++) y[i] = x[i + 0.5 + h];
  return y;
});
const scaled = compile((x: Float64Array, h: number, k: number) => {
  const y = new Float64Array(4);
  for (let i = 0; i < 4; i++) y[i] = x[i * 2 * h] + x[2 * i * h + k + h];
  return y;
});
const nested = compile((x: Float64Array, h: number) => {
  const y = new Float64Array(9);
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) y[i * 3 + j] = x[i * (h + 0.5) + h + (j + 0.5)];
  return y;
});

export const main = () => {
  const x = Float64Array.from({ length: 10 }, (_, k) => k * k + 0.25);
  return [moved(x, 0.5), scaled(x, 0.5, 0.5), scaled(x, 1, 1), nested(x, 0.5), nested(x, 1.5)];
};
