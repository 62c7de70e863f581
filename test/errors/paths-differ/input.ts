import { compile } from "fluxion";

export const f = compile((x: number) => {
  const a = x > 0 ? [1, 2] : [1, 2, 3];
  const b: number | number[] = x > 1 ? 3 : [4];
  return a[0];
});
export const g = compile((x: number) => {
  let a = new Float64Array(2);
  if (x > 0) a = new Float64Array(3);
  return a;
});
