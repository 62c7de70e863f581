/** Linear regression with loops over typed arrays: the gradient is taken through the loops. */

import { compile, valueAndGrad } from "fluxion";

export interface Line {
  readonly weights: Float64Array;
  readonly bias: number;
}

/** The mean squared error of ŷ = w·x + b over the rows of `xs`, [rows × features] flat. */
function loss(line: Line, xs: Float64Array, ys: Float64Array): number {
  const features = line.weights.length;
  let total = 0;
  for (let row = 0; row < ys.length; row++) {
    let prediction = line.bias;
    for (let k = 0; k < features; k++) {
      prediction += line.weights[k] * xs[row * features + k];
    }
    const error = prediction - ys[row];
    total += error * error;
  }
  return total / ys.length;
}

/** One step of gradient descent. */
export function descend(line: Line, xs: Float64Array, ys: Float64Array, rate: number) {
  const [value, gradient] = valueAndGrad(loss)(line, xs, ys);
  const weights = new Float64Array(line.weights.length);
  for (let k = 0; k < weights.length; k++) {
    weights[k] = line.weights[k] - rate * gradient.weights[k];
  }
  return { value, line: { weights, bias: line.bias - rate * gradient.bias } };
}

const step = compile(descend);

// Data from a known line with a little noise, the same on every run: points of a lattice that
// fills the cube evenly, by multiples of irrational numbers.
const truth = { weights: [1.5, -2, 0.5], bias: 0.7 };
const rows = 200;
export const xs = Float64Array.from({ length: rows * 3 }, (_, k) => {
  const step = Math.sqrt([2, 3, 5][k % 3]);
  return 4 * ((Math.floor(k / 3) * step) % 1) - 2;
});
export const ys = Float64Array.from({ length: rows }, (_, row) => {
  const clean = truth.weights.reduce((sum, w, k) => sum + w * xs[row * 3 + k], truth.bias);
  return clean + 0.05 * Math.cos(row * row);
});

let line: Line = { weights: new Float64Array(3), bias: 0 };
for (let epoch = 0; epoch <= 100; epoch++) {
  const next = step(line, xs, ys, 0.1);
  if (epoch % 20 === 0) console.log(`step ${epoch}: loss ${next.value.toFixed(6)}`);
  line = next.line;
}
const found = Array.from(line.weights, (w) => w.toFixed(3)).join(", ");
console.log(`found weights ${found} and bias ${line.bias.toFixed(3)}`);
console.log(`true  weights ${truth.weights.join(", ")} and bias ${truth.bias}`);
