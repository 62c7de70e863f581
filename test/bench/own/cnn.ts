/** A convolutional network for 28 × 28 digits and a training step of it. */

import { compile, conv2d, type Dim, maxPool2d, type Tensor, tensor, valueAndGrad } from "fluxion";
import { softmaxCrossEntropy } from "fluxion/nn";
import { sgd } from "fluxion/optim";
import type { Data } from "../data.ts";
import type { Step } from "../harness.ts";
import { firstOf, toTensor } from "./support.ts";

interface Params {
  readonly k1: Tensor<[5, 5, 1, 8]>;
  readonly k2: Tensor<[5, 5, 8, 16]>;
  readonly wd: Tensor<[784, 10]>;
  readonly b: Tensor<[10]>;
}

function loss<B extends Dim>(p: Params, x: Tensor<[B, 28, 28, 1]>, y: Tensor<[B], "i32">) {
  const h1 = maxPool2d(conv2d(x, p.k1, { padding: "same" }).relu(), 2);
  const h2 = maxPool2d(conv2d(h1, p.k2, { padding: "same" }).relu(), 2);
  const flat = h2.reshape([x.shape[0], 784]);
  return softmaxCrossEntropy(flat.matmul(p.wd).add(p.b), y).mean();
}

const step = compile(
  <B extends Dim>(p: Params, x: Tensor<[B, 28, 28, 1]>, y: Tensor<[B], "i32">) => {
    const [value, gradient] = valueAndGrad(loss)(p, x, y);
    return { value, params: sgd(p, gradient, { learningRate: 0.01 }) };
  },
  { donateArgnums: [0] },
);

/** Training on one batch of images. */
export function train(
  data: Readonly<Record<keyof Params, Data>>,
  images: Data,
  classes: Int32Array,
): Step {
  let params: Params = {
    k1: toTensor(data.k1),
    k2: toTensor(data.k2),
    wd: toTensor(data.wd),
    b: toTensor(data.b),
  };
  const x = toTensor(images);
  const y = tensor(classes, [classes.length], "i32");
  return () => {
    const next = step(params, x, y);
    ({ params } = next);
    return firstOf(next.value);
  };
}
