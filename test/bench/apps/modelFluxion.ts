/** A multilayer perceptron and its loss. */

import type { Dim, Tensor } from "fluxion";
import { type Dense, dense, softmaxCrossEntropy } from "fluxion/nn";

export interface Params {
  readonly first: Dense<784, 256>;
  readonly second: Dense<256, 128>;
  readonly last: Dense<128, 10>;
}

export function loss<B extends Dim>(p: Params, x: Tensor<[B, 784]>, y: Tensor<[B], "i32">) {
  const h1 = dense(p.first, x).relu();
  const h2 = dense(p.second, h1).relu();
  return softmaxCrossEntropy(dense(p.last, h2), y).mean();
}
