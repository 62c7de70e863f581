import { compile } from "fluxion";

const f = (n: number) => {
  let steps = 0;
  while (n !== 1) {
    n = n % 2 === 0 ? n / 2 : 3 * n + 1;
    steps++;
  }
  let digits = 0;
  let rest = steps;
  do {
    digits++;
    rest = Math.floor(rest / 10);
  } while (rest > 0);
  let down = 5;
  let product = 1;
  while (down-- > 1) product *= down;
  return [steps, digits, product];
};
const compiled = compile(f);

export const main = () => [compiled(1), compiled(6), compiled(27)];
