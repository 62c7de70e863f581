/** Loads the peers, from the packages that test/bench/package.json lists. */

import { createRequire } from "node:module";
import type { Data } from "./data.ts";
import { device, provideWebgpu } from "./device.ts";
import type { Model } from "./onnx.ts";
import { openContext } from "../../dist/runtime/webgl/context.js";

const require = createRequire(import.meta.url);

/** jax-js on its WebAssembly or WebGPU backend. Its types are its own affair: peers are used dynamically. */
export async function loadJax(): Promise<typeof import("@jax-js/jax")> {
  if (device === "webgl") throw new Error("jax-js has no WebGL backend");
  if (device === "webgpu") await provideWebgpu();
  const jax = await import("@jax-js/jax");
  const backends = await jax.init(device);
  if (!backends.includes(device)) throw new Error(`jax-js has no ${device} backend here`);
  jax.defaultDevice(device);
  return jax;
}

export type JaxArray = ReturnType<Awaited<ReturnType<typeof loadJax>>["numpy"]["array"]>;
export type JaxArrays = Record<string, JaxArray>;
type DataOf<K extends string> = Readonly<Record<K, Data>>;

/** Arrays of jax-js by name. */
export async function jaxArrays(data: Readonly<Record<string, Data>>): Promise<JaxArrays> {
  const { numpy } = await loadJax();
  const arrays: JaxArrays = {};
  for (const [name, { data: elements, shape }] of Object.entries(data)) {
    arrays[name] = numpy.array(elements).reshape([...shape]);
  }
  return arrays;
}

/** Gradient descent on jax-js: one compiled step, that gives the loss and new parameters. */
export async function jaxDescent<K extends string, L extends string>(
  start: DataOf<K>,
  given: DataOf<L>,
  rate: number,
  cost: (params: Record<K, JaxArray>, given: Record<L, JaxArray>) => JaxArray,
): Promise<() => Promise<number>> {
  const { jit, valueAndGrad, tree } = await loadJax();
  const differentiated = valueAndGrad as unknown as (
    f: typeof cost,
  ) => (params: JaxArrays, given: JaxArrays) => [JaxArray, JaxArrays];
  const together = (params: JaxArrays, inputs: JaxArrays) => {
    const [loss, slopes] = differentiated(cost)(tree.ref(params), inputs);
    const next: JaxArrays = {};
    for (const name in params) next[name] = params[name]!.sub(slopes[name]!.mul(rate));
    return [loss, next];
  };
  const update = jit(together as never) as unknown as (
    params: JaxArrays,
    given: JaxArrays,
  ) => [JaxArray, JaxArrays];
  let params = await jaxArrays(start);
  const inputs = await jaxArrays(given);
  return async () => {
    const [loss, next] = update(params, tree.ref(inputs));
    params = next;
    return (await loss.data())[0] as number;
  };
}

/** TensorFlow.js on its WebAssembly backend, one thread, or on that for WebGPU. */
export async function loadTfjs(): Promise<typeof import("@tensorflow/tfjs")> {
  const tf = await import("@tensorflow/tfjs");
  if (device === "webgpu") {
    await provideWebgpu();
    await import("@tensorflow/tfjs-backend-webgpu");
    await tf.setBackend("webgpu");
    await tf.ready();
    tf.enableProdMode();
    return tf;
  }
  if (device === "webgl") {
    // Outside of pages it has no backend for WebGL, and takes the context that it is given.
    const { MathBackendWebGL, setWebGLContext } = await import("@tensorflow/tfjs-backend-webgl");
    setWebGLContext(2, await openContext());
    tf.registerBackend("webgl", () => new MathBackendWebGL());
    await tf.setBackend("webgl");
    await tf.ready();
    tf.enableProdMode();
    return tf;
  }
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const folder = require.resolve("@tensorflow/tfjs-backend-wasm/package.json");
  wasm.setWasmPaths(folder.replace("package.json", "dist/"));
  await tf.setBackend("wasm");
  await tf.ready();
  tf.enableProdMode();
  return tf;
}

export type TfTensor = import("@tensorflow/tfjs").Tensor;

/** Gradient descent on TensorFlow.js, on variables that are updated in place. */
export async function tfjsDescent<K extends string>(
  start: DataOf<K>,
  rate: number,
  cost: (params: Readonly<Record<K, TfTensor>>) => TfTensor,
): Promise<() => Promise<number>> {
  const tf = await loadTfjs();
  const params = Object.fromEntries(
    Object.entries<Data>(start).map(([name, { data, shape }]) => [
      name,
      tf.variable(tf.tensor(data, [...shape])),
    ]),
  ) as unknown as Record<K, TfTensor>;
  const optimizer = tf.train.sgd(rate);
  return async () => {
    const loss = optimizer.minimize(
      () => cost(params) as import("@tensorflow/tfjs").Scalar,
      true,
    ) as TfTensor;
    const value = (await loss.data())[0];
    loss.dispose();
    return value ?? NaN;
  };
}

/** What runs a model once: the elements of its only output. */
export type Inference = () => Promise<Float32Array>;

/**
 * A model on ONNX Runtime's WebAssembly backend, one thread. Its inputs are copied in and its output
 * out at each run, as its interface is.
 */
export async function loadOnnx(model: Model, inputs: readonly Data[]): Promise<Inference> {
  const ort = await import("onnxruntime-web");
  const { onnxBytes } = await import("./onnx.ts");
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  const session = await ort.InferenceSession.create(onnxBytes(model), {
    executionProviders: ["wasm"],
  });
  const feeds = Object.fromEntries(
    Object.keys(model.inputs).map((name, k) => {
      const { data, shape } = inputs[k]!;
      return [name, new ort.Tensor("float32", data, [...shape])];
    }),
  );
  const [output = ""] = Object.keys(model.outputs);
  return async () => (await session.run(feeds))[output]!.data as Float32Array;
}
