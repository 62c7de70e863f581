import { compile, vmap } from "fluxion";

const f = (x: number, y: number) => x * y + 1;
const mapped = vmap(f);
const fixed = vmap(f, { inAxes: [0, null] });
const inside = compile((x: Float64Array, k: number) => vmap((v: number) => v * k + Math.cos(v))(x));

export const main = () => [
  mapped(new Float64Array([1, 2, 3]), new Float64Array([4, 5, 6])),
  fixed(new Float64Array([1, 2, 3]), 10),
  inside(new Float64Array([0, 1]), 2),
];
export const expected = () => [
  new Float64Array([5, 11, 19]),
  new Float64Array([11, 21, 31]),
  new Float64Array([1, 2 + Math.cos(1)]),
];
export const tolerance = 1e-12;
