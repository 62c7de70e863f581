import { compile, vmap } from "fluxion";

export const f = compile((x: Float64Array, y: Float64Array) => {
  const add = (a: number, b: number) => a + b;
  const z = vmap(add, { inAxes: [0, 3] })(x, y);
  return vmap(add)(x, y);
});

const filled = (n: number) => new Float64Array(n).fill(2);
export const g = compile((x: Float64Array) => vmap(filled)(x));
