import { compile } from "fluxion";

interface Point {
  x: number;
  y: number;
}
const copy = (points: readonly Point[]) => points.map(({ x, y }) => ({ x, y }));
const rowsOf = (x: Float64Array) => Array.from({ length: x.length }, (_, i) => [x[i]!, 2]);

/** A row that is given to another place of its array stands in both. */
export const a = compile((points: readonly Point[], k: number) => {
  const own = copy(points);
  own[k] = own[k + 1]!;
  own[k]!.x = 7;
  return own[k + 1]!.x;
});
export const b = compile((x: Float64Array, k: number) => {
  const rows = rowsOf(x);
  rows[k] = rows[k + 1]!;
  rows[k]![0] = 7;
  return rows[k + 1]![0]!;
});

/** One row from before a loop, in every place. */
export const c = compile((x: Float64Array) => {
  const row = [1, 2];
  const rows = Array.from({ length: x.length }, () => row);
  rows[0]![0] = 7;
  return rows;
});
export const d = compile((x: Float64Array, point: Point) => {
  const one = { x: point.x, y: point.y };
  const own = x.map((v) => v);
  const points = Array.from({ length: own.length }, (_, i) => ({ x: i, y: own[i]! }));
  for (let i = 0; i < points.length; i++) points[i] = one;
  points[0]!.x = 7;
  return points;
});

/** What is put in later is known to the turns before, from the second turn on. */
export const e = compile((x: Float64Array) => {
  const rows = rowsOf(x);
  for (let i = 0; i + 1 < x.length; i++) {
    rows[i + 1]![0] = i;
    rows[i] = rows[i + 1]!;
  }
  return rows;
});

/** Known items, one of them twice. */
export const f = compile((k: number) => {
  const row = [k, 2];
  const rows = [row, [3, 4], row];
  rows[k]![0] = 7;
  return rows;
});

/** The rows of one array are those of another that was made of them. */
export const g = compile((x: Float64Array) => {
  const rows = rowsOf(x);
  const same = rows.map((row) => row);
  rows[0]![0] = 7;
  return same;
});
