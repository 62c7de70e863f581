/**
 * One training step of an MLP 784-256-128-10: ReLU, softmax cross-entropy, Adam, reading the loss.
 * Adam's ε is 1e-7 everywhere.
 */

import { type Data, labels, oneHot, uniform } from "../data.ts";
import type { Workload } from "../harness.ts";
import { loadJax, loadTfjs } from "../peers.ts";

const extents = [784, 256, 128, 10] as const;
const weights = [0, 1, 2].map((k) => {
  const [inputs, outputs] = [extents[k] ?? 0, extents[k + 1] ?? 0];
  return uniform([inputs, outputs], 1 + k, Math.sqrt(2 / inputs));
});
const biases = [0, 1, 2].map((k) => uniform([extents[k + 1] ?? 0], 11 + k, 0.05));

export const workloads: readonly Workload[] = [32, 128].map(mlp);

function mlp(batch: number): Workload {
  const images = () => uniform([batch, 784], 100, 0.5, 0.5);
  const inFirst = 784 * 256;
  const products = inFirst + 256 * 128 + 128 * 10;
  return {
    name: `mlp-train-b${batch}`,
    // Forward and two adjoint products, but no adjoint of the images.
    flops: 6 * batch * products - 2 * batch * inFirst,
    systems: {
      "fluxion-wasm": async () => {
        const { train } = await import("../own/mlp.ts");
        return train(weights, biases, images(), labels(batch, 10));
      },
      "jax-js-wasm": () => jaxStep(images(), oneHot(batch, 10), batch),
      "tfjs-wasm": () => tfjsStep(images(), oneHot(batch, 10)),
    },
  };
}

async function jaxStep(images: Data, hot: Data, batch: number) {
  const { numpy: np, nn, jit, valueAndGrad, tree } = await loadJax();
  type Arrays = Record<string, ReturnType<typeof np.array>>;
  const vag = valueAndGrad as unknown as (f: unknown) => (...args: unknown[]) => [unknown, Arrays];
  const array = ({ data, shape }: Data) => np.array(data).reshape([...shape]);
  const zeros = (like: Arrays): Arrays =>
    Object.fromEntries(Object.entries(like).map(([k, v]) => [k, np.zerosLike(v.ref)]));
  let p: Arrays = {};
  weights.forEach((w, k) => (p[`w${k}`] = array(w)));
  biases.forEach((b, k) => (p[`b${k}`] = array(b)));
  let [m, v] = [zeros(p), zeros(p)];
  const [x, y] = [array(images), array(hot)];
  const cost = (q: Arrays, x: typeof images, y: typeof hot) => {
    let h: ReturnType<typeof np.array> = x as never;
    for (let k = 0; k < 3; k++) {
      h = np.matmul(h, q[`w${k}`]!).add(q[`b${k}`]!);
      if (k < 2) h = nn.relu(h);
    }
    return nn
      .logSoftmax(h)
      .mul(y as never)
      .sum()
      .mul(-1 / batch);
  };
  const together = (p: Arrays, m: Arrays, v: Arrays, c: never, x: never, y: never) => {
    const [loss, g] = vag(cost)(tree.ref(p), x, y);
    const [c1, c2] = np.split(c, 2, 0) as [
      ReturnType<typeof np.array>,
      ReturnType<typeof np.array>,
    ];
    const [p2, m2, v2]: Arrays[] = [{}, {}, {}];
    for (const k in p) {
      const mk = m[k]!.mul(0.9).add(g[k]!.ref.mul(0.1));
      const vk = v[k]!.mul(0.999).add(g[k]!.ref.mul(g[k]!).mul(0.001));
      const root = np.sqrt(vk.ref.mul(c2.ref)).add(1e-7);
      p2![k] = p[k]!.sub(mk.ref.mul(c1.ref).div(root).mul(1e-3));
      m2![k] = mk;
      v2![k] = vk;
    }
    c1.dispose();
    c2.dispose();
    return [loss, p2, m2, v2];
  };
  const update = jit(together as never) as unknown as (
    ...args: unknown[]
  ) => [ReturnType<typeof np.array>, Arrays, Arrays, Arrays];
  let t = 0;
  return async () => {
    t++;
    const c = np.array(new Float32Array([1 / (1 - 0.9 ** t), 1 / (1 - 0.999 ** t)]));
    const next = update(p, m, v, c, x.ref, y.ref);
    [, p, m, v] = next;
    return (await next[0].data())[0] as number;
  };
}

async function tfjsStep(images: Data, hot: Data) {
  const tf = await loadTfjs();
  const variables = (list: readonly Data[]) =>
    list.map(({ data, shape }) => tf.variable(tf.tensor(data, [...shape])));
  const [w, b] = [variables(weights), variables(biases)];
  const x = tf.tensor2d(images.data, images.shape as [number, number]);
  const y = tf.tensor2d(hot.data, hot.shape as [number, number]);
  const optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-7);
  const cost = () => {
    let h: import("@tensorflow/tfjs").Tensor = x;
    for (let k = 0; k < 3; k++) {
      h = tf.fused.matMul({
        a: h as never,
        b: w[k] as never,
        bias: b[k] as never,
        activation: k < 2 ? "relu" : "linear",
      });
    }
    return tf.losses.softmaxCrossEntropy(y, h) as import("@tensorflow/tfjs").Scalar;
  };
  return async () => {
    const loss = optimizer.minimize(cost, true);
    const value = (await loss!.data())[0];
    loss!.dispose();
    return value ?? NaN;
  };
}
