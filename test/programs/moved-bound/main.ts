import { compile } from "fluxion";

/** Loops that do not count: the counter or the bound is written in the body. */
const f = (n: number) => {
  let sum = 0;
  for (let i = 0; i < n; i++) {
    if (i === 2) i += 2;
    sum += i;
  }
  let limit = n;
  let turns = 0;
  for (let i = 0; i < limit; i++) {
    if (i % 2 === 0) limit -= 1;
    turns++;
  }
  let x = 1;
  for (; x < 100;) x *= 3;
  let a = 0;
  for (let i = 0, j = 10; i < j; i++, j--) a += i * j;
  return [sum, turns, x, a];
};
const compiled = compile(f);

export const main = () => [compiled(6), compiled(0), compiled(2.5)];
