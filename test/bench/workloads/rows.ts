/**
 * Softmax, layer normalisation and GELU (of 1.3 x + 0.1, by tanh) of 4096 rows of 1024, and the
 * gradient of Σ c ⊙ y with respect to x. Results stay with the system, and one element is read; ONNX
 * Runtime copies its input in and its output out, as its interface is.
 */

import { type Data, uniform } from "../data.ts";
import type { Prepare, Workload } from "../harness.ts";
import { type JaxArray, jaxArrays, loadJax, loadOnnx, loadTfjs, type TfTensor } from "../peers.ts";
import type { Model } from "../onnx.ts";

const [rows, columns, factor, shift] = [4096, 1024, 1.3, 0.1];

const given = () => ({
  x: uniform([rows, columns], 100, 2),
  c: uniform([rows, columns], 101),
  scale: uniform([columns], 1, 0.1, 1),
  offset: uniform([columns], 2, 0.1),
});

type Operation = "softmax" | "layernorm" | "gelu";
const names = { softmax: "softmax", layernorm: "layernorm", gelu: "gelu-chain-4m" };
const operations: readonly Operation[] = ["softmax", "layernorm", "gelu"];

export const workloads: readonly Workload[] = operations.flatMap((operation) => [
  rowsOf(operation, false),
  rowsOf(operation, true),
]);

function rowsOf(operation: Operation, gradient: boolean): Workload {
  const bytes = 4 * rows * columns;
  return {
    name: `${names[operation]}-${gradient ? "gradient" : "forward"}`,
    traffic: { read: gradient ? 2 * bytes : bytes, written: bytes },
    // An element of a gradient is a difference of larger numbers.
    tolerance: gradient ? 5e-3 : 1e-3,
    systems: {
      "fluxion-wasm": async () => {
        const { operate } = await import("../own/rows.ts");
        return operate(operation, given(), gradient);
      },
      "jax-js-wasm": () => jaxStep(operation, gradient),
      "tfjs-wasm": () => tfjsStep(operation, gradient),
      ...(gradient ? {} : { "onnxruntime-web": onnxStep(operation) }),
    },
    notes: { limit: "copying and reading the same bytes" },
  };
}

async function jaxStep(operation: Operation, gradient: boolean) {
  const { numpy: np, nn, jit, grad } = await loadJax();
  const { x, c, scale, offset } = (await jaxArrays(given())) as Record<string, JaxArray>;
  type Inputs = readonly [x: JaxArray, ...norm: JaxArray[]];
  const run = (...[z, g, b]: Inputs): JaxArray => {
    if (operation === "softmax") return nn.softmax(z, -1);
    if (operation === "gelu") return nn.gelu(z.mul(factor).add(shift));
    const centred = z.ref.sub(np.mean(z, -1, { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true });
    return centred
      .div(np.sqrt(variance.add(1e-5)))
      .mul(g!)
      .add(b!);
  };
  const norm = operation === "layernorm" ? [scale!, offset!] : [];
  const weighed = (z: JaxArray, weights: JaxArray, ...rest: JaxArray[]): JaxArray =>
    run(z, ...rest)
      .mul(weights)
      .sum();
  const compiled = jit((gradient ? grad(weighed as never) : run) as never) as unknown as (
    ...args: JaxArray[]
  ) => JaxArray;
  const inputs = [x!, ...(gradient ? [c!] : []), ...norm];
  return async () => {
    const y = compiled(...inputs.map((array) => array.ref));
    await y.blockUntilReady();
    return (await y.slice(0, [1, 2]).data())[0] as number;
  };
}

async function tfjsStep(operation: Operation, gradient: boolean) {
  const tf = await loadTfjs();
  const up = ({ data, shape }: Data) => tf.tensor(data, [...shape]);
  const { x, c, scale, offset } = given();
  const [input, weights, g, b] = [x, c, scale, offset].map(up);
  const { add, mul } = tf;
  const run = (z: TfTensor): TfTensor => {
    if (operation === "softmax") return tf.softmax(z);
    if (operation === "gelu") {
      const u = add(mul(z, factor), shift);
      const inner = mul(add(u, mul(mul(mul(u, u), u), 0.044715)), Math.sqrt(2 / Math.PI));
      return mul(mul(u, 0.5), add(1, tf.tanh(inner)));
    }
    const centred = tf.sub(z, tf.mean(z, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    return add(mul(tf.div(centred, tf.sqrt(add(variance, 1e-5))), g), b);
  };
  const slope = tf.grad((z: TfTensor) => tf.sum(mul(run(z), weights)));
  return async () => {
    const y = tf.tidy(() => (gradient ? slope(input) : run(input)));
    const sample = tf.slice(y, [0, 1], [1, 1]);
    const [value] = await sample.data();
    tf.dispose([y, sample]);
    return value;
  };
}

function onnxStep(operation: Operation): Prepare {
  return async () => {
    const { x, scale, offset } = given();
    const scalar = (value: number): Data => ({ shape: [], data: Float32Array.of(value) });
    const bodies: Readonly<Record<Operation, Pick<Model, "nodes" | "weights">>> = {
      softmax: {
        nodes: [{ op: "Softmax", inputs: ["x"], output: "y", attributes: { axis: -1 } }],
      },
      layernorm: {
        nodes: [
          {
            op: "LayerNormalization",
            inputs: ["x", "scale", "offset"],
            output: "y",
            attributes: { axis: -1, epsilon: { f: 1e-5 } },
          },
        ],
        weights: { scale, offset },
      },
      gelu: {
        nodes: [
          { op: "Mul", inputs: ["x", "factor"], output: "t" },
          { op: "Add", inputs: ["t", "shift"], output: "u" },
          { op: "Gelu", inputs: ["u"], output: "y", attributes: { approximate: "tanh" } },
        ],
        weights: { factor: scalar(factor), shift: scalar(shift) },
      },
    };
    const run = await loadOnnx(
      { ...bodies[operation], inputs: { x: x.shape }, outputs: { y: x.shape } },
      [x],
    );
    return async () => (await run())[1];
  };
}
