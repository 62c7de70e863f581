/** Roots whose kernels come from lines that the tests find by their comments. */

import { compile, type Dim, grad, type Tensor } from "fluxion";
import { type Dense, dense } from "fluxion/nn";

const device = { target: "webgpu" } as const;

/** The layers are of the library: their kernels come from the lines that call it. */
export const layers = compile((p: Dense<16, 16>, q: Dense<16, 16>, x: Tensor<[8, 16]>) => {
  const h = dense(p, x).relu(); // first layer
  return dense(q, h).tanh(); // second layer
}, device);

/** The device has one kernel for both. */
export const powers = compile((x: Tensor<[16, 16]>, by: Tensor<[16, 16]>) => {
  const square = x.matmul(by); // square
  return square.matmul(by); // cube
}, device);

/** One kernel. */
export const fused = compile(<N extends Dim>(x: Tensor<[N]>) => {
  const y = x.mul(2); // doubled
  return y.add(1); // and one
}, device);

/** Two kernels that do not wait for each other. */
export const apart = compile(<N extends Dim, M extends Dim>(x: Tensor<[N]>, y: Tensor<[M]>) => {
  const a = x.square(); // left
  const b = y.neg(); // right
  return { a, b };
}, device);

/** A kernel that is started again and again. */
export const repeated = compile((x: Tensor<[4, 4]>, n: number) => {
  let y = x;
  for (let k = 0; k < n; k++) {
    y = y.matmul(x); // each round
  }
  return y;
}, device);

const energy = <N extends Dim>(x: Tensor<[N]>) => {
  const y = x.sin(); // sine
  return y.mul(y).sum(); // energy
};
/** What differentiates a line comes from that line. */
export const slope = compile(<N extends Dim>(x: Tensor<[N]>) => grad(energy)(x), device);

export const copied = compile(<N extends Dim>(x: Tensor<[N]>) => {
  const y = x.exp(); // once
  return { x, y, again: y };
}, device);

/** A loop over numbers, whose rounds are threads. */
export const rounds = compile((x: Float32Array) => {
  const y = new Float32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    y[i] = x[i]! * x[i]!; // element
  }
  return y;
}, device);

export const plain = compile(
  <N extends Dim>(x: Tensor<[N]>) => ({ total: x.sum().item(), count: x.shape[0] }),
  device,
);
export const picked = compile((x: Float32Array, at: Int32Array) => x[at[0]!]! * 2, device);
export const donated = compile(<N extends Dim>(x: Tensor<[N]>) => x.mul(3), {
  target: "webgpu",
  donateArgnums: [0],
});
export const nothing = compile(<N extends Dim>(x: Tensor<[N]>) => x.neg(), device);

let scale = 2;
export const setScale = (to: number) => {
  scale = to;
};
export const captured = compile(<N extends Dim>(x: Tensor<[N]>) => x.mul(scale), device);

const half = (x: Float64Array) => x.map((v) => v / 2);
export const onWasm = compile(half);
export const onJs = compile(half, { target: "js" });
