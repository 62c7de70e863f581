/** A multilayer perceptron and its loss, on TensorFlow.js: its core and its WebAssembly backend. */

import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import { extents, initialWeights } from "./digits.ts";

const folder = globalThis.process?.env["TFJS_WASM"];
if (folder !== undefined) setWasmPaths(folder);
await tf.setBackend("wasm");
await tf.ready();
tf.enableProdMode();

const layers = initialWeights().map(([w, b], k) => ({
  w: tf.variable(tf.tensor2d(w, [extents[k], extents[k + 1]])),
  b: tf.variable(tf.tensor1d(b)),
}));
export const variables = layers.flatMap(({ w, b }) => [w, b]);

export function loss(x: tf.Tensor2D, y: tf.Tensor2D): tf.Scalar {
  let h: tf.Tensor2D = x;
  layers.forEach(({ w, b }, k) => {
    h = tf.fused.matMul({
      a: h,
      b: w,
      bias: b,
      activation: k < 2 ? "relu" : "linear",
    }) as tf.Tensor2D;
  });
  return tf.losses.softmaxCrossEntropy(y, h);
}
