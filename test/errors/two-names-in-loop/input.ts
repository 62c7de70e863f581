import { compile } from "fluxion";

export const f = compile((n: number) => {
  let a = new Float64Array(3);
  let b = new Float64Array(3);
  const first = a;
  for (let i = 0; i < n; i++) {
    a[0] += 1;
    [a, b] = [b, a];
  }
  return first[0];
});
