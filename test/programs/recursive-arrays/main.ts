import { compile } from "fluxion";

/** Sorts a part of an array in place, the array being the same at every depth. */
function quicksort(a: Float64Array, low: number, high: number): void {
  if (low >= high) return;
  const pivot = a[(low + high) >> 1]!;
  let i = low;
  let j = high;
  while (i <= j) {
    while (a[i]! < pivot) i++;
    while (a[j]! > pivot) j--;
    if (i <= j) {
      const swapped = a[i]!;
      a[i++] = a[j]!;
      a[j--] = swapped;
    }
  }
  quicksort(a, low, j);
  quicksort(a, i, high);
}

const sorted = compile((x: Float64Array) => {
  const own = x.slice();
  quicksort(own, 0, own.length - 1);
  return own;
});

/** The determinant by minors; rows and columns that are left are two linked lists. */
function minor(
  a: Float64Array,
  n: number,
  m: number,
  rows: Int32Array,
  columns: Int32Array,
): number {
  if (m === 0) return 1;
  const row = rows[n]!;
  rows[n] = rows[row]!;
  let sum = 0;
  let sign = 1;
  let before = n;
  for (let k = 0; k < m; k++) {
    const column = columns[before]!;
    columns[before] = columns[column]!;
    sum += sign * a[row * n + column]! * minor(a, n, m - 1, rows, columns);
    columns[before] = column;
    before = column;
    sign = -sign;
  }
  rows[n] = row;
  return sum;
}

export const determinant = compile((a: Float64Array, n: number) => {
  const rows = new Int32Array(n + 1);
  const columns = new Int32Array(n + 1);
  for (let i = 0; i < n; i++) {
    rows[i] = i + 1;
    columns[i] = i + 1;
  }
  rows[n] = 0;
  columns[n] = 0;
  return minor(a, n, n, rows, columns);
});

/** Two arrays that change places at every depth. */
function bounce(from: Float64Array, to: Float64Array, depth: number): void {
  for (let i = 0; i < from.length; i++) to[i] = from[i]! * 0.5 + i;
  if (depth > 0) bounce(to, from, depth - 1);
}
const bounced = compile((x: Float64Array, depth: number) => {
  const a = x.slice();
  const b = new Float64Array(x.length);
  bounce(a, b, depth);
  return [a, b];
});

/** A captured array that the function writes, and one that it only reads. */
const paths = compile((next: Int32Array, weights: Float64Array, start: number) => {
  const seen = new Float64Array(weights.length);
  let steps = 0;
  const visit = (node: number, distance: number): number => {
    if (seen[node] === 1 || steps > 20) return distance;
    steps++;
    seen[node] = 1;
    return visit(next[node]!, distance + weights[node]!);
  };
  return { distance: visit(start, 0), seen, steps };
});

/** Arrays that are results, of a length that all depths share. */
function smooth(x: Float64Array, depth: number): Float64Array {
  if (depth === 0) return x.slice();
  const inner = smooth(x, depth - 1);
  return inner.map((v, i) => v + (i > 0 ? inner[i - 1]! : 0) / depth);
}
const smoothed = compile((x: Float64Array, depth: number) => smooth(x, depth));

/** A record whose fields each call writes. */
interface Walk {
  x: number;
  steps: number;
}
function walk(state: Walk, limit: number): void {
  if (state.x > limit) return;
  state.x = state.x * 1.5 + 0.25;
  state.steps++;
  walk(state, limit);
}
const walked = compile((x: number, limit: number) => {
  const state = { x, steps: 0 };
  walk(state, limit);
  return state;
});

/** All orders of a list, in place, by backtracking. */
const orders = compile((values: Float64Array) => {
  const own = values.slice();
  let best = Infinity;
  const permute = (k: number): void => {
    if (k === own.length) {
      let cost = 0;
      for (let i = 1; i < own.length; i++) cost += i * Math.abs(own[i]! - own[i - 1]!);
      best = Math.min(best, cost);
      return;
    }
    for (let i = k; i < own.length; i++) {
      const kept = own[k]!;
      own[k] = own[i]!;
      own[i] = kept;
      permute(k + 1);
      own[i] = own[k]!;
      own[k] = kept;
    }
  };
  permute(0);
  return { best, own };
});

/** A row of a matrix as the argument that is written. */
function spread(row: Float64Array, at: number): void {
  if (at >= row.length) return;
  row[at] = at === 0 ? 1 : row[at - 1]! * 0.5;
  spread(row, at + 1);
}
const rows = compile((n: number) => {
  const a = new Float64Array(n);
  spread(a, 0);
  const b = new Float64Array(n);
  spread(b, 1);
  return [a, b];
});

export const main = () => [
  sorted(new Float64Array([3, 1, 2, -5, 8, 8, 0, 4])),
  sorted(new Float64Array(0)),
  determinant(new Float64Array([2, 1, 3, 0, 4, 1, 5, 2, 2]), 3),
  determinant(new Float64Array([1, 2, 3, 4, 0, 1, 5, 6, 2, 1, 7, 1, 3, 3, 1, 2]), 4),
  bounced(new Float64Array([1, 2, 3]), 3),
  bounced(new Float64Array([1, 2]), 0),
  paths(new Int32Array([2, 0, 3, 1]), new Float64Array([1, 2, 4, 8]), 0),
  smoothed(new Float64Array([1, 2, 3]), 4),
  walked(0.5, 20),
  orders(new Float64Array([3, 1, 2, 5])),
  rows(4),
];
