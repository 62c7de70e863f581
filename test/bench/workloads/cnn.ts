/**
 * One training step of a LeNet-like network: 5×5 convolutions 1→8→16 with ReLU and 2×2 max pools,
 * dense 784→10, softmax cross-entropy, SGD, reading the loss.
 *
 * The data is laid out as NCHW; we and TensorFlow.js use NHWC, so its kernels and the rows of the
 * dense layer are permuted.
 */

import { type Data, labels, oneHot, permute, uniform } from "../data.ts";
import type { Workload } from "../harness.ts";
import { loadJax, loadTfjs } from "../peers.ts";

// Laid out as NCHW
const data = {
  k1: uniform([8, 1, 5, 5], 1, 0.2),
  k2: uniform([16, 8, 5, 5], 2, 0.1),
  wd: uniform([784, 10], 3, 0.05),
  b: uniform([10], 4, 0.01),
};
// As NHWC
const permuted = {
  k1: permute(data.k1, [2, 3, 1, 0]),
  k2: permute(data.k2, [2, 3, 1, 0]),
  wd: {
    shape: [784, 10],
    data: permute({ shape: [16, 7, 7, 10], data: data.wd.data }, [1, 2, 0, 3]).data,
  },
  b: data.b,
};

const batch = 64;
const images = uniform([batch, 1, 28, 28], 100, 0.5, 0.5);
const hot = oneHot(batch, 10);

export const workloads: readonly Workload[] = [
  {
    name: `cnn-train-b${batch}`,
    flops:
      6 * batch * (28 * 28 * 8 * 25 + 14 * 14 * 16 * 25 * 8 + 784 * 10) -
      2 * batch * 28 * 28 * 8 * 25,
    systems: {
      "fluxion-wasm": async () => {
        const { train } = await import("../own/cnn.ts");
        const x = { data: images.data, shape: [batch, 28, 28, 1] };
        return train(permuted, x, labels(batch, 10));
      },
      "jax-js-wasm": jaxStep,
      "tfjs-wasm": tfjsStep,
    },
    notes: {
      "jax-js-wasm": "convolutions written as one matrix product, its fastest form",
      "tfjs-wasm": "convolutions written as im2col products: it has no filter gradient on wasm",
    },
  },
];

async function jaxStep() {
  const { numpy: np, nn, jit, valueAndGrad, tree } = await loadJax();
  type A = ReturnType<typeof np.array>;
  const vag = valueAndGrad as unknown as (
    f: unknown,
  ) => (...args: unknown[]) => [A, Record<string, A>];
  const array = ({ data, shape }: Data): A => np.array(data).reshape([...shape]);
  let p: Record<string, A> = {};
  for (const [name, value] of Object.entries(data)) p[name] = array(value);
  const [x, y] = [array(images), array(hot)];
  const pool = (h: A): A => {
    const [n, c, height, width] = h.shape as [number, number, number, number];
    return np.max(h.reshape([n, c, height / 2, 2, width / 2, 2]), [3, 5] as never);
  };
  // [out, 25 in] × [25 in, batch · pixels]
  const conv = (h: A, k: A): A => {
    const [n, c, height, width] = h.shape as [number, number, number, number];
    const outputs = k.shape[0] as number;
    const padded = np.pad(h.transpose([1, 0, 2, 3]), { 2: [2, 2], 3: [2, 2] } as never);
    const columns: A[] = [];
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 5; j++) {
        const part = padded.ref.slice([], [], [i, i + height], [j, j + width]);
        columns.push(part.reshape([c, 1, n * height * width]));
      }
    }
    padded.dispose();
    const flat = np.concatenate(columns, 1).reshape([c * 25, n * height * width]);
    return np
      .matmul(k.reshape([outputs, c * 25]), flat)
      .reshape([outputs, n, height, width])
      .transpose([1, 0, 2, 3]);
  };
  const cost = (q: Record<string, A>, x: A, y: A): A => {
    const h1 = pool(nn.relu(conv(x, q["k1"]!)));
    const h2 = pool(nn.relu(conv(h1, q["k2"]!)));
    const logits = np.matmul(h2.reshape([batch, 784]), q["wd"]!).add(q["b"]!);
    return nn
      .logSoftmax(logits)
      .mul(y)
      .sum()
      .mul(-1 / batch);
  };
  const update = jit((p: Record<string, A>, x: A, y: A) => {
    const [loss, g] = vag(cost)(tree.ref(p), x, y);
    const next: Record<string, A> = {};
    for (const k in p) next[k] = p[k]!.sub(g[k]!.mul(0.01));
    return [loss, next];
  }) as unknown as (...args: unknown[]) => [A, Record<string, A>];
  return async () => {
    const next = update(p, x.ref, y.ref);
    [, p] = next;
    return (await next[0].data())[0] as number;
  };
}

async function tfjsStep() {
  const tf = await loadTfjs();
  type T = import("@tensorflow/tfjs").Tensor;
  const variable = ({ data, shape }: Data) => tf.variable(tf.tensor(data, [...shape]));
  const k1 = variable(permuted.k1);
  const k2 = variable(permuted.k2);
  const wd = variable(permuted.wd);
  const b = variable(permuted.b);
  const x = tf.tensor(images.data, [batch, 28, 28, 1]);
  const y = tf.tensor2d(hot.data, [batch, 10]);
  const conv = (h: T, k: T): T => {
    const [n, height, width, c] = h.shape as [number, number, number, number];
    const outputs = k.shape[3] as number;
    const padded = tf.pad(h, [
      [0, 0],
      [2, 2],
      [2, 2],
      [0, 0],
    ]);
    const columns: T[] = [];
    for (let i = 0; i < 5; i++) {
      for (let j = 0; j < 5; j++) {
        columns.push(tf.slice(padded, [0, i, j, 0], [n, height, width, c]));
      }
    }
    const flat = tf.reshape(tf.concat(columns, 3), [n * height * width, 25 * c]);
    const product = tf.matMul(flat as never, tf.reshape(k, [25 * c, outputs]));
    return tf.reshape(product, [n, height, width, outputs]);
  };
  const pool = (h: T): T => tf.maxPool(h as import("@tensorflow/tfjs").Tensor4D, 2, 2, "valid");
  const cost = () => {
    const h1 = pool(tf.relu(conv(x, k1)));
    const h2 = pool(tf.relu(conv(h1, k2)));
    const logits = tf.add(tf.matMul(tf.reshape(h2, [batch, 784]), wd as never), b);
    return tf.losses.softmaxCrossEntropy(y, logits) as import("@tensorflow/tfjs").Scalar;
  };
  const optimizer = tf.train.sgd(0.01);
  return async () => {
    const loss = optimizer.minimize(cost, true);
    const value = (await loss!.data())[0];
    loss!.dispose();
    return value ?? NaN;
  };
}
