import { compile, grad, hvp, jacrev } from "fluxion";

/** x (1 + x)^k below 2, k as many as it takes to 10. */
const branched = (x: number): number => {
  if (x < 2) {
    let s = x;
    while (s < 10) s *= 1 + x;
    return s;
  }
  return x;
};

/** x (1 + x)^n below 2. */
const counted = (x: number, n: number): number => {
  let s = x;
  if (x < 2) {
    for (let i = 0; i < n; i++) s *= 1 + x;
  }
  return s;
};

/** The last of the squares that were pushed. */
const last = (x: Float64Array): number => {
  const squares: number[] = [];
  for (const v of x) squares.push(v * v);
  return squares.pop()!;
};

/** More is pushed than is popped. */
const some = (x: Float64Array): number => {
  const values: number[] = [];
  for (const v of x) {
    values.push(v * v);
    values.push(v * v * v);
  }
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (i + 1) * values.pop()!;
  return sum;
};

/** The least of all, by an array of the least so far. */
const least = (a: Float64Array): number => {
  const so = new Float64Array(a.length + 1);
  so[0] = 100;
  for (let i = 0; i < a.length; i++) so[i + 1] = Math.min(so[i]!, a[i]! * a[i]!);
  return so[a.length]!;
};

/** Returns from loops in loops. */
const leaving = (x: number, n: number): number => {
  for (let i = 0; i < n; i++) {
    let j = 0;
    while (j < i) {
      x *= 1.5;
      if (x > 50) return x * x;
      j++;
    }
  }
  return -x;
};

const product = (q: Float64Array): number => {
  let p = 1;
  for (const v of q) p += v * p;
  return p;
};
/** Two steps of gradient ascent: the gradient of a loop inside a loop. */
const climb = (q: Float64Array): Float64Array => {
  let p = q;
  for (let k = 0; k < 2; k++) p = grad(product)(p);
  return p;
};

const of = compile((x: number, a: Float64Array) => ({
  branched: grad((y: number) => grad(branched)(y))(x),
  above: grad((y: number) => grad(branched)(y))(x + 2),
  counted: grad((y: number) => grad(counted)(y, 4))(x),
  once: grad(last)(a),
  last: grad((b: Float64Array) => grad(last)(b)[b.length - 1]!)(a),
  some: [grad(some)(a), hvp(some)(a, a)],
  least: grad((b: Float64Array) => grad(least)(b)[1]!)(a),
  leaving: grad((y: number) => grad(leaving)(y, 30))(x),
}));
const jacobian = jacrev(climb);

export const main = () => [of(0.5, Float64Array.of(3, 0.5, 2)), jacobian(Float64Array.of(0.5, 2))];

/** By hand; a step of `climb` goes from (a, b) to (1 + b, 1 + a). */
export const expected = () => [
  {
    branched: 16 * 1.5 ** 7 + 56 * 0.5 * 1.5 ** 6,
    above: 0,
    counted: 8 * 1.5 ** 3 + 12 * 0.5 * 1.5 ** 2,
    once: Float64Array.of(0, 0, 4),
    last: Float64Array.of(0, 0, 2),
    some: [
      // a₂³ + 2 a₂² + 3 a₁³
      Float64Array.of(0, 9 * 0.25, 3 * 4 + 4 * 2),
      Float64Array.of(0, 18 * 0.5 * 0.5, (6 * 2 + 4) * 2),
    ],
    least: Float64Array.of(0, 2, 0),
    leaving: 2 * 1.5 ** 24,
  },
  [Float64Array.of(1, 0), Float64Array.of(0, 1)],
];
export const tolerance = 1e-9;
