/** C = A B of square f32 matrices, and y = A x; the whole result is read back. */

import { type Data, uniform } from "../data.ts";
import type { Prepare, Workload } from "../harness.ts";
import { jaxArrays, loadJax, loadOnnx, loadTfjs } from "../peers.ts";

export const workloads: readonly Workload[] = [...[128, 256, 512, 1024].map(matmul), matvec(4096)];

function matmul(n: number): Workload {
  const a = () => uniform([n, n], 1);
  const b = () => uniform([n, n], 2);
  const own = (target: "wasm" | "js") => async () => {
    const { multiply } = await import("../own/matmul.ts");
    return multiply(a(), b(), target);
  };
  return {
    name: `matmul-${n}`,
    flops: 2 * n ** 3,
    systems: {
      "fluxion-wasm": own("wasm"),
      ...(n <= 256 ? { "fluxion-js": own("js") } : {}),
      ...peers(a, b),
    },
  };
}

function matvec(n: number): Workload {
  const a = () => uniform([n, n], 1);
  const x = () => uniform([n], 2);
  return {
    name: `matvec-${n}`,
    traffic: { read: 4 * (n * n + n), written: 4 * n },
    systems: {
      "fluxion-wasm": async () => {
        const { multiplyVector } = await import("../own/matmul.ts");
        return multiplyVector(a(), x());
      },
      // For TensorFlow.js a vector is a matrix of one column.
      ...peers(a, x, () => ({ data: x().data, shape: [n, 1] })),
    },
    notes: { limit: "reading the same bytes" },
  };
}

function peers(
  a: () => Data,
  b: () => Data,
  matrix: () => Data = b,
): Readonly<Record<string, Prepare>> {
  return {
    "jax-js-wasm": async () => {
      const { numpy, jit } = await loadJax();
      const { x, y } = await jaxArrays({ x: a(), y: b() });
      const f = jit((p: typeof x, q: typeof y) => numpy.matmul(p!, q!));
      return async () => (await f(x!.ref, y!.ref).data())[1] as number;
    },
    "tfjs-wasm": async () => {
      const tf = await loadTfjs();
      const [x, y] = [a(), matrix()].map(({ data, shape }) =>
        tf.tensor2d(data, shape as [number, number]),
      );
      return async () => {
        const c = tf.matMul(x!, y!);
        const value = (await c.data())[1];
        c.dispose();
        return value ?? NaN;
      };
    },
    "onnxruntime-web": async () => {
      const [x, y] = [a(), b()];
      const run = await loadOnnx(
        {
          nodes: [{ op: "MatMul", inputs: ["a", "b"], output: "c" }],
          inputs: { a: x.shape, b: y.shape },
          outputs: { c: [x.shape[0]!, ...y.shape.slice(1)] },
        },
        [x, y],
      );
      return async () => (await run())[1];
    },
  };
}
