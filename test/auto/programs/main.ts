/** Roots for "auto": some go to a device, others stay on wasm. */

import { compile, type Dim, type Tensor, tensor } from "fluxion";

const auto = { target: "auto" } as const;

// These go to a device.
export const twice: <N extends Dim>(x: Tensor<[N]>) => Tensor<[N]> = compile(
  <N extends Dim>(x: Tensor<[N]>) => x.mul(2),
  auto,
);
export const total = compile(<N extends Dim>(x: Tensor<[N]>) => x.sum(), auto);
export const taken = compile((x: Tensor<[4]>, at: Tensor<[2], "i32">) => x.take(at, 0), auto);
const step = <N extends Dim>(p: Tensor<[N]>, by: Tensor<[N]>) => ({
  p: p.sub(by),
  change: by.sum(),
});
export const donated = compile(step, { target: "auto", donateArgnums: [0] });
let scale = 2;
let offset: Tensor<[3]>;
export const setScale = (to: number, by: Tensor<[3]>): void => {
  scale = to;
  offset = by;
};
export const shifted = compile((x: Tensor<[3]>) => x.add(offset), auto);
/** With a number that can be found in its kernels. */
export const marked = compile((x: Tensor<[3]>) => x.mul(1234.5), auto);
/** Plain results, and singles: promises, also while it runs on wasm. */
export const halved: (x: Float32Array) => Promise<Float32Array> = compile(
  (x: Float32Array) => x.map((v) => v / 2),
  auto,
);
export const isLong: (x: Int32Array) => Promise<boolean> = compile(
  (x: Int32Array) => x.length > 2,
  auto,
);
export const picked = compile((x: Float32Array, at: Int32Array) => x.map(() => x[at[0]!]!), auto);
export const worded = compile((x: Tensor<[3]>) => ({ y: x.neg(), word: "same" }), auto);

// These stay: doubles in, captured, out; recursion; memory; lengths.
export const scaled = compile(<N extends Dim>(x: Tensor<[N]>, by: number) => x.mul(by), auto);
export const scaledDonated = compile(
  <N extends Dim>(x: Tensor<[N]>, by: number) => ({ x: x.mul(by), sum: x.sum() }),
  { target: "auto", donateArgnums: [0] },
);
export const capturing = compile((x: Tensor<[3]>) => x.mul(scale), auto);
export const precise = compile((x: Tensor<[2]>) => x.cast("f64").mul(1 / 3), auto);
export const preciser = compile((x: Tensor<[2], "f64">) => x.add(1e-12), auto);
export const number: (x: number) => Promise<number> = compile((x: number) => x / 3, auto);
export const takenBy = compile(
  (x: Tensor<[4]>, at: Tensor<[2], "i32">, by: number) => x.take(at, 0).mul(by),
  auto,
);
function power(x: Float32Array, n: Int32Array, k: number): number {
  return n[k] === 0 ? 1 : x[k]! * power(x, n, k + 1);
}
export const recursive = compile(
  (x: Float32Array, n: Int32Array) => Float32Array.of(power(x, n, 0)),
  auto,
);
export const filled = compile((n: Int32Array) => new Float32Array(n[0]!).fill(1), auto);
export const rest = compile(
  (x: Tensor<[3]>, y: Float32Array, from: Int32Array) => ({
    x: x.neg(),
    y: tensor(y.slice(from[0]!)),
  }),
  auto,
);

/** Not for "auto". */
export const here = compile((x: Tensor<[3]>) => x.mul(2), { target: "wasm" });
