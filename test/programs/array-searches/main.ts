import { compile, grad } from "fluxion";

type Point = { x: number; on: boolean; at: [number, number] };

/** Searches by value: NaN is found by `includes` alone, and -0 is 0. */
const search = compile((x: Float64Array, i: Int32Array, a: number[], v: number) => {
  const list = [v, 2, 3, v];
  return {
    typed: [x.indexOf(v), x.lastIndexOf(v), x.includes(v), x.indexOf(NaN), x.includes(NaN)],
    ints: [i.indexOf(v), i.indexOf(3), i.includes(2.5), i.lastIndexOf(-1)],
    plain: [a.indexOf(v), a.includes(v), a.indexOf(v, 1), a.indexOf(v, -2), a.includes(v, 2)],
    list: [list.indexOf(3), list.lastIndexOf(v), list.indexOf(v, 1), list.includes(7)],
    names: [["a", "b"].indexOf("b"), ["a", "b"].includes("c"), [true, false].indexOf(v > 1)],
    none: [[].indexOf(v as never), ([] as number[]).includes(v)],
  };
});

/** Searches by a test. */
const tests = compile((x: Float64Array, ps: Point[], k: number) => {
  const list = [x[0]!, k, 3];
  return {
    first: x.findIndex((v) => v > 1),
    last: x.findLastIndex((v, n) => v > 1 && n < 3),
    none: x.findIndex((v) => v > 1e9),
    point: ps.findIndex((p) => p.on && p.x > k),
    lastPoint: ps.findLastIndex(({ at: [a, b] }) => a > b),
    list: list.findIndex((v) => v === k),
    some: [x.some((v) => v > 3), ps.some((p) => p.on), list.some((v) => v === 3)],
    every: [x.every((v) => v > 0), ps.every((p) => p.x > 0), list.every((v) => v === v)],
    empty: [x.slice(0, 0).some(() => true), x.slice(0, 0).every(() => false)],
  };
});

/** A test that writes is asked only until the answer is known. */
const counted = compile((x: Float64Array, k: number) => {
  let asked = 0;
  const seen = new Float64Array(x.length);
  const ask = (v: number, n: number): boolean => {
    asked++;
    seen[n] += 1;
    return v > 1;
  };
  const some = x.some(ask);
  const one = asked;
  const every = x.every((v, n) => !ask(v, n));
  const index = x.findIndex(ask);
  const list = [x[0]!, x[1]!, k, 5, 6];
  const third = list.findIndex((v) => {
    asked += 100;
    return v > 1;
  });
  const any = list.some((v) => {
    asked += 1000;
    return v > 1;
  });
  return { some, one, every, index, asked, seen, third, any };
});

/** In another order, in place and as a copy. */
const turned = compile((x: Float64Array, m: number[][], ps: Point[], k: number) => {
  const own = x.slice();
  const back = own.reverse();
  back[0]! += 1;
  const rows = m.map((row) => row.map((v) => v));
  rows[1]!.reverse();
  rows.reverse();
  rows[0]![0]! += 10;
  const list = [1, k, x[0]!];
  list.reverse();
  list[0]! += 0.5;
  const points = ps.map(({ x: u, on, at: [a, b] }) => ({ x: u, on, at: [a, b] }));
  points.reverse();
  points[k]!.x = -1;
  points[k]!.at.reverse();
  return {
    back,
    copy: x.toReversed(),
    x,
    rows,
    turnedRows: m.toReversed(),
    list,
    turnedList: list.toReversed(),
    points,
    others: ps.toReversed(),
  };
});

/** End to end, with arrays whose lengths the run tells. */
const joined = compile((a: number[], b: Float64Array, m: number[][], ps: Point[]) => ({
  numbers: a.concat(a, 3, [4, 5]),
  rows: m.concat(m, [[1, 2]]),
  points: ps.concat(ps.slice(1)),
  more: ps.concat([{ x: 1, on: true, at: [3, 4] }]),
  pairs: ps.map((p): [number, boolean] => [p.x, p.on]).concat([[9, false]]),
  spread: [...a, 1, ...b, a.length],
  copy: [...b],
  around: [0, ...a],
  from: Array.from(b),
}));

/** Extremes of all elements. */
const extremes = compile((x: Float64Array, i: Int32Array, a: number[]) => [
  Math.max(...x),
  Math.min(...x),
  Math.max(0, ...x, ...a, 2),
  Math.max(...i, 2.5),
  Math.min(...a.map((v) => v * v)),
  Math.max(...x.slice(0, 0)),
]);

/** Through what is found, turned and joined. */
const smooth = (x: Float64Array, k: number): number => {
  const own = Array.from(x.map((v, n) => Math.sin(v) * (n + 1)));
  const all = [...own, ...own.toReversed().concat(own)];
  own.reverse();
  let sum = Math.max(...x) * Math.min(...all) + all.reduce((s, v, n) => s + v * v * n, 0);
  const at = x.findIndex((v) => v > k);
  if (at >= 0) sum += x[at]! ** 3;
  if (own.some((v) => v > 2)) sum *= own[0]!;
  return sum + own[own.length - 1]! * x.indexOf(k);
};
const slope = grad(smooth);
const values = compile(smooth);

const points: Point[] = [
  { x: 1, on: false, at: [1, 2] },
  { x: 3, on: true, at: [5, 4] },
  { x: 2, on: true, at: [0, 0] },
];
const xs = Float64Array.of(0.5, 2, 3.5, NaN, 2);
const some = Float64Array.of(0.5, 2.25, 1.5);
const rows = [
  [1, 2],
  [3, 4],
  [5, 6],
];

const slopes = () => [slope(some, 1), slope(some, 2)];
const all = (slopesOfAll: () => readonly unknown[]) => [
  [0, 2, -0, NaN, 3].map((v) => search(xs, Int32Array.of(3, -1, 2, -1), [5, v, 2, v, 0], v)),
  tests(xs, points, 1),
  tests(some, points.slice(0, 1), 3),
  counted(some, 2),
  counted(Float64Array.of(0, 0.5), 0),
  turned(some, rows, points, 1),
  joined([1, 2], Float64Array.of(0.5, 7), rows, points),
  joined([], new Float64Array(0), rows, []),
  extremes(some, Int32Array.of(1, 7), [9, -3]),
  extremes(Float64Array.of(1, NaN), Int32Array.of(1, 7), []),
  values(some, 1),
  ...slopesOfAll(),
];

export const main = () => all(slopes);

/** Differences to the fourth order, where the eager language has no gradients. */
const differences = (x: Float64Array, k: number): Float64Array =>
  x.map((v, n) => {
    const h = 1e-4;
    const at = (steps: number): number => smooth(x.with(n, v + steps * h), k);
    return (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h);
  });
export const tolerance = 1e-8;
export const expected = () => all(() => [differences(some, 1), differences(some, 2)]);
