import { compile, grad, jvp, type Tensor, tensor, vmap } from "fluxion";

/** Pushed in one loop and popped in another, both of lengths that only the run tells. */
const reversed = compile((x: Float64Array) => {
  const stack: number[] = [];
  for (const v of x) stack.push(v * 2);
  const out = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) out[i] = stack.pop()!;
  return out;
});

/** What was on it before the loop is under what the loop pushes. */
const started = compile((n: number) => {
  const stack = [1, n];
  for (let i = 0; i < n; i++) stack.push(i * 10);
  let sum = 0;
  for (let i = 0; i < n + 1; i++) sum = sum * 3 + stack.pop()!;
  return [sum, stack.pop()!];
});

/** Pushed on some paths only; booleans. */
const chosen = compile((x: Float64Array) => {
  const kept: number[] = [];
  const signs: boolean[] = [];
  let count = 0;
  for (const v of x) {
    if (v > 0) {
      kept.push(v);
      count++;
    } else if (v < -1) {
      kept.push(-v);
      kept.push(100);
      count += 2;
    }
    signs.push(v > 0);
  }
  let sum = 0;
  while (count > 0) {
    sum = sum / 2 + kept.pop()!;
    count--;
  }
  let positive = 0;
  for (let i = 0; i < x.length; i++) if (signs.pop()!) positive += i + 1;
  return [sum, positive];
});

/** In one branch, and popped after it. */
const branched = compile((on: boolean, x: number) => {
  const stack = [x];
  if (on) stack.push(x * x);
  return stack.pop()!;
});

/** A list of known length stays one. */
const known = compile((x: number) => {
  const list = [x];
  list.push(x + 1);
  const last = list.pop()!;
  return last * list[0]! + list.length;
});

/** A search that keeps what it has still to visit. */
const reached = compile((next: Int32Array, start: number) => {
  const seen = new Float64Array(next.length);
  const waiting = [start];
  let left = 1;
  let order = 0;
  while (left > 0) {
    const at = waiting.pop()!;
    left--;
    if (seen[at]! > 0) continue;
    order++;
    seen[at] = order;
    waiting.push(next[at]!);
    waiting.push((at + 2) % next.length);
    left += 2;
  }
  return seen;
});

/** Rows, and a stack inside of a loop. */
const rows = compile((x: Float64Array, n: number) => {
  const stack: Float64Array[] = [];
  let total = 0;
  for (let i = 0; i < n; i++) {
    const inner: number[] = [];
    for (let j = 0; j < i; j++) inner.push(j);
    for (let j = 0; j < i; j++) total += inner.pop()! * j;
    stack.push(x.map((v) => v * i));
  }
  for (let i = 0; i < n; i++) {
    const row = stack.pop()!.slice();
    row[0]! += 1;
    total = total * 0.5 + row[0]! + row[1]!;
  }
  return total;
});

/** Functions that call themselves share one, given or captured. */
function down(n: number, stack: number[]): void {
  if (n <= 0) return;
  stack.push(n);
  down(n - 1, stack);
}
const shared = compile((n: number) => {
  const stack: number[] = [];
  down(n, stack);
  let sum = 0;
  const up = (k: number): void => {
    if (k <= 0) return;
    sum = sum * 2 + stack.pop()!;
    up(k - 1);
  };
  up(n);
  return sum;
});

/** Derivatives through a stack, forward, reverse, and of both. */
function through(x: number, n: number): number {
  const stack: number[] = [];
  let y = x;
  for (let i = 0; i < n; i++) {
    stack.push(y);
    y = Math.sin(y) * x;
  }
  for (let i = 0; i < n; i++) y *= stack.pop()! + 1;
  return y;
}
const slopes = compile((x: number, n: number) => [
  grad(through)(x, n),
  jvp((t: number) => through(t, n), [x], [1])[1],
  grad((t: number) => grad(through)(t, n))(x),
]);
const batch = compile((x: Float64Array) => vmap((v: number) => through(v, 2))(x));

const tensors = compile((x: Tensor<[2]>, n: number) => {
  const stack: Tensor<[2]>[] = [];
  for (let i = 0; i < n; i++) stack.push(x.mul(i));
  let sum = x;
  for (let i = 0; i < n; i++) sum = sum.mul(0.5).add(stack.pop()!);
  return sum;
});

const given = (n: number) => [
  reversed(Float64Array.of(1, 2, 3)),
  reversed(new Float64Array(0)),
  started(n),
  chosen(Float64Array.of(1, -2, 0, 3, -0.5)),
  branched(true, 3),
  branched(false, 3),
  known(n),
  reached(Int32Array.of(1, 3, 0, 2, 4), 0),
  rows(Float64Array.of(1, 2), n),
  shared(n),
  tensors(tensor([1, 2], [2]), n),
];

export const main = () => [given(3), given(0), slopes(0.7, 3), batch(Float64Array.of(0.5, 0.7))];

/** By differences, which the eager language can do too. */
export const expected = () => {
  const at = (x: number) => through(x, 3);
  const first = (x: number) => (at(x + 1e-5) - at(x - 1e-5)) / 2e-5;
  const second = (at(0.7 + 1e-3) - 2 * at(0.7) + at(0.7 - 1e-3)) / 1e-6;
  const slope = first(0.7);
  return [
    given(3),
    given(0),
    [slope, slope, second],
    Float64Array.of(through(0.5, 2), through(0.7, 2)),
  ];
};
export const tolerance = 1e-5;
