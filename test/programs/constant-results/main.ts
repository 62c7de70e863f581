import { compile, grad, jvp, vjp } from "fluxion";

/** Results that are known when the program is compiled, of those that JSON cannot write. */
const list = compile((x: number) => [x, Infinity, -Infinity, NaN, -0, 0, 1e300 * 1e300]);
const record = compile((x: number) => ({ x, lo: -Infinity, hi: Infinity, nan: NaN, zero: -0 }));
const tuple = compile((x: number): [number, number] => [x, 1 / 0]);
const infinite = compile(() => Infinity);
const negativeZero = compile(() => -0);
const undefinedResult = compile((x: number) => ({ x, none: undefined, nil: null, text: "-0" }));
const extreme = compile((x: number) => {
  const none: number[] = [];
  let lo = Infinity;
  for (const v of none) lo = Math.min(lo, v);
  return { lo, x };
});
const chosen = compile((x: number): number[] => {
  let [lo, hi] = [Infinity, -0];
  if (x > 0) [lo, hi] = [NaN, 1];
  return [lo, hi];
});
const filled = compile((n: number) => Array.from({ length: n }, () => -Infinity));
const typed = compile(() => Float64Array.of(Infinity, NaN, -0, -Infinity));
const tabled = compile((x: Float64Array) => x.map((v) => (v > 1 ? Infinity : v < 0 ? NaN : -0)));

const bounded = (x: number): [number, number] => [Infinity, x * x];
const pushed = compile((x: number): [[number, number], [number, number]] => jvp(bounded, [x], [1]));
const pulled = compile((x: number) => vjp(bounded, x)[1]([1, 1]));
const pulledOutside = () => {
  const [value, pull] = vjp(bounded, 3);
  return [value, pull([5, 1])];
};
const pushedOutside = () => jvp(bounded, [3], [1]);
const slope = compile((x: number) => [grad((y: number) => Math.min(Infinity, y * y))(x), -0]);

export const main = () => [
  list(2),
  record(2),
  tuple(2),
  infinite(),
  negativeZero(),
  undefinedResult(1),
  extreme(1),
  [chosen(1), chosen(-1)],
  filled(2),
  typed(),
  tabled(Float64Array.of(-1, 0, 2)),
  pushed(3),
  pulled(3),
  pulledOutside(),
  pushedOutside(),
  slope(3),
];

export const expected = () => [
  [2, Infinity, -Infinity, NaN, -0, 0, Infinity],
  { x: 2, lo: -Infinity, hi: Infinity, nan: NaN, zero: -0 },
  [2, Infinity],
  Infinity,
  -0,
  { x: 1, none: undefined, nil: null, text: "-0" },
  { lo: Infinity, x: 1 },
  [
    [NaN, 1],
    [Infinity, -0],
  ],
  [-Infinity, -Infinity],
  Float64Array.of(Infinity, NaN, -0, -Infinity),
  Float64Array.of(NaN, -0, Infinity),
  [
    [Infinity, 9],
    [0, 6],
  ],
  [6],
  [[Infinity, 9], [6]],
  [
    [Infinity, 9],
    [0, 6],
  ],
  [6, -0],
];
