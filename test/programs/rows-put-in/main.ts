import { compile } from "fluxion";

interface Point {
  x: number;
  at: [number, number];
}

/** Elimination with rows that change places: copies, so that they are written one by one. */
const solve = compile((m: readonly (readonly number[])[], b: readonly number[]) => {
  const a = m.map((row, i) => [...row, b[i]!]);
  const n = a.length;
  for (let k = 0; k < n; k++) {
    let p = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(a[i]![k]!) > Math.abs(a[p]![k]!)) p = i;
    const held = a[k]!.slice();
    a[k] = a[p]!.slice();
    a[p] = held;
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const f = a[i]![k]! / a[k]![k]!;
      for (let j = k; j <= n; j++) a[i]![j]! -= f * a[k]![j]!;
    }
  }
  return a.map((row, k) => row[n]! / row[k]!);
});

/** Rows of another array, and of this one, that nobody writes. */
const gathered = compile((points: readonly Point[], rows: number[][], order: Int32Array) => {
  const kept = Array.from({ length: points.length }, (): Point => ({ x: 0, at: [0, 0] }));
  let n = 0;
  for (const p of points) if (p.x > 1) kept[n++] = p;
  const sorted = rows.map((_, i) => rows[order[i]!]!);
  for (let i = 1; i < sorted.length; i += 2) sorted[i] = sorted[i - 1]!;
  const row = [1, 2];
  return {
    kept: kept.slice(0, n),
    sorted,
    same: rows.map((r) => r),
    alike: rows.map(() => row),
    first: points.map((p) => p.at),
  };
});

/** Rows that are made in each turn are written there and later. */
const fresh = compile((x: Float64Array, n: number) => {
  const rows = Array.from({ length: n }, () => [0, 0]);
  const points = Array.from({ length: n }, (_, i): Point => ({ x: i, at: [i, 1] }));
  for (let i = 0; i < n; i++) {
    const row = [x[i]!, i];
    row[1]! += 1;
    rows[i] = row;
    const point: Point = { x: x[i]!, at: [i, 2] };
    if (i > 0) points[i] = point;
    rows[0]![0]! += 1;
    points[i]!.at[1] += rows[i]![1]!;
  }
  const last = [7, 8];
  rows[n - 1] = last;
  rows[0]![1]! *= 3;
  return { rows, points };
});

const given: Point[] = [
  { x: 1, at: [1, 2] },
  { x: 2, at: [3, 4] },
  { x: 3, at: [5, 6] },
];
const rows = [
  [1, 2],
  [3, 4],
  [5, 6],
];
const matrix = [
  [0, 2, 1],
  [1, 1, 0.5],
  [4, -1, 3],
];

export const main = () => [
  solve(matrix, [1, 2, 3]),
  gathered(given, rows, Int32Array.of(2, 0, 1)),
  fresh(Float64Array.of(0.5, 1.5, 2.5), 3),
];
