/**
 * Optimizers as functions: parameters, gradients and state in, new parameters and state out. They
 * take any record of tensors, nested as it may be.
 */

import { treeMap, zerosLike, zeros } from "../lang/index.ts";
import type { Tensor } from "../lang/index.ts";

/** What an optimizer returns. */
export interface Update<P, S> {
  readonly params: P;
  readonly state: S;
}

/** p - learningRate · g */
export function sgd<P>(params: P, gradient: P, options: { readonly learningRate: number }): P {
  return treeMap((p, g) => p.sub(g.mul(options.learningRate)), params, gradient);
}

export interface Momentum<P> {
  readonly velocity: P;
}

export function initMomentum<P>(params: P): Momentum<P> {
  return { velocity: treeMap((p) => zerosLike(p), params) };
}

/**
 * v ← momentum · v + g;  p ← p - learningRate · v  (Polyak, 1964), or with `nesterov`
 * p ← p - learningRate · (g + momentum · v)  (Sutskever et al., 2013).
 */
export function momentum<P>(
  params: P,
  gradient: P,
  state: Momentum<P>,
  options: {
    readonly learningRate: number;
    readonly momentum?: number;
    readonly nesterov?: boolean;
  },
): Update<P, Momentum<P>> {
  const { learningRate, momentum = 0.9, nesterov = false } = options;
  const velocity = treeMap((v, g) => v.mul(momentum).add(g), state.velocity, gradient);
  const step = nesterov ? treeMap((v, g) => g.add(v.mul(momentum)), velocity, gradient) : velocity;
  return {
    params: treeMap((p, v) => p.sub(v.mul(learningRate)), params, step),
    state: { velocity },
  };
}

export interface Adam<P> {
  /** The number of updates so far. */
  readonly step: Tensor<[]>;
  /** Running means of the gradient and of its square. */
  readonly mean: P;
  readonly square: P;
}

export function initAdam<P>(params: P): Adam<P> {
  return {
    step: zeros([]),
    mean: treeMap((p) => zerosLike(p), params),
    square: treeMap((p) => zerosLike(p), params),
  };
}

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
  /** Decoupled weight decay: p is also scaled by 1 - learningRate · weightDecay. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma and Ba, 2015), or AdamW with `weightDecay` (Loshchilov and Hutter, 2019):
 *
 *   m ← β₁ m + (1-β₁) g;  s ← β₂ s + (1-β₂) g²;  p ← p - η m̂ / (√ŝ + ε)
 *
 * where m̂ = m / (1 - β₁ᵗ) and ŝ = s / (1 - β₂ᵗ).
 */
export function adam<P>(
  params: P,
  gradient: P,
  state: Adam<P>,
  options: AdamOptions,
): Update<P, Adam<P>> {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  const step = state.step.add(1);
  const mean = treeMap((m, g) => m.mul(beta1).add(g.mul(1 - beta1)), state.mean, gradient);
  const square = treeMap(
    (s, g) => s.mul(beta2).add(g.mul(g).mul(1 - beta2)),
    state.square,
    gradient,
  );
  const unbiasMean = step.mul(Math.log(beta1)).expm1().neg().reciprocal().mul(learningRate);
  const unbiasSquare = step.mul(Math.log(beta2)).expm1().neg().reciprocal();
  const decay = 1 - learningRate * weightDecay;
  const next = treeMap(
    (p, m, s) => p.mul(decay).sub(m.mul(unbiasMean).div(s.mul(unbiasSquare).sqrt().add(epsilon))),
    params,
    mean,
    square,
  );
  return { params: next, state: { step, mean, square } };
}
