/**
 * The gradient of a neural differential equation: dy/dt = tanh(y W₁ + b₁) W₂ + b₂ with 8 unknowns and
 * 32 hidden units, 64 rows, 200 Runge–Kutta steps of 0.01, the mean squared distance from a target;
 * value and all gradients are read. We write a `for`; the peers unroll.
 */

import { uniform } from "../data.ts";
import type { Workload } from "../harness.ts";
import {
  type JaxArray,
  type JaxArrays,
  jaxArrays,
  loadJax,
  loadTfjs,
  type TfTensor,
} from "../peers.ts";

const [unknowns, hidden, batch, steps, dt] = [8, 32, 64, 200, 0.01];

const parameters = () => ({
  w1: uniform([unknowns, hidden], 1, 0.5),
  b1: uniform([hidden], 2, 0.1),
  w2: uniform([hidden, unknowns], 3, 0.4),
  b2: uniform([unknowns], 4, 0.1),
});
const given = () => ({
  start: uniform([batch, unknowns], 100),
  target: uniform([batch, unknowns], 101),
});

export const workloads: readonly Workload[] = [
  {
    name: "ode-grad",
    flops: 6 * batch * steps * 4 * 2 * unknowns * hidden,
    systems: {
      "fluxion-wasm": async () => {
        const { differentiate } = await import("../own/ode.ts");
        return differentiate({ ...parameters(), ...given() });
      },
      "jax-js-wasm": jaxStep,
      "tfjs-wasm": tfjsStep,
    },
    notes: {
      "jax-js-wasm":
        "each step compiled, and their gradient; without that, the whole overflows its stack",
    },
  },
];

async function jaxStep() {
  const { numpy: np, jit, valueAndGrad, tree } = await loadJax();
  type Parameters = Record<"w1" | "b1" | "w2" | "b2", JaxArray>;
  const advance = (p: Parameters, y: JaxArray): JaxArray => {
    const slope = (at: JaxArray): JaxArray => {
      const h = np.tanh(np.matmul(at, p.w1.ref).add(p.b1.ref));
      return np.matmul(h, p.w2.ref).add(p.b2.ref);
    };
    const k1 = slope(y.ref);
    const k2 = slope(y.ref.add(k1.ref.mul(dt / 2)));
    const k3 = slope(y.ref.add(k2.ref.mul(dt / 2)));
    const k4 = slope(y.ref.add(k3.ref.mul(dt)));
    tree.dispose(p);
    return y.add(
      k1
        .add(k2.mul(2))
        .add(k3.mul(2))
        .add(k4)
        .mul(dt / 6),
    );
  };
  const compiled = jit(advance as never) as unknown as typeof advance;
  const cost = (p: Parameters, y0: JaxArray, target: JaxArray): JaxArray => {
    let y = y0;
    for (let n = 0; n < steps; n++) y = compiled(tree.ref(p), y);
    tree.dispose(p);
    return np.mean(np.square(y.sub(target)));
  };
  const gradient = jit(valueAndGrad(cost as never) as never) as unknown as (
    ...args: unknown[]
  ) => [JaxArray, JaxArrays];
  const p = await jaxArrays(parameters());
  const { start, target } = await jaxArrays(given());
  return async () => {
    const [value, slopes] = gradient(tree.ref(p), start!.ref, target!.ref);
    let sum = (await value.data())[0] as number;
    for (const slope of Object.values(slopes)) sum += (await slope.data())[0] as number;
    return sum;
  };
}

async function tfjsStep() {
  const tf = await loadTfjs();
  const variables = Object.fromEntries(
    Object.entries(parameters()).map(([name, { data, shape }]) => [
      name,
      tf.variable(tf.tensor(data, shape as number[])),
    ]),
  );
  const { w1, b1, w2, b2 } = variables;
  const [start, target] = Object.values(given()).map(({ data, shape }) =>
    tf.tensor2d(data, shape as [number, number]),
  );
  const slope = (y: TfTensor): TfTensor =>
    tf.add(tf.matMul(tf.tanh(tf.add(tf.matMul(y, w1), b1)), w2), b2);
  const cost = () => {
    let y: TfTensor = start;
    for (let n = 0; n < steps; n++) {
      const k1 = slope(y);
      const k2 = slope(tf.add(y, tf.mul(k1, dt / 2)));
      const k3 = slope(tf.add(y, tf.mul(k2, dt / 2)));
      const k4 = slope(tf.add(y, tf.mul(k3, dt)));
      const sum = tf.add(tf.add(tf.add(k1, tf.mul(k2, 2)), tf.mul(k3, 2)), k4);
      y = tf.add(y, tf.mul(sum, dt / 6));
    }
    return tf.mean(tf.square(tf.sub(y, target))) as import("@tensorflow/tfjs").Scalar;
  };
  return async () => {
    const { value, grads } = tf.tidy(() => tf.variableGrads(cost, Object.values(variables)));
    let sum = (await value.data())[0];
    value.dispose();
    for (const slope of Object.values(grads)) {
      sum += (await slope.data())[0];
      slope.dispose();
    }
    return sum;
  };
}
