import { compile, grad, jvp } from "fluxion";

/** Arrays made in loops, of another length in every round, and the derivatives through them. */
type Sum = (x: Float64Array, rounds: number) => number;

/** The length is the counter's, and the array is read where it was written. */
const prefixes: Sum = (x, rounds) => {
  let total = 0;
  for (let r = 0; r < rounds; r++) {
    const part = new Float64Array(r + 1);
    for (let i = 0; i <= r; i++) part[i] = x[i] * x[i] + (i > 0 ? part[i - 1] : 0);
    for (let i = 0; i < part.length; i++) total += part[i] * Math.sin(part[r]);
  }
  return total;
};
/** The length is computed, the array is one of a branch, and its elements are kept as they were. */
const branches: Sum = (x, rounds) => {
  let total = 0;
  let n = 1;
  for (let r = 0; r < rounds; r++) {
    n = (n * 2) % 5;
    if (x[r] > 0) {
      const powers = new Float64Array(n);
      let power = 1;
      for (let i = 0; i < n; i++) {
        power *= x[r];
        powers[i] = power;
        powers[0] *= 1 + x[0];
      }
      for (const v of powers) total += v * v;
    } else {
      const steps = new Float64Array(n + 1).fill(x[r]);
      for (let i = 1; i <= n; i++) steps[i] *= steps[i - 1];
      total += steps[n];
    }
  }
  return total;
};
/** Loops in loops: one length for each of the outer rounds, one for each of the inner ones. */
const nested: Sum = (x, rounds) => {
  let total = 0;
  for (let r = 0; r < rounds; r++) {
    const outer = new Float64Array(r + 2);
    outer[0] = x[r];
    for (let s = 1; s < outer.length; s++) {
      const inner = new Float64Array(s);
      for (let i = 0; i < s; i++) inner[i] = outer[i] * x[i % x.length];
      const shifted = inner.map((v, i) => Math.tanh(v) * (i + 1));
      outer[s] = shifted.reduce((sum, v) => sum + v, 0) + inner[s - 1] * inner[0];
    }
    total += outer[r + 1];
  }
  return total;
};
/** A `while` loop, whose length halves; what it makes goes on to the next round as a number. */
const halving: Sum = (x, rounds) => {
  let length = 2 * rounds;
  let carried = x[0];
  while (length >= 1) {
    const list = new Float64Array(Math.floor(length));
    for (let i = 0; i < list.length; i++) list[i] = Math.cos(carried * x[i % x.length]);
    let product = 1;
    for (let i = 0; i < list.length; i++)
      product = product * 0.5 + list[i] * list[list.length - 1 - i];
    carried = product;
    length /= 2;
  }
  return carried;
};
/** The arrays are made by a function that calls itself, one as long as the other says. */
const descend = (x: Float64Array, n: number): number => {
  if (n <= 0) return x[0];
  const own = new Float64Array(n);
  for (let i = 0; i < n; i++) own[i] = x[i % x.length] * descendOnce(own, i);
  const squares = new Float64Array(own.length + 1).fill(0.5);
  for (let i = 0; i < n; i++) squares[i + 1] = own[i] * own[n - 1 - i] * squares[i];
  let sum = 0;
  for (const v of squares) sum += v * Math.cos(v);
  return sum + Math.sin(descend(x, n - 1));
};
const descendOnce = (own: Float64Array, i: number): number => (i > 0 ? 1 + own[i - 1] : 1);
const recursive: Sum = (x, rounds) => descend(x, rounds);

const slopeAlong = (f: Sum) => (x: Float64Array, rounds: number) =>
  jvp((y: Float64Array) => f(y, rounds), [x], [x.map((_, i) => i + 1)])[1];
/** The squared length of the gradient, and its own gradient. */
const curvature = (f: Sum) => (x: Float64Array, rounds: number) =>
  grad(f)(x, rounds).reduce((sum, v) => sum + v * v, 0);

const prefixesValue = compile(prefixes);
const prefixesGrad = grad(prefixes);
const prefixesJvp = compile((x: Float64Array, n: number) => slopeAlong(prefixes)(x, n));
const prefixesTwice = grad((x: Float64Array, n: number) => curvature(prefixes)(x, n));
const branchesValue = compile(branches);
const branchesGrad = grad(branches);
const branchesJvp = compile((x: Float64Array, n: number) => slopeAlong(branches)(x, n));
const branchesTwice = grad((x: Float64Array, n: number) => curvature(branches)(x, n));
const nestedValue = compile(nested);
const nestedGrad = grad(nested);
const nestedJvp = compile((x: Float64Array, n: number) => slopeAlong(nested)(x, n));
const nestedTwice = grad((x: Float64Array, n: number) => curvature(nested)(x, n));
const halvingValue = compile(halving);
const halvingGrad = grad(halving);
const halvingJvp = compile((x: Float64Array, n: number) => slopeAlong(halving)(x, n));
const halvingTwice = grad((x: Float64Array, n: number) => curvature(halving)(x, n));
const recursiveValue = compile(recursive);
const recursiveGrad = grad(recursive);
const recursiveJvp = compile((x: Float64Array, n: number) => slopeAlong(recursive)(x, n));
const recursiveTwice = grad((x: Float64Array, n: number) => curvature(recursive)(x, n));

type Slope = (x: Float64Array, rounds: number) => Float64Array;
const all: readonly (readonly [Sum, Sum, Slope, Sum, Slope])[] = [
  [prefixes, prefixesValue, prefixesGrad, prefixesJvp, prefixesTwice],
  [branches, branchesValue, branchesGrad, branchesJvp, branchesTwice],
  [nested, nestedValue, nestedGrad, nestedJvp, nestedTwice],
  [halving, halvingValue, halvingGrad, halvingJvp, halvingTwice],
  [recursive, recursiveValue, recursiveGrad, recursiveJvp, recursiveTwice],
];

const x = Float64Array.of(0.6, -0.4, 0.9, 0.3, -0.7);
/** A derivative by differences of the fourth order. */
const difference = (f: (h: number) => number): number => {
  const h = 1e-3;
  return (f(-2 * h) - 8 * f(-h) + 8 * f(h) - f(2 * h)) / (12 * h);
};
const slopes = (f: (x: Float64Array) => number, at: Float64Array) =>
  at.map((v, k) => difference((h) => f(at.with(k, v + h))));

export const main = () =>
  all.map(([, value, gradient, along, twice]) =>
    [1, 4, 5].map((n) => ({
      value: value(x, n),
      gradient: gradient(x, n),
      along: along(x, n),
      twice: twice(x, n),
    })),
  );

export const expected = () =>
  all.map(([f]) =>
    [1, 4, 5].map((n) => {
      const squared = (at: Float64Array) =>
        slopes((y) => f(y, n), at).reduce((sum, v) => sum + v * v, 0);
      return {
        value: f(x, n),
        gradient: slopes((y) => f(y, n), x),
        along: difference((h) =>
          f(
            x.map((v, i) => v + h * (i + 1)),
            n,
          ),
        ),
        twice: slopes(squared, x),
      };
    }),
  );
export const tolerance = 1e-6;
