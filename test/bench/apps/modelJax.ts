/** A multilayer perceptron and its loss, on jax-js. */

import { defaultDevice, init, nn, numpy as np } from "@jax-js/jax";
import { extents, initialWeights } from "./digits.ts";

export type Arrays = Record<string, np.Array>;

await init("wasm");
defaultDevice("wasm");

export function parameters(): Arrays {
  const all: Arrays = {};
  initialWeights().forEach(([w, b], k) => {
    all[`w${k}`] = np.array(w as never).reshape([extents[k], extents[k + 1]]);
    all[`b${k}`] = np.array(b as never);
  });
  return all;
}

export function loss(p: Arrays, x: np.Array, y: np.Array): np.Array {
  const [batch] = x.shape;
  let h = x;
  for (let k = 0; k < 3; k++) {
    h = np.matmul(h, p[`w${k}`]).add(p[`b${k}`]);
    if (k < 2) h = nn.relu(h);
  }
  return nn
    .logSoftmax(h)
    .mul(y)
    .sum()
    .mul(-1 / batch);
}
