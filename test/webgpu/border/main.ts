/** Roots for a WebGPU device, of each kind of argument and result. */

import { compile, type Dim, type Tensor } from "fluxion";

const device = { target: "webgpu" } as const;

export const numbers = compile((x: number, isTwice: boolean) => (isTwice ? 2 * x : x), device);
export const isMore = compile((x: number, y: number) => x > y, device);
export const doubles = compile((x: Float64Array, k: number) => x.map((v) => v * k), device);
export const list = compile((x: number[]) => x.map((v) => v + 1), device);
export const records = compile((p: { readonly a: number; readonly b: Float32Array }) => {
  let sum = p.a;
  for (const v of p.b) sum += v;
  return { sum, isLarge: sum > 10, pair: [p.a, p.b.slice()] as const, word: "same" };
}, device);
export const table = compile(
  (rows: { readonly x: number; readonly ok: boolean }[]) =>
    rows.map(({ x, ok }) => ({ x: -x, ok: !ok })),
  device,
);
export const words = compile(
  (a: Uint8Array, b: Int32Array) => ({
    a: a.map((v) => v + 250),
    b: b.map((v) => v * 3),
  }),
  device,
);
export const halves = compile((x: Float16Array) => x.map((v) => v / 3), device);
export const halfTensors = compile((x: Tensor<[3], "f16">) => x.mul(x), device);
export const rankZero = compile((x: Tensor<[]>, y: Tensor<[]>) => x.mul(y), device);
export const twice = compile(<N extends Dim>(x: Tensor<[N]>) => x.mul(2), device);
export const total = compile(<N extends Dim>(x: Tensor<[N]>) => x.sum(), device);
export const mixed = compile(
  <N extends Dim>(x: Tensor<[N]>) => ({ total: x.sum(), count: x.shape[0] }),
  device,
);

const step = <N extends Dim>(p: Tensor<[N]>, by: Tensor<[N]>) => p.sub(by.mul(0.5));
export const donated = compile(step, { target: "webgpu", donateArgnums: [0] });
/** The argument is taken over, and no result can be where it was. */
export const consumed = compile(<N extends Dim>(p: Tensor<[N]>) => p.sum(), {
  target: "webgpu",
  donateArgnums: [0],
});
export const donatedHere = compile(step, { target: "wasm", donateArgnums: [0] });

let scale = 2;
let offsets: Tensor<[3]>;
export const setScale = (to: number, by: Tensor<[3]>) => {
  scale = to;
  offsets = by;
};
export const captured = compile((x: Tensor<[3]>) => x.mul(scale).add(offsets), device);

const element = (x: Float32Array, at: Int32Array) => x[at[0]!]! * 2;
export const picked = compile(element, device);
export const pickedHere = compile(element, { target: "wasm" });
const elementBy = (x: Float32Array, at: number) => x[at]! * 2;
export const pickedBy = compile(elementBy, device);
export const pickedByHere = compile(elementBy, { target: "wasm" });
export const taken = compile((x: Tensor<[4]>, at: Tensor<[2], "i32">) => x.take(at, 0), device);
export const twiceHere = compile(<N extends Dim>(x: Tensor<[N]>) => x.mul(2), { target: "wasm" });
