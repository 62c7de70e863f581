/** A small convolutional network for 28 × 28 digits, after LeNet. */

import { compile, type Dim, maxPool2d, type Tensor, valueAndGrad } from "fluxion";
import {
  type Conv2d,
  convolution,
  type Dense,
  dense,
  initConv2d,
  initDense,
  softmaxCrossEntropy,
} from "fluxion/nn";
import { type Adam, adam, initAdam } from "fluxion/optim";
import { type Key, key, split } from "fluxion/random";

export interface Params {
  readonly first: Conv2d<5, 5, 1, 8>;
  readonly second: Conv2d<5, 5, 8, 16>;
  readonly last: Dense<784, 10>;
}

/** Pixels are bytes, 0 … 255. */
type Images<B extends Dim> = Tensor<[B, 784], "u8">;
type Labels<B extends Dim> = Tensor<[B], "i32">;

function predict<B extends Dim>(p: Params, images: Images<B>): Tensor<[B, 10]> {
  const x = images
    .cast("f32")
    .mul(1 / 255)
    .reshape([images.shape[0], 28, 28, 1]);
  const h1 = maxPool2d(convolution(p.first, x, { padding: "same" }).relu(), 2);
  const h2 = maxPool2d(convolution(p.second, h1, { padding: "same" }).relu(), 2);
  return dense(p.last, h2.reshape([images.shape[0], 7 * 7 * 16]));
}

function loss<B extends Dim>(p: Params, images: Images<B>, labels: Labels<B>): Tensor<[]> {
  return softmaxCrossEntropy(predict(p, images), labels).mean();
}

/** The first weights. A seed is a double, which WebGPU does not have. */
export const init = compile(
  (seed: number) => {
    const [a, b, c] = split(key(seed), 3) as [Key, Key, Key];
    const params: Params = {
      first: initConv2d(a, 5, 5, 1, 8),
      second: initConv2d(b, 5, 5, 8, 16),
      last: initDense(c, 784, 10),
    };
    return { params, state: initAdam(params) };
  },
  { target: "wasm" },
);

export const step = compile(
  <B extends Dim>(p: Params, s: Adam<Params>, images: Images<B>, labels: Labels<B>) => {
    const [value, gradient] = valueAndGrad(loss)(p, images, labels);
    const next = adam(p, gradient, s, { learningRate: 2e-3 });
    return { loss: value, params: next.params, state: next.state };
  },
  { donateArgnums: [0, 1] },
);

export const classify = compile(<B extends Dim>(p: Params, images: Images<B>) =>
  predict(p, images).argmax(),
);
