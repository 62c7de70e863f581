import { compile } from "fluxion";

const f = (x: number[], k: number) => {
  let tested = 0;
  const test = (value: number) => {
    tested++;
    return value > 2;
  };
  const safe = k < x.length && x[k] > 0;
  const either = test(k) || test(x.length);
  const number = k || 7;
  const both = k && 5;
  let chosen = k > 1 ? 10 : 20;
  chosen ||= 3;
  const known: number | undefined = undefined;
  return { safe, either, tested, number, both, chosen, fallback: known ?? 4 };
};
const compiled = compile(f);

export const main = () => [0, 1, 2, 3, 5].map((k) => compiled([1, -2, 3], k));
