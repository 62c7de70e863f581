/** Trains a multilayer perceptron on digits with TensorFlow.js, and prints the last loss. */

import * as tf from "@tensorflow/tfjs-core";
import { digits, hot, training } from "./digits.ts";
import { loss } from "./modelTfjs.ts";

const { batch, batches, steps } = training;
const data = Array.from({ length: batches }, (_, k) => {
  const { images, labels } = digits(batch, k);
  return { x: tf.tensor2d(images, [batch, 784]), y: tf.tensor2d(hot(labels), [batch, 10]) };
});
const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-7);
let final = NaN;
for (let k = 0; k < steps; k++) {
  const { x, y } = data[k % batches];
  const value = optimizer.minimize(() => loss(x, y), true)!;
  [final] = await value.data();
  value.dispose();
}
console.log(final);
