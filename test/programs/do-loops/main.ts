import { compile, grad } from "fluxion";

/** What the test of a `do` reads may have no value before the first turn. */
const bubble = compile((x: Float64Array) => {
  const a = x.slice();
  let swapped: boolean;
  do {
    swapped = false;
    for (let i = 1; i < a.length; i++) {
      if (a[i - 1] > a[i]) {
        [a[i - 1], a[i]] = [a[i], a[i - 1]];
        swapped = true;
      }
    }
  } while (swapped);
  return a;
});

const root = (a: number) => {
  let x = a;
  let error: number;
  do {
    const next = (x + a / x) / 2;
    error = Math.abs(next - x);
    x = next;
  } while (error > 1e-9);
  return [x, error];
};
const rootOf = compile(root);
const slope = compile((a: number) => grad((b: number) => root(b)[0])(a));

const skipping = compile((x: number, n: number) => {
  let k = 0;
  let last: number;
  do {
    k++;
    last = k * x;
    if (k % 2 === 0) continue;
    if (last > 50) break;
    last += 1;
  } while (last < 100 && k < n);
  return [k, last];
});
const nested = compile((n: number) => {
  let sum = 0;
  let i = 0;
  let outer: number;
  do {
    let j = 0;
    let inner: number;
    do {
      inner = i * j;
      sum += inner;
    } while (++j < 3 && inner < 4);
    outer = sum;
  } while (++i < n && outer < 100);
  return [sum, outer, i];
});
const once = compile((x: number) => {
  let y: number;
  do y = x * 2;
  while (y < 0);
  return y;
});
const doubled = compile((x: number) => {
  let isLarge: boolean, y: number;
  let z = x;
  do {
    y = z * z;
    isLarge = y > 10;
    z = isLarge ? z : z + 1;
  } while (!isLarge);
  return [y, z, isLarge ? 1 : 0];
});

const run = () => [
  bubble(Float64Array.of(3, 1, 2, -5, 8, 0)),
  bubble(new Float64Array(0)),
  [rootOf(2), rootOf(9)],
  [skipping(1, 10), skipping(30, 10), skipping(60, 10), skipping(2, 1)],
  [nested(1), nested(4), nested(50)],
  once(3),
  [doubled(1), doubled(100)],
];

export const tolerance = 1e-12;
export const main = () => [run(), [slope(2), slope(9)]];
/** d√a = 1/(2√a) */
export const expected = () => [run(), [0.5 / Math.SQRT2, 1 / 6]];
