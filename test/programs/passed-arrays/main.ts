import { compile } from "fluxion";

/** Inner functions write the arrays that they are given. */
function step(x: Float64Array, out: Float64Array) {
  for (let i = 0; i < x.length; i++) {
    const left = i === 0 ? 0 : x[i - 1];
    const right = i === x.length - 1 ? 0 : x[i + 1];
    out[i] = x[i] + 0.25 * (left - 2 * x[i] + right);
  }
}

/** Two arrays that are swapped: a move, without a copy. */
const diffuse = (start: Float64Array, steps: number) => {
  let a = start.slice();
  let b = new Float64Array(start.length);
  for (let t = 0; t < steps; t++) {
    step(a, b);
    const swapped = a;
    a = b;
    b = swapped;
  }
  return a;
};
const compiled = compile(diffuse);

export const main = () => [
  compiled(new Float64Array([0, 0, 1, 0, 0]), 3),
  compiled(new Float64Array([1, 2]), 0),
];
