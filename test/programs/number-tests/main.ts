import { compile } from "fluxion";

const f = (x: number) => ({
  nan: Number.isNaN(x),
  finite: Number.isFinite(x),
  integer: Number.isInteger(x),
  truthy: x ? 1 : 0,
  boolean: Boolean(x),
  epsilon: x > Number.EPSILON,
  global: isNaN(x) || isFinite(x),
});
const compiled = compile(f);

export const main = () => [0, -0, 1, 1.5, NaN, Infinity, -Infinity].map((x) => compiled(x));
