import { compile } from "fluxion";

const power = 3;
function apply<T>(f: (x: T) => number, x: T): number {
  return f(x);
}
function sumOf(...values: number[]) {
  let sum = 0;
  for (const value of values) sum += value;
  return sum;
}
const withDefaults = (x: number, options: { scale?: number; shift?: number } = {}) => {
  const { scale = 2, shift = 1 } = options;
  return x * scale + shift;
};
const compose =
  (f: (x: number) => number, g: (x: number) => number) =>
  (x: number): number =>
    f(g(x));

const f = (x: number) => {
  let calls = 0;
  const square = (value: number) => {
    calls++;
    return value * value;
  };
  function cube(value: number) {
    return value ** power;
  }
  const both = compose(
    square,
    compose(cube, (v) => v + 1),
  );
  return [
    apply(square, x),
    apply(cube, x),
    sumOf(x, 1, 2),
    withDefaults(x),
    withDefaults(x, { scale: 10 }),
    both(x),
    calls,
  ];
};
const compiled = compile(f);

export const main = () => [compiled(2), compiled(-0.5)];
