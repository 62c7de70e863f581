/** Trains a multilayer perceptron on digits, and prints the last loss. */

import { compile, type Dim, type Tensor, tensor, valueAndGrad } from "fluxion";
import { type Adam, adam, initAdam } from "fluxion/optim";
import { digits, extents, initialWeights, training } from "./digits.ts";
import { loss, type Params } from "./modelFluxion.ts";

const begin = compile((p: Params) => initAdam(p));
const step = compile(
  <B extends Dim>(p: Params, s: Adam<Params>, x: Tensor<[B, 784]>, y: Tensor<[B], "i32">) => {
    const [value, gradient] = valueAndGrad(loss)(p, x, y);
    const next = adam(p, gradient, s, { learningRate: 1e-3, epsilon: 1e-7 });
    return { value, params: next.params, state: next.state };
  },
  { donateArgnums: [0, 1] },
);

const { batch, batches, steps } = training;
const [first, second, last] = initialWeights().map(([w, b], k) => ({
  w: tensor(w, [extents[k], extents[k + 1]]),
  b: tensor(b),
}));
let params: Params = { first, second, last };
let state = begin(params);
const data = Array.from({ length: batches }, (_, k) => {
  const { images, labels } = digits(batch, k);
  return { x: tensor(images, [batch, 784]), y: tensor(labels, [batch], "i32") };
});
let final = NaN;
for (let k = 0; k < steps; k++) {
  const { x, y } = data[k % batches];
  const next = step(params, state, x, y);
  ({ params, state } = next);
  [final] = await next.value.data();
}
console.log(final);
