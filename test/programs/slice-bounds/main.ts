import { compile, grad } from "fluxion";

/** Bounds of `slice`, `fill` and `at` that are known at run time alone, whatever they are. */
const typed = compile((x: Float64Array, a: number, b: number) => x.slice(a, b));
const tail = compile((x: Float64Array, k: number) => x.slice(-k));
const upTo = compile((x: Float64Array, b: number) => x.slice(undefined, b));
const numbers = compile((x: number[], a: number, b: number) => x.slice(a, b));
const singles = compile((x: Float32Array, a: number, b: number) => x.slice(a, b));
const integers = compile((x: Int32Array, a: number, b: number) => x.slice(a, b));
const rows = compile((m: number[][], a: number, b: number) => m.slice(a, b));
const points = compile((p: { x: number; y: number }[], a: number, b: number) => p.slice(a, b));
const literal = compile((a: number, b: number) => [1, 2, 3, 4].slice(a, b));
const part = compile((m: number[][], a: number, b: number) => m.map((row) => row.slice(a, b)[0]));
const counted = compile((x: Float64Array) => {
  let sum = 0;
  for (let i = -9; i < 9; i++) for (const v of x.slice(i, i + 2)) sum = sum * 0.5 + v;
  return sum;
});
const halves = compile((x: Float64Array) => [
  x.slice(0, x.length / 2).length,
  x.slice(x.length / 2).length,
  x.slice(-x.length / 2).length,
  x.slice(-2).length,
  x.slice(1, -1).length,
  x.slice(-100, 100).length,
  x.slice(-Infinity, Infinity).length,
  x.slice(1.9, -1.9).length,
  x.slice(NaN).length,
]);

const filled = compile((n: number, a: number, b: number) => new Float64Array(n).fill(1.5, a, b));
const refilled = compile((x: number[], a: number, b: number) => {
  const copy = x.slice();
  copy.fill(7, a, b);
  copy.fill(8, undefined, 1);
  return copy;
});
const list = compile((a: number) => [1, 2, 3].fill(9, a));

const at = compile((x: Float64Array, i: number) => x.at(i)!);
const atOfNumbers = compile((x: number[], i: number) => x.at(i)!);
const atOfList = compile((i: number) => [5, 6, 7].at(i)!);
const row = compile((m: number[][], i: number) => m.at(i)!);
const backwards = compile((x: Float64Array) => {
  let sum = 0;
  for (let i = -1; i >= -x.length; i--) sum = sum * 0.5 + x.at(i)!;
  return [sum, x.at(-1)!, x.at(1.7)!, x.at(-1.7)!, x.at(-0.5)!];
});

/** ∂ of the squares of a part: 2x inside, 0 outside. */
const squares = (x: Float64Array, a: number, b: number) =>
  x.slice(a, b).reduce((sum, v) => sum + v * v, 0);
const slope = compile((x: Float64Array, a: number, b: number) => grad(squares)(x, a, b));
const insideOf = (x: Float64Array, a: number, b: number) => {
  const indices = Array.from(x, (_, k) => k).slice(a, b);
  return x.map((v, k) => (indices.includes(k) ? 2 * v : 0));
};

const bounds = [0, 1, 2, 5, 6, 7, 100, -1, -2, -6, -7, -100];
const odd = [0.5, -0.5, 2.9, -2.9, 5.5, -6.5, NaN, Infinity, -Infinity, 1e12, -1e12, -0];
const pairs = [...bounds, ...odd].flatMap((a) => [...bounds, ...odd].map((b) => [a, b] as const));
const indices = [0, 1, 2, -1, -2, -3, 0.5, -0.5, 2.9, -2.9, NaN, -0];

const results = (slopes: (...args: Parameters<typeof slope>) => Float64Array) => {
  const x = Float64Array.of(1, 2, 3, 4, 5, 6);
  const m = [
    [1, 2],
    [3, 4],
    [5, 6],
  ];
  const records = [3, 4, 5].map((k) => ({ x: k, y: -k }));
  return [
    pairs.map(([a, b]) => [
      typed(x, a, b),
      numbers([...x], a, b),
      singles(Float32Array.from(x), a, b),
      integers(Int32Array.from(x), a, b),
      rows(m, a, b),
      points(records, a, b),
      literal(a, b),
      filled(6, a, b),
      refilled([...x], a, b),
      slopes(x, a, b),
    ]),
    [...bounds, ...odd].map((k) => [tail(x, k), upTo(x, k), list(k)]),
    part(m, -1, 2),
    counted(x),
    halves(x),
    halves(x.slice(1)),
    indices.map((i) => [at(x, i), atOfNumbers([1, 2, 3], i), atOfList(i), row(m, i)]),
    backwards(x),
  ];
};

export const main = () => results(slope);
export const expected = () => results(insideOf);
