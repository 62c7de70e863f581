import { compile } from "fluxion";

/** Every arithmetic operator, exactly as JavaScript computes it. */
const f = (a: number, b: number) => {
  const sum = a + b - 3;
  const product = (a * b) / 7;
  return { sum, product, rest: a % b, power: a ** 2, negated: -a, plus: +b };
};
const compiled = compile(f);

export const main = () => [
  compiled(1.5, 2.25),
  compiled(-7.3, 0.1),
  compiled(0, -5),
  compiled(NaN, 1),
];
export const tolerance = 1e-15;
