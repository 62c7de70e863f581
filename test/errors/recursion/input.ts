import { compile, grad } from "fluxion";

/** Halves of an array: arrays of another length at each depth. */
function total(x: Float64Array): number {
  if (x.length < 2) return x.length === 0 ? 0 : x[0]!;
  const half = x.length >> 1;
  return total(x.slice(0, half)) + total(x.slice(half));
}
export const a = compile(total);

/** Another function at each depth. */
function iterate(f: (x: number) => number, n: number): number {
  return n <= 0 ? f(1) : iterate((x) => f(x) * 2, n - 1);
}
export const b = compile((n: number) => iterate((x) => x, n));

/** No path on which it does not. */
function forever(n: number) {
  const rest: { x: number } = forever(n - 1);
  return { x: rest.x + 1 };
}
export const c = compile((n: number) => forever(n).x);

/** It calls itself in what it differentiates. */
function tower(x: number, n: number): number {
  return n <= 0 ? x : grad((y: number) => tower(y * y, n - 1))(x);
}
export const d = compile(tower);

/** One array under two names, and one of them is written. */
function pour(from: Float64Array, to: Float64Array, n: number): void {
  if (n < 0) return;
  to[n] = from[n]! + 1;
  if (n % 2 === 0) pour(to, from, n - 1);
  else pour(to, to, n - 1);
}
export const e = compile((x: Float64Array, n: number) => {
  const own = x.slice();
  pour(own, new Float64Array(x.length), n);
  return own;
});

/** An argument of the compiled function, which the call would write. */
export const f = compile((x: Float64Array, n: number) => {
  const other = new Float64Array(x.length);
  pour(other, x, n);
  return other;
});
