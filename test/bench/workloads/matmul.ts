/** C = A B of square f32 matrices; the whole result is read back. */

import { compile, type Tensor, tensor } from "fluxion";
import { uniform } from "../data.ts";
import type { Workload } from "../harness.ts";
import { loadJax, loadTfjs } from "../peers.ts";

type Square = Tensor<[number, number]>;

const product = compile(<N extends number>(a: Tensor<[N, N]>, b: Tensor<[N, N]>) => a.matmul(b));
const productInJs = compile(
  <N extends number>(a: Tensor<[N, N]>, b: Tensor<[N, N]>) => a.matmul(b),
  { target: "js" },
);

export const workloads: readonly Workload[] = [128, 256, 512, 1024].map(matmul);

function matmul(n: number): Workload {
  const a = uniform([n, n], 1);
  const b = uniform([n, n], 2);
  const own = (f: (a: Square, b: Square) => Square) => async () => {
    const [x, y] = [tensor(a.data, [n, n]), tensor(b.data, [n, n])];
    return async () => (await f(x, y).data())[1] ?? NaN;
  };
  return {
    name: `matmul-${n}`,
    flops: 2 * n ** 3,
    systems: {
      "fluxion-wasm": own(product),
      ...(n <= 256 ? { "fluxion-js": own(productInJs) } : {}),
      "jax-js-wasm": async () => {
        const { numpy, jit } = await loadJax();
        const [x, y] = [a, b].map(({ data }) => numpy.array(data).reshape([n, n]));
        const f = jit((p: typeof x, q: typeof y) => numpy.matmul(p!, q!));
        return async () => (await f(x!.ref, y!.ref).data())[1] as number;
      },
      "tfjs-wasm": async () => {
        const tf = await loadTfjs();
        const [x, y] = [a, b].map(({ data }) => tf.tensor2d(data, [n, n]));
        return async () => {
          const c = tf.matMul(x!, y!);
          const value = (await c.data())[1];
          c.dispose();
          return value ?? NaN;
        };
      },
    },
  };
}
