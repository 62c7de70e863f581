import { compile } from "fluxion";

const f = (a: number, b: number) => {
  let h = a | 0;
  h ^= b << 3;
  h = (h >>> 5) + (h >> 2);
  h &= 0xffff;
  return { h, and: a & b, or: a | b, not: ~a, unsigned: (a - b) >>> 0, zeros: Math.clz32(a) };
};
const compiled = compile(f);

export const main = () =>
  [
    [5, 3],
    [-5, 31],
    [2 ** 31 + 7, -1],
    [2 ** 40 + 3, 33],
    [NaN, 2.7],
    [-2.9, 1.5],
    [0, 0],
  ].map(([a, b]) => compiled(a, b));
