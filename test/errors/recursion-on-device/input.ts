import { compile } from "fluxion";

function power(x: Float32Array, n: Int32Array, k: number): number {
  return n[k]! === 0 ? 1 : x[k]! * power(x, n, k + 1);
}
export const a = compile(
  (x: Float32Array, n: Int32Array) => Float32Array.of(power(x, n, 0)),
  { target: "webgpu" },
);

/** By way of another function. */
function even(n: Int32Array, k: number): boolean {
  return k >= n.length || odd(n, k + 1);
}
function odd(n: Int32Array, k: number): boolean {
  return k < n.length && even(n, k + 1);
}
export const b = compile((n: Int32Array) => even(n, 0), { target: "webgpu" });
