/** Logistic regression by gradient descent, written as loops over typed arrays. */

import { compile, valueAndGrad } from "fluxion";
import type { Step } from "../harness.ts";

type Numbers = Float64Array | Float32Array;

/** mean(ln(1 + e^z) - y z) of z = X w + b; the rows of X are one after another. */
function loss(w: Numbers, b: number, x: Numbers, y: Numbers): number {
  let total = 0;
  for (let i = 0; i < y.length; i++) {
    let z = b;
    for (let j = 0; j < w.length; j++) z += x[i * w.length + j] * w[j];
    total += Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))) - y[i] * z;
  }
  return total / y.length;
}

/** The parameters after some steps of gradient descent, and the loss before each. */
function descend<A extends Numbers>(start: A, offset: number, x: A, y: A, steps: number) {
  const w = start.slice() as A;
  let b = offset;
  const losses = new Float64Array(steps);
  for (let k = 0; k < steps; k++) {
    const [value, [dw, db]] = valueAndGrad(loss, { argnums: [0, 1] })(w, b, x, y);
    for (let j = 0; j < w.length; j++) w[j] -= 0.1 * dw[j];
    b -= 0.1 * db;
    losses[k] = value;
  }
  return { w, b, losses };
}

const descend64 = compile(
  (w: Float64Array, b: number, x: Float64Array, y: Float64Array, steps: number) =>
    descend(w, b, x, y, steps),
  { reassociate: true },
);
const descend32 = compile(
  (w: Float32Array, b: number, x: Float32Array, y: Float32Array, steps: number) =>
    descend(w, b, x, y, steps),
  { reassociate: true },
);

type Fit<A> = (
  w: A,
  b: number,
  x: A,
  y: A,
  steps: number,
) => { w: A; b: number; losses: Float64Array };

/** Goes on by some steps each time; the last loss. */
function going<A>(fit: Fit<A>, start: A, offset: number, x: A, y: A, steps: number): Step {
  let [w, b] = [start, offset];
  return () => {
    const next = fit(w, b, x, y, steps);
    ({ w, b } = next);
    return next.losses[steps - 1];
  };
}

export function fit64(
  w: Float32Array,
  b: number,
  x: Float32Array,
  y: Float32Array,
  steps: number,
): Step {
  const doubles = (array: Float32Array) => Float64Array.from(array);
  return going(descend64, doubles(w), b, doubles(x), doubles(y), steps);
}

export function fit32(
  w: Float32Array,
  b: number,
  x: Float32Array,
  y: Float32Array,
  steps: number,
): Step {
  return going(descend32, w, b, x, y, steps);
}
