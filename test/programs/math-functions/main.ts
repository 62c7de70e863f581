import { compile } from "fluxion";

const f = (x: number, y: number) => [
  Math.abs(x),
  Math.atan2(x, y),
  Math.cbrt(x),
  Math.ceil(x),
  Math.cos(x),
  Math.exp(x),
  Math.expm1(x),
  Math.floor(x),
  Math.fround(x),
  Math.hypot(x, y),
  Math.hypot(x, y, 2),
  Math.imul(x, y),
  Math.log(Math.abs(x)),
  Math.log1p(Math.abs(x)),
  Math.log2(Math.abs(x)),
  Math.log10(Math.abs(x)),
  Math.max(x, y, 0.5),
  Math.min(x, y),
  Math.pow(Math.abs(x), y),
  Math.round(x),
  Math.sign(x),
  Math.sin(x),
  Math.sqrt(Math.abs(x)),
  Math.tan(x),
  Math.tanh(x),
  Math.trunc(x),
  Math.PI * x,
  Math.sinh(x) + Math.cosh(y),
  Math.asin(Math.tanh(x)) + Math.acos(Math.tanh(y)) + Math.atan(x),
  Math.asinh(x) + Math.acosh(1 + Math.abs(y)) + Math.atanh(Math.tanh(x)),
];
const compiled = compile(f);

export const main = () => [compiled(0.7, 2), compiled(-2.5, 3.25), compiled(1e-3, -0.5)];
export const tolerance = 1e-14;
