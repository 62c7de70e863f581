/**
 * One training step of a small transformer: 2 blocks of width 128 with 4 heads, layer normalisation
 * first, 64 positions, 65 tokens, ReLU, no biases but those of the norms; softmax cross-entropy over
 * all positions, SGD, reading the loss. The peers look tokens up by products with one-hot rows, which
 * is what they are fastest at.
 */

import { type Data, filled, oneHot, uniform } from "../data.ts";
import type { Workload } from "../harness.ts";
import {
  type JaxArray,
  jaxDescent,
  loadJax,
  loadTfjs,
  tfjsDescent,
  type TfTensor,
} from "../peers.ts";

const [layers, positions, width, heads, vocabulary] = [2, 64, 128, 4, 65];
const perHead = width / heads;

const inputAt = (k: number): number => (k * 7919 + 3) % vocabulary;
const targetAt = (k: number): number => (k * 10477 + 11) % vocabulary;

function parameters(): Readonly<Record<string, Data>> {
  const all: Record<string, Data> = {
    emb: uniform([vocabulary, width], 1, 0.1),
    pos: uniform([positions, width], 2, 0.1),
    out: uniform([width, vocabulary], 3, 0.1),
  };
  for (let l = 0; l < layers; l++) {
    all[`qkv${l}`] = uniform([width, 3 * width], 10 + l, 0.08);
    all[`o${l}`] = uniform([width, width], 20 + l, 0.08);
    all[`f1${l}`] = uniform([width, 4 * width], 30 + l, 0.08);
    all[`f2${l}`] = uniform([4 * width, width], 40 + l, 0.05);
    all[`g1${l}`] = uniform([width], 50 + l, 0.1, 1);
    all[`b1${l}`] = uniform([width], 60 + l, 0.05);
    all[`g2${l}`] = uniform([width], 70 + l, 0.1, 1);
    all[`b2${l}`] = uniform([width], 80 + l, 0.05);
  }
  return all;
}

/** -1e9 where a position would see a later one. */
function causalMask(): Data {
  const mask = filled([1, 1, positions, positions], 0);
  for (let i = 0; i < positions; i++) {
    for (let j = i + 1; j < positions; j++) mask.data[i * positions + j] = -1e9;
  }
  return mask;
}

export const workloads: readonly Workload[] = [gpt(8)];

export function gpt(batch: number): Workload {
  const rows = batch * positions;
  return {
    name: `gpt-train-b${batch}`,
    // Products alone, without that of the embedding.
    flops:
      6 * rows * (layers * 12 * width * width + width * vocabulary) +
      6 * layers * 2 * rows * positions * width,
    systems: {
      "fluxion-wasm": async () => {
        const { train } = await import("../own/gpt.ts");
        const tokens = (at: (k: number) => number) =>
          Int32Array.from({ length: rows }, (_, k) => at(k));
        return train(parameters(), tokens(inputAt), tokens(targetAt), causalMask());
      },
      "jax-js-wasm": () => jaxStep(batch),
      "tfjs-wasm": () => tfjsStep(batch),
    },
  };
}

const given = (rows: number) => ({
  x: oneHot(rows, vocabulary, inputAt),
  y: oneHot(rows, vocabulary, targetAt),
  mask: causalMask(),
});

