/** GradBench `gmm`: the posterior of a Gaussian mixture with a Wishart prior. */

import { compile, grad } from "fluxion";
import { flat, plain, type Prepare, rows, type Runs, work } from "./problem.ts";

/** The mixture: `k` Gaussians in `d` dimensions, each a row of the arrays. */
export interface Mixture {
  readonly alpha: Float64Array;
  readonly mu: Float64Array;
  /** Logarithms of the diagonals of the factors of the inverse covariances. */
  readonly q: Float64Array;
  /** What is below those diagonals, column by column. */
  readonly l: Float64Array;
}

export interface Setting {
  readonly d: number;
  /** Points, `d` numbers each. */
  readonly x: Float64Array;
  readonly m: number;
  readonly gamma: number;
}

function logSumExp(x: Float64Array): number {
  let largest = -Infinity;
  for (let i = 0; i < x.length; i++) largest = Math.max(largest, x[i]);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.exp(x[i] - largest);
  return Math.log(sum) + largest;
}

/** log Γ(x) for x > 0: Stirling's series, from where it has sixteen digits. */
function logGamma(x: number): number {
  let z = x;
  let below = 0;
  while (z < 15) {
    below += Math.log(z);
    z += 1;
  }
  const s = 1 / (z * z);
  const series = (1 / 12 - s * (1 / 360 - s * (1 / 1260 - s * (1 / 1680 - s / 1188)))) / z;
  return (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + series - below;
}

/** The logarithm of the gamma function of `d` dimensions. */
function logGammaOf(d: number, x: number): number {
  let sum = (d * (d - 1) * Math.log(Math.PI)) / 4;
  for (let j = 0; j < d; j++) sum += logGamma(x - j / 2);
  return sum;
}

/** The part of the prior that the mixture does not change. */
function wishartConstant(d: number, m: number, gamma: number): number {
  const n = d + m + 1;
  return n * d * Math.log(gamma / Math.SQRT2) - logGammaOf(d, n / 2);
}

export function logPosterior(mixture: Mixture, setting: Setting): number {
  const { alpha, mu, q, l } = mixture;
  const { d, x, m, gamma } = setting;
  const k = alpha.length;
  const n = x.length / d;
  const triangle = (d * (d - 1)) / 2;

  const logDeterminant = new Float64Array(k);
  const diagonal = new Float64Array(k * d);
  for (let a = 0; a < k; a++) {
    for (let j = 0; j < d; j++) {
      logDeterminant[a] += q[a * d + j];
      diagonal[a * d + j] = Math.exp(q[a * d + j]);
    }
  }

  let total = 0;
  const centred = new Float64Array(d);
  const product = new Float64Array(d);
  const beta = new Float64Array(k);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < k; a++) {
      for (let j = 0; j < d; j++) {
        centred[j] = x[i * d + j] - mu[a * d + j];
        product[j] = diagonal[a * d + j] * centred[j];
      }
      // The rows below the diagonal of a column are l[start + row].
      let start = a * triangle - 1;
      for (let column = 0; column < d; column++) {
        const c = centred[column];
        for (let row = column + 1; row < d; row++) product[row] += l[start + row] * c;
        start += d - column - 2;
      }
      let square = 0;
      for (let j = 0; j < d; j++) square += product[j] * product[j];
      beta[a] = alpha[a] + logDeterminant[a] - square / 2;
    }
    total += logSumExp(beta);
  }

  let prior = 0;
  for (let a = 0; a < k; a++) {
    let square = 0;
    for (let j = 0; j < d; j++) square += diagonal[a * d + j] * diagonal[a * d + j];
    for (let j = 0; j < triangle; j++) square += l[a * triangle + j] * l[a * triangle + j];
    prior += (gamma * gamma * square) / 2 - m * logDeterminant[a];
  }
  const likelihood = total - n * ((d / 2) * Math.log(2 * Math.PI) + logSumExp(alpha));
  return likelihood + k * wishartConstant(d, m, gamma) - prior;
}

export const value = compile(logPosterior, { reassociate: true });
export const slope = compile(grad(logPosterior), { reassociate: true });

interface Input extends Runs {
  readonly d: number;
  readonly m: number;
  readonly gamma: number;
  readonly alpha: readonly number[];
  readonly mu: readonly (readonly number[])[];
  readonly q: readonly (readonly number[])[];
  readonly l: readonly (readonly number[])[];
  readonly x: readonly (readonly number[])[];
}

function read(input: Input): [Mixture, Setting] {
  const alpha = Float64Array.from(input.alpha);
  const mixture = { alpha, mu: flat(input.mu), q: flat(input.q), l: flat(input.l) };
  return [mixture, { d: input.d, x: flat(input.x), m: input.m, gamma: input.gamma }];
}

export const objective: Prepare<Input> = (input) => {
  const [mixture, setting] = read(input);
  return work(() => value(mixture, setting), plain);
};

export const jacobian: Prepare<Input> = (input) => {
  const [mixture, setting] = read(input);
  const k = mixture.alpha.length;
  return work(
    () => slope(mixture, setting),
    ({ alpha, mu, q, l }) => ({
      alpha: Array.from(alpha),
      mu: rows(mu, k),
      q: rows(q, k),
      l: rows(l, k),
    }),
  );
};
