import { compile } from "fluxion";

const f = (a: number, b: number, c: boolean) => ({
  less: a < b,
  lessEqual: a <= b,
  greater: a > b,
  greaterEqual: a >= b,
  equal: a === b,
  notEqual: a !== b,
  loose: a == b,
  not: !c,
  and: c && a < b,
  or: c || a < b,
  same: c === a > b,
});
const compiled = compile(f);

export const main = () =>
  [
    [1, 2],
    [2, 1],
    [2, 2],
    [NaN, 1],
    [0, -0],
  ].flatMap(([a, b]) => [compiled(a, b, true), compiled(a, b, false)]);