async function jaxStep(batch: number) {
  const rows = batch * positions;
  const { numpy: np, nn } = await loadJax();
  const norm = (h: JaxArray, scale: JaxArray, offset: JaxArray): JaxArray => {
    const centred = h.ref.sub(np.mean(h, -1, { keepdims: true }));
    const variance = np.mean(centred.ref.mul(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(scale)
      .add(offset);
  };
  const apart = (t: JaxArray): JaxArray => t.reshape([batch, heads, positions, perHead]);
  return jaxDescent(parameters(), given(rows), 0.01, (p, { x, y, mask }) => {
    let h = np.matmul(x, p["emb"]!).reshape([batch, positions, width]).add(p["pos"]!);
    for (let l = 0; l < layers; l++) {
      const z = norm(h.ref, p[`g1${l}`]!, p[`b1${l}`]!).reshape([rows, width]);
      const qkv = np
        .matmul(z, p[`qkv${l}`]!)
        .reshape([batch, positions, 3, heads, perHead])
        .transpose([2, 0, 3, 1, 4]);
      const [q, k, v] = np.split(qkv, 3, 0).map(apart) as [JaxArray, JaxArray, JaxArray];
      const scores = np
        .matmul(q, k.transpose([0, 1, 3, 2]))
        .mul(1 / Math.sqrt(perHead))
        .add(mask.ref);
      const mixed = np
        .matmul(nn.softmax(scores, -1), v)
        .transpose([0, 2, 1, 3])
        .reshape([rows, width]);
      h = h.add(np.matmul(mixed, p[`o${l}`]!).reshape([batch, positions, width]));
      const z2 = norm(h.ref, p[`g2${l}`]!, p[`b2${l}`]!).reshape([rows, width]);
      const hidden = nn.relu(np.matmul(z2, p[`f1${l}`]!));
      h = h.add(np.matmul(hidden, p[`f2${l}`]!).reshape([batch, positions, width]));
    }
    mask.dispose();
    const logits = np.matmul(h.reshape([rows, width]), p["out"]!);
    return nn
      .logSoftmax(logits)
      .mul(y)
      .sum()
      .mul(-1 / rows);
  });
}

async function tfjsStep(batch: number) {
  const rows = batch * positions;
  const tf = await loadTfjs();
  const { x, y, mask } = given(rows);
  const [inputs, targets] = [x, y].map(({ data, shape }) =>
    tf.tensor2d(data, shape as [number, number]),
  ) as [TfTensor, TfTensor];
  const hidden = tf.tensor(mask.data, [...mask.shape]);
  const norm = (h: TfTensor, scale: TfTensor, offset: TfTensor): TfTensor => {
    const centred = tf.sub(h, tf.mean(h, -1, true));
    const variance = tf.mean(tf.mul(centred, centred), -1, true);
    return tf.add(tf.mul(tf.div(centred, tf.sqrt(tf.add(variance, 1e-5))), scale), offset);
  };
  const apart = (t: TfTensor) => tf.reshape(t, [batch, heads, positions, perHead]);
  return tfjsDescent(parameters(), 0.01, (p) => {
    let h = tf.add(tf.reshape(tf.matMul(inputs, p["emb"]!), [batch, positions, width]), p["pos"]!);
    for (let l = 0; l < layers; l++) {
      const z = tf.reshape(norm(h, p[`g1${l}`]!, p[`b1${l}`]!), [rows, width]);
      const qkv = tf.transpose(
        tf.reshape(tf.matMul(z, p[`qkv${l}`]!), [batch, positions, 3, heads, perHead]),
        [2, 0, 3, 1, 4],
      );
      const [q, k, v] = tf.split(qkv, 3, 0).map(apart) as [TfTensor, TfTensor, TfTensor];
      const products = tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(perHead));
      const mixed = tf.matMul(tf.softmax(tf.add(products, hidden), -1), v);
      const flat = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [rows, width]);
      h = tf.add(h, tf.reshape(tf.matMul(flat, p[`o${l}`]!), [batch, positions, width]));
      const z2 = tf.reshape(norm(h, p[`g2${l}`]!, p[`b2${l}`]!), [rows, width]);
      const up = tf.relu(tf.matMul(z2, p[`f1${l}`]!));
      h = tf.add(h, tf.reshape(tf.matMul(up, p[`f2${l}`]!), [batch, positions, width]));
    }
    const logits = tf.matMul(tf.reshape(h, [rows, width]), p["out"]!);
    return tf.losses.softmaxCrossEntropy(targets, logits);
  });
}
