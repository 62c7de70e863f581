import { compile } from "fluxion";

export const f = compile((x: number, o: { a: number; b: number }) => {
  const key = x > 0 ? "a" : "b";
  return o[key];
});
export const g = compile((x: number) => {
  const fs = [(v: number) => v, (v: number) => v * v];
  return fs[x | 0](x);
});
