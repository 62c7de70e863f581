/** Trains a multilayer perceptron on digits with jax-js, and prints the last loss. */

import { jit, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { digits, hot, training } from "./digits.ts";
import { type Arrays, loss, parameters } from "./modelJax.ts";

const differentiated = valueAndGrad(loss as never) as unknown as (
  ...args: unknown[]
) => [np.Array, Arrays];
const together = (p: Arrays, m: Arrays, v: Arrays, c: np.Array, x: np.Array, y: np.Array) => {
  const [value, g] = differentiated(tree.ref(p), x, y);
  const [c1, c2] = np.split(c, 2, 0) as [np.Array, np.Array];
  const [p2, m2, v2]: Arrays[] = [{}, {}, {}];
  for (const k in p) {
    m2[k] = m[k].mul(0.9).add(g[k].ref.mul(0.1));
    v2[k] = v[k].mul(0.999).add(g[k].ref.mul(g[k]).mul(0.001));
    const root = np.sqrt(v2[k].ref.mul(c2.ref)).add(1e-7);
    p2[k] = p[k].sub(m2[k].ref.mul(c1.ref).div(root).mul(1e-3));
  }
  c1.dispose();
  c2.dispose();
  return [value, p2, m2, v2];
};
const update = jit(together as never) as unknown as (
  ...args: unknown[]
) => [np.Array, Arrays, Arrays, Arrays];

const { batch, batches, steps } = training;
let p = parameters();
const zeros = (): Arrays =>
  Object.fromEntries(Object.entries(p).map(([k, value]) => [k, np.zerosLike(value.ref)]));
let [m, v] = [zeros(), zeros()];
const data = Array.from({ length: batches }, (_, k) => {
  const { images, labels } = digits(batch, k);
  return {
    x: np.array(images).reshape([batch, 784]),
    y: np.array(hot(labels)).reshape([batch, 10]),
  };
});
let final = NaN;
for (let k = 0; k < steps; k++) {
  const { x, y } = data[k % batches];
  const unbiased = Float32Array.of(1 / (1 - 0.9 ** (k + 1)), 1 / (1 - 0.999 ** (k + 1)));
  const next = update(p, m, v, np.array(unbiased), x.ref, y.ref);
  [, p, m, v] = next;
  final = (await next[0].data())[0] as number;
}
console.log(final);
