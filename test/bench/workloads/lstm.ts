/**
 * One training step of an LSTM: 32 steps of 32 rows of 64 inputs, 128 cells; the last output names one
 * of 10 classes; softmax cross-entropy, SGD, reading the loss. The peers unroll the steps and take the
 * products with the inputs as one.
 */

import { filled, labels, oneHot, uniform } from "../data.ts";
import type { Workload } from "../harness.ts";
import {
  type JaxArray,
  jaxDescent,
  loadJax,
  loadTfjs,
  tfjsDescent,
  type TfTensor,
} from "../peers.ts";

const [steps, batch, inputs, cells] = [32, 32, 64, 128];
const gates = 4 * cells;
const scale = 1 / Math.sqrt(cells);

const parameters = () => ({
  wx: uniform([inputs, gates], 1, scale),
  wh: uniform([cells, gates], 2, scale),
  b: uniform([gates], 3, scale),
  wo: uniform([cells, 10], 4, scale),
  bo: uniform([10], 5, scale),
});
const sequence = () => uniform([steps, batch, inputs], 100);
const given = () => ({ x: sequence(), y: oneHot(batch, 10), zero: filled([batch, cells], 0) });

export const workloads: readonly Workload[] = [
  {
    name: "lstm-train",
    // No adjoint of the inputs.
    flops: 6 * steps * batch * (inputs + cells) * gates - 2 * steps * batch * inputs * gates,
    systems: {
      "fluxion-wasm": async () => {
        const { train } = await import("../own/lstm.ts");
        return train({ ...parameters(), x: sequence() }, labels(batch, 10));
      },
      "jax-js-wasm": jaxStep,
      "tfjs-wasm": tfjsStep,
    },
  },
];

async function jaxStep() {
  const { numpy: np, nn } = await loadJax();
  return jaxDescent(parameters(), given(), 0.1, (p, { x, y, zero }) => {
    const products = np.matmul(x.reshape([steps * batch, inputs]), p.wx).add(p.b);
    const rows = np.split(products.reshape([steps, batch, gates]), steps, 0);
    let h = zero.ref;
    let c = zero;
    for (const row of rows) {
      const sum = row.reshape([batch, gates]).add(np.matmul(h, p.wh.ref));
      const [i, f, g, o] = np.split(sum, 4, 1) as [JaxArray, JaxArray, JaxArray, JaxArray];
      c = nn
        .sigmoid(f)
        .mul(c)
        .add(nn.sigmoid(i).mul(np.tanh(g)));
      h = nn.sigmoid(o).mul(np.tanh(c.ref));
    }
    c.dispose();
    p.wh.dispose();
    const logits = np.matmul(h, p.wo).add(p.bo);
    return nn
      .logSoftmax(logits)
      .mul(y)
      .sum()
      .mul(-1 / batch);
  });
}

async function tfjsStep() {
  const tf = await loadTfjs();
  const { x, y, zero } = given();
  const [flat, targets, start] = [
    tf.tensor2d(x.data, [steps * batch, inputs]),
    tf.tensor2d(y.data, [batch, 10]),
    tf.tensor2d(zero.data, [batch, cells]),
  ];
  return tfjsDescent(parameters(), 0.1, (p) => {
    const products = tf.add(tf.matMul(flat, p.wx), p.b);
    const rows = tf.unstack(tf.reshape(products, [steps, batch, gates]));
    let h: TfTensor = start;
    let c: TfTensor = start;
    for (const row of rows) {
      const sum = tf.add(row, tf.matMul(h, p.wh));
      const [i, f, g, o] = tf.split(sum, 4, 1) as [TfTensor, TfTensor, TfTensor, TfTensor];
      c = tf.add(tf.mul(tf.sigmoid(f), c), tf.mul(tf.sigmoid(i), tf.tanh(g)));
      h = tf.mul(tf.sigmoid(o), tf.tanh(c));
    }
    return tf.losses.softmaxCrossEntropy(targets, tf.add(tf.matMul(h, p.wo), p.bo));
  });
}
