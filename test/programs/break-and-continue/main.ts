import { compile } from "fluxion";

const f = (x: Float64Array, limit: number) => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i] < 0) continue;
    if (sum > limit) break;
    sum += x[i];
  }
  let found = 0;
  outer: for (let i = 0; i < x.length; i++) {
    for (let j = 0; j < x.length; j++) {
      if (x[j] > x[i] + 3) continue outer;
      if (x[i] === 99) break outer;
    }
    found += x[i];
  }
  let count = 0;
  for (const value of x) {
    if (value === 2) break;
    count++;
  }
  return [sum, found, count];
};
const compiled = compile(f);

export const main = () => [
  compiled(new Float64Array([1, -5, 3, 7, 2, 9]), 8),
  compiled(new Float64Array([2, 99, 1]), 100),
];
