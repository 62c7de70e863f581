import { compile } from "fluxion";

/** Halves that are pushed together are arrays of other lengths at each depth. */
function sum(x: number[]): number {
  const n = x.length;
  if (n === 1) return x[0]!;
  const even: number[] = [];
  const odd: number[] = [];
  for (let i = 0; i < n; i += 2) {
    even.push(x[i]!);
    odd.push(x[i + 1]!);
  }
  return sum(even) - sum(odd);
}
export const f = compile(sum);
