/** A multilayer perceptron 784-256-128-10 and a training step of it, by Adam. */

import { compile, type Dim, type Tensor, tensor, valueAndGrad } from "fluxion";
import { type Dense, dense, softmaxCrossEntropy } from "fluxion/nn";
import { type Adam, adam, initAdam } from "fluxion/optim";
import type { Data } from "../data.ts";
import type { Step } from "../harness.ts";
import { firstOf, toTensor } from "./support.ts";

interface Params {
  readonly first: Dense<784, 256>;
  readonly second: Dense<256, 128>;
  readonly last: Dense<128, 10>;
}

function loss<B extends Dim>(p: Params, x: Tensor<[B, 784]>, y: Tensor<[B], "i32">) {
  const h1 = dense(p.first, x).relu();
  const h2 = dense(p.second, h1).relu();
  return softmaxCrossEntropy(dense(p.last, h2), y).mean();
}

const step = compile(
  <B extends Dim>(p: Params, s: Adam<Params>, x: Tensor<[B, 784]>, y: Tensor<[B], "i32">) => {
    const [value, gradient] = valueAndGrad(loss)(p, x, y);
    const next = adam(p, gradient, s, { learningRate: 1e-3, epsilon: 1e-7 });
    return { value, params: next.params, state: next.state };
  },
  { donateArgnums: [0, 1] },
);

const begin = compile((p: Params) => initAdam(p));

/** Training on one batch of rows of pixels. */
export function train(
  weights: readonly Data[],
  biases: readonly Data[],
  images: Data,
  classes: Int32Array,
): Step {
  const layer = <I extends Dim, O extends Dim>(k: number): Dense<I, O> => ({
    w: toTensor(weights[k]),
    b: toTensor(biases[k]),
  });
  let params: Params = { first: layer(0), second: layer(1), last: layer(2) };
  let state = begin(params);
  const x = toTensor(images);
  const y = tensor(classes, [classes.length], "i32");
  return () => {
    const next = step(params, state, x, y);
    ({ params, state } = next);
    return firstOf(next.value);
  };
}
