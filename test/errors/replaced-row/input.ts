import { compile } from "fluxion";

export const f = compile((m: number[][], n: number) => {
  const own = m.map((row) => row.map((v) => v));
  const first = own[0];
  own[0] = [1, 2];
  return first[0];
});
export const g = compile((k: number, n: number) => {
  const own = [
    [k, 2],
    [3, 4],
  ];
  let sum = 0;
  const row = own[k | 0];
  for (let i = 0; i < n; i++) {
    sum += row[0];
    own[i] = [i, sum];
  }
  return sum;
});
