/** Loads the peers, from the packages that test/bench/package.json lists. */

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** jax-js on its WebAssembly backend. Its types are its own affair: peers are used dynamically. */
export async function loadJax(): Promise<typeof import("@jax-js/jax")> {
  const jax = await import("@jax-js/jax");
  const backends = await jax.init("wasm");
  if (!backends.includes("wasm")) throw new Error("jax-js has no wasm backend here");
  jax.defaultDevice("wasm");
  return jax;
}

/** TensorFlow.js on its WebAssembly backend, one thread. */
export async function loadTfjs(): Promise<typeof import("@tensorflow/tfjs")> {
  const tf = await import("@tensorflow/tfjs");
  const wasm = await import("@tensorflow/tfjs-backend-wasm");
  const folder = require.resolve("@tensorflow/tfjs-backend-wasm/package.json");
  wasm.setWasmPaths(folder.replace("package.json", "dist/"));
  await tf.setBackend("wasm");
  await tf.ready();
  tf.enableProdMode();
  return tf;
}
