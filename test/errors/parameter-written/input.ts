import { compile } from "fluxion";

export const f = compile((x: Float64Array, p: { a: number }) => {
  x[0] = 1;
  p.a = 2;
  x.fill(0);
  return x[0] + p.a;
});
