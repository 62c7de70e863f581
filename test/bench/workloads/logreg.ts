/**
 * Ten steps of gradient descent of a logistic regression, 16384 rows of 256 columns, rate 0.1; the
 * last loss is read. Ours is written as loops over typed arrays of doubles, and of floats, which it
 * takes from the host at each call; the peers' is written with tensors, which stay where they are.
 */

import { type Data, uniform } from "../data.ts";
import type { Step, Workload } from "../harness.ts";
import { jaxDescent, loadJax, loadTfjs, tfjsDescent } from "../peers.ts";

const [rows, columns, steps, rate] = [16384, 256, 10, 0.1];

const parameters = () => ({ w: uniform([columns, 1], 1, 0.1), b: uniform([1], 2, 0.1) });
function given() {
  const { data } = uniform([rows, 1], 9);
  const y: Data = { shape: [rows, 1], data: data.map((value) => (value > 0 ? 1 : 0)) };
  return { x: uniform([rows, columns], 100), y };
}

export const workloads: readonly Workload[] = [
  {
    name: "logreg-loop",
    flops: steps * 4 * rows * columns,
    systems: {
      "fluxion-wasm": async () => (await own()).fit64(...arrays(), steps),
      "fluxion-wasm-f32": async () => (await own()).fit32(...arrays(), steps),
      "jax-js-wasm": jaxStep,
      "tfjs-wasm": tfjsStep,
    },
    notes: { "fluxion-wasm": "doubles", limit: "multiply-adds of floats" },
  },
];

const own = () => import("../own/logreg.ts");

function arrays() {
  const { w, b } = parameters();
  const { x, y } = given();
  return [w.data, b.data[0] ?? 0, x.data, y.data] as const;
}

function repeated(step: () => Promise<number>): Step {
  return async () => {
    for (let k = 1; k < steps; k++) await step();
    return step();
  };
}

async function jaxStep() {
  const { numpy: np, nn } = await loadJax();
  const descend = await jaxDescent(parameters(), given(), rate, (p, { x, y }) => {
    const z = np.matmul(x, p.w).add(p.b);
    return np.mean(nn.softplus(z.ref).sub(y.mul(z)));
  });
  return repeated(descend);
}

async function tfjsStep() {
  const tf = await loadTfjs();
  const [x, y] = Object.values(given()).map(({ data, shape }) =>
    tf.tensor2d(data, shape as [number, number]),
  );
  const descend = await tfjsDescent(parameters(), rate, (p) => {
    const z = tf.add(tf.matMul(x, p.w), p.b);
    return tf.mean(tf.sub(tf.softplus(z), tf.mul(y, z)));
  });
  return repeated(descend);
}
