import { compile } from "fluxion";

/** Both arrays stay in use: the compiler copies where one of them is written. */
const f = (x: Float64Array, choose: boolean) => {
  const a = x.slice();
  const same = a;
  same[0] = 5;
  const copy = a.slice();
  copy[1] = 7;
  const picked = choose ? a : copy;
  const read = picked[1] + a[1];
  const rows = [a, copy];
  let sum = 0;
  for (const row of rows) sum += row[1];
  return { a, copy, read, sum };
};
const compiled = compile(f);

export const main = () => [
  compiled(new Float64Array([1, 2, 3]), true),
  compiled(new Float64Array([1, 2, 3]), false),
];
