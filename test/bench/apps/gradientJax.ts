/** Prints the sum of a bias's gradient of a multilayer perceptron, with jax-js. */

import { grad, numpy as np } from "@jax-js/jax";
import { batchOfGradient, digits, hot } from "./digits.ts";
import { type Arrays, loss, parameters } from "./modelJax.ts";

const gradient = grad(loss as never) as unknown as (...args: unknown[]) => Arrays;
const { images, labels } = digits(batchOfGradient, 0);
const slopes = gradient(
  parameters(),
  np.array(images).reshape([batchOfGradient, 784]),
  np.array(hot(labels)).reshape([batchOfGradient, 10]),
);
console.log(((await slopes["b1"].data()) as Float32Array).reduce((sum, value) => sum + value, 0));
