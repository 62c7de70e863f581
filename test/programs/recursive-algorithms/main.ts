import { compile, tensor, type Tensor } from "fluxion";
/** Recursion as it is written: on tensors, on shared scratch, with state, by kinds. */
function mpow(m: Tensor<[2, 2]>, n: number): Tensor<[2, 2]> {
  if (n <= 1) return m;
  return mpow(m, n - 1).matmul(m);
}
const c1 = compile((m: Tensor<[2, 2]>, n: number) => mpow(m, n));
function mergeSort(a: Float64Array, tmp: Float64Array, lo: number, hi: number): void {
  if (hi - lo < 2) return;
  const mid = (lo + hi) >> 1;
  mergeSort(a, tmp, lo, mid);
  mergeSort(a, tmp, mid, hi);
  let i = lo,
    j = mid;
  for (let k = lo; k < hi; k++) {
    if (i < mid && (j >= hi || a[i]! <= a[j]!)) tmp[k] = a[i++]!;
    else tmp[k] = a[j++]!;
  }
  for (let k = lo; k < hi; k++) a[k] = tmp[k]!;
}
const c2 = compile((x: Float64Array) => {
  const a = x.slice();
  mergeSort(a, new Float64Array(a.length), 0, a.length);
  return a;
});
const c3 = compile((n: number) => {
  const cols = new Int32Array(n);
  let count = 0;
  const place = (row: number): void => {
    if (row === n) {
      count++;
      return;
    }
    for (let c = 0; c < n; c++) {
      let ok = true;
      for (let r = 0; r < row; r++) {
        if (cols[r] === c || Math.abs(cols[r]! - c) === row - r) {
          ok = false;
          break;
        }
      }
      if (!ok) continue;
      cols[row] = c;
      place(row + 1);
    }
  };
  place(0);
  return count;
});
function range(a: Float64Array, lo: number, hi: number): { min: number; max: number } {
  if (hi - lo === 1) return { min: a[lo]!, max: a[lo]! };
  const mid = (lo + hi) >> 1;
  const l = range(a, lo, mid),
    r = range(a, mid, hi);
  return { min: Math.min(l.min, r.min), max: Math.max(l.max, r.max) };
}
const c4 = compile((x: Float64Array) => range(x, 0, x.length));
function treeSum(left: Int32Array, right: Int32Array, v: Float64Array, k: number): number {
  if (k < 0) return 0;
  return Math.tanh(v[k]! + treeSum(left, right, v, left[k]!) * treeSum(left, right, v, right[k]!));
}
const c5 = compile((l: Int32Array, r: Int32Array, v: Float64Array) => treeSum(l, r, v, 0));
const c6 = compile((x: Float64Array) =>
  x.map((v) => {
    const f = (n: number): number => (n <= 0 ? v : f(n - 1) * v);
    return f(v);
  }),
);
function collatz(n: number, steps = 0): number {
  return n === 1 ? steps : n % 2 === 0 ? collatz(n / 2, steps + 1) : collatz(3 * n + 1, steps + 1);
}
const c7 = compile((n: number) => collatz(n));
function flood(grid: Int32Array, w: number, x: number, y: number): number {
  if (x < 0 || y < 0 || x >= w || y * w >= grid.length) return 0;
  if (grid[y * w + x] !== 0) return 0;
  grid[y * w + x] = 2;
  let n = 1;
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ] as const)
    n += flood(grid, w, x + dx, y + dy);
  return n;
}
const c8 = compile((g: Int32Array, w: number) => {
  const own = g.slice();
  return [flood(own, w, 0, 0), own];
});
/** Arrays of another length at each depth, where the lengths are known. */
function halves(x: number[]): number {
  if (x.length === 1) return x[0]!;
  const half = x.length / 2;
  return halves(x.slice(0, half)) * 2 - halves(x.slice(half));
}
const c10 = compile((x: number) => halves([x, 2, 3, x, 5, 6, 7, 8, x, 1, 2, 3, 4, 5, 6, 7]));

type Op = "add" | "mul";
function fold(op: Op, a: Float64Array, k: number): number {
  if (k === a.length) return op === "add" ? 0 : 1;
  if (op === "add") return a[k]! + fold("mul", a, k + 1);
  return a[k]! * fold("add", a, k + 1);
}
const c9 = compile((a: Float64Array) => fold("add", a, 0));
export const main = () => [
  c1(tensor([1, 2, 3, 4], [2, 2]), 3),
  c2(new Float64Array([3, 1, 2, 5, 4, 0, 9])),
  c3(5),
  c3(6),
  c4(new Float64Array([3, 1, 2])),
  c5(new Int32Array([1, -1, -1]), new Int32Array([2, -1, -1]), new Float64Array([0.1, 0.2, 0.3])),
  c6(new Float64Array([1, 2.5])),
  c7(27),
  c8(new Int32Array([0, 0, 1, 0, 1, 0, 0, 0, 0]), 3),
  c9(new Float64Array([1, 2, 3, 4])),
  c10(3),
];
export const tolerance = 1e-12;
