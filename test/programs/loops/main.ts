import { compile } from "fluxion";

const f = (x: Float64Array, k: number) => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) {
    if (x[i] > k) sum += x[i] * 2;
    else sum -= 1;
  }
  let back = 0;
  for (let i = x.length - 1; i >= 0; i -= 2) back = back * 0.5 + x[i];
  let counted = 0;
  for (let i = 1; i <= k; i += 3) counted += i;
  return [sum, back, counted];
};
const compiled = compile(f);

export const main = () => [
  compiled(new Float64Array([1, 5, -2, 8.5]), 3),
  compiled(new Float64Array([]), 10.5),
  compiled(new Float64Array([4]), NaN),
];
