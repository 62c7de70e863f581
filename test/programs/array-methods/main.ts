import { compile } from "fluxion";

const f = (x: Float64Array, y: number[]) => {
  const squares = x.map((value, i) => value * value + i);
  const total = squares.reduce((sum, value) => sum + value, 0);
  const largest = y.reduce((best, value) => Math.max(best, value));
  let weighted = 0;
  y.forEach((value, i) => {
    weighted += value * i;
  });
  const filled = new Float64Array(3).fill(2.5);
  const middle = x.slice(1, -1);
  const tail = y.slice(1);
  const generated = Array.from({ length: 3 }, (_, i) => i * y[0]);
  const typed = Float64Array.from(generated);
  const some = x.some((value) => value > 3);
  const every = y.every((value) => value > 0);
  return {
    squares,
    total,
    largest,
    weighted,
    filled,
    middle,
    tail,
    generated,
    typed,
    some,
    every,
    last: x.at(-1),
  };
};
const compiled = compile(f);

export const main = () => compiled(new Float64Array([1, 2, 3.5, 4]), [5, 1, 2]);
