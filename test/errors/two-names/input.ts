import { compile } from "fluxion";

export const f = compile((c: boolean) => {
  const a = new Float64Array(3);
  const b = new Float64Array(3);
  const best = c ? a : b;
  best[0] = 1;
  return a[0] + best[0];
});
