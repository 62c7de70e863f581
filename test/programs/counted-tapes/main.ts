import { compile, grad, hessian } from "fluxion";

/** Gradients of loops whose rounds are counted by arguments: what they keep has a length for the host. */
type Sum = (x: Float64Array, n: number) => number;

const counted: Sum = (x, n) => {
  let s = x[0];
  for (let i = 0; i < n; i++) s = Math.sin(s * x[i % x.length]) + 0.5;
  return s;
};
const computed: Sum = (x, n) => {
  let s = x[0];
  for (let i = 0; i < n * 2 + 1; i++) s = Math.tanh(s + x[i % x.length] * s);
  return s;
};
/** The number of rounds is a quotient, and the rounds count down. */
const halved: Sum = (x, n) => {
  let s = x[1];
  for (let i = Math.floor(n / 2); i > 0; i--) s = Math.cos(s) * x[i % x.length];
  return s;
};
/** Two loops in each round, one of them with as many rounds as the counter says. */
const nested: Sum = (x, n) => {
  let s = x[0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n + 2; j++) s = Math.sin(s + x[j % x.length]);
    for (let j = 0; j <= i; j += 3) s = 0.5 * s * s + x[j % x.length];
  }
  return s;
};
/** The arguments choose one of two numbers of rounds. */
const chosen: Sum = (x, n) => {
  const rounds = n > 2 ? n - 1 : 4;
  let s = x[2];
  for (let i = 0; i < rounds; i++) s = Math.sin(s) + x[i % x.length] * s;
  return s;
};
/** Elements decide which loops run, and whether any does. */
const branching: Sum = (x, n) => {
  let s = 0.3;
  for (let i = 0; i < n; i++) {
    const v = x[i % x.length];
    if (v * s > 0) {
      for (let j = 0; j < n + 1; j++) s = Math.sin(s + v);
    } else if (v < -0.5) {
      for (let j = 0; j < i; j++) s = Math.cos(s) * v;
      s *= s;
    } else s = -s * v - 0.1;
  }
  return s;
};
/** A loop in an arm, over an array and what is made of it there. */
const walking: Sum = (x, n) => {
  let s = 0;
  for (let i = 0; i < n; i++) {
    if (x[i % x.length] > 0) {
      const own = new Float64Array(i + 1);
      for (let j = 0; j <= i; j++)
        own[j] = Math.sin(x[j % x.length] + s) * (j > 0 ? own[j - 1] : 1);
      for (const v of x) s += own[i] * v * Math.cos(v);
    } else for (const v of x) s = Math.sin(s * v + 0.2);
  }
  return s;
};
/** Arrays that go from round to round, and new ones in each. */
const arrays: Sum = (x, n) => {
  const state = x.slice();
  let s = 0;
  for (let i = 0; i < n; i++) {
    const next = new Float64Array(x.length);
    for (let k = 0; k < x.length; k++) next[k] = Math.sin(state[k] * state[(k + 1) % x.length]);
    for (let k = 0; k < x.length; k++) state[k] = 0.5 * state[k] + next[k];
    s += next[i % x.length];
  }
  return s;
};
/** A stack of the program, which is filled and emptied again and again. */
const stacked: Sum = (x, n) => {
  const stack: number[] = [];
  let s = x[0];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) stack.push(s * x[j % x.length]);
    for (let j = 0; j < n; j++) s = Math.sin(s + stack.pop()!);
  }
  return s;
};
/** A loop that the arguments end, with a condition on numbers that it computes. */
const doubling: Sum = (x, n) => {
  let s = x[0];
  for (let p = 1; p < n; p *= 2)
    for (let j = p; j >= 1; j -= 2) s = Math.sin(s * x[p % x.length]) + 0.1;
  return s;
};

const countedSlope = grad(counted);
const computedSlope = grad(computed);
const halvedSlope = grad(halved);
const nestedSlope = grad(nested);
const chosenSlope = grad(chosen);
const branchingSlope = grad(branching);
const walkingSlope = grad(walking);
const arraysSlope = grad(arrays);
const stackedSlope = grad(stacked);
const doublingSlope = grad(doubling);
const countedTwice = hessian(counted);
const branchingTwice = compile((x: Float64Array, n: number) =>
  grad((y: Float64Array) => grad(branching)(y, n).reduce((sum, v, k) => sum + v * (k + 1), 0))(x),
);

type Slope = (x: Float64Array, n: number) => Float64Array;
const all: readonly (readonly [Sum, Slope])[] = [
  [counted, countedSlope],
  [computed, computedSlope],
  [halved, halvedSlope],
  [nested, nestedSlope],
  [chosen, chosenSlope],
  [branching, branchingSlope],
  [walking, walkingSlope],
  [arrays, arraysSlope],
  [stacked, stackedSlope],
  [doubling, doublingSlope],
];

const x = Float64Array.of(0.6, -0.4, 0.9, -0.75);
const counts = [0, 1, 3, 17, 2.5, -1, NaN];

export const main = () => [
  all.map(([, slope]) => counts.map((n) => slope(x, n))),
  counts.map((n) => countedTwice(x, n)),
  counts.map((n) => branchingTwice(x, n)),
];

/** A derivative by differences of the fourth order. */
const difference = (f: (h: number) => number): number => {
  const h = 1e-3;
  return (f(-2 * h) - 8 * f(-h) + 8 * f(h) - f(2 * h)) / (12 * h);
};
const slopes = (f: (x: Float64Array) => number): Float64Array =>
  x.map((_, k) => difference((h) => f(x.with(k, x[k] + h))));
const slopesAt = (f: Sum, at: Float64Array, n: number): Float64Array =>
  at.map((_, k) => difference((h) => f(at.with(k, at[k] + h), n)));

export const expected = () => [
  all.map(([f]) => counts.map((n) => slopes((at) => f(at, n)))),
  counts.map((n) => Array.from(x, (_, k) => slopes((at) => slopesAt(counted, at, n)[k]))),
  counts.map((n) =>
    slopes((at) => slopesAt(branching, at, n).reduce((sum, v, k) => sum + v * (k + 1), 0)),
  ),
];
export const tolerance = 1e-6;
