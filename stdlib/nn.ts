/**
 * Layers, activations, losses and initialisers. A model is a function of a record of parameters;
 * there are no classes. Images are [batch, height, width, channels].
 */

import { oneHot, ones, where, zeros } from "../lang/index.ts";
import type { DType, Dim, Shape, Tensor } from "../lang/index.ts";
import type { AnyShape, ShapeFrom } from "../lang/types.ts";
import { conv2d, type ConvolutionOptions } from "../lang/index.ts";
import { type Key, normal, uniform } from "./random.ts";

// Layers

export interface Dense<I extends Dim, O extends Dim> {
  readonly w: Tensor<[I, O]>;
  readonly b: Tensor<[O]>;
}

/** x w + b; [batch, inputs] → [batch, outputs]. */
export function dense<B extends Dim, I extends Dim, O extends Dim>(
  layer: Dense<I, O>,
  x: Tensor<[B, NoInfer<I>]>,
): Tensor<[B, O]> {
  return x.matmul(layer.w).add(layer.b);
}

/** Weights uniform in ±√(6 / (inputs + outputs)), biases 0 (Glorot and Bengio, 2010). */
export function initDense<I extends Dim, O extends Dim>(
  key: Key,
  inputs: I,
  outputs: O,
): Dense<I, O> {
  return { w: glorotUniform(key, [inputs, outputs]), b: zeros([outputs]) } as Dense<I, O>;
}

export interface Conv2d<H extends Dim, W extends Dim, I extends Dim, O extends Dim> {
  /** [height, width, channels in, channels out] */
  readonly w: Tensor<[H, W, I, O]>;
  readonly b: Tensor<[O]>;
}

/** Convolution and bias; [batch, height, width, in] → [batch, height', width', out]. */
export function convolution<
  B extends Dim,
  H extends Dim,
  W extends Dim,
  I extends Dim,
  O extends Dim,
>(
  layer: Conv2d<H, W, I, O>,
  x: Tensor<[B, AnyShape, AnyShape, I]>,
  options: ConvolutionOptions = {},
): Tensor<[B, AnyShape, AnyShape, O]> {
  return conv2d(x, layer.w, options).add(layer.b);
}

/** Weights normal with variance 2 / (height · width · in), biases 0 (He et al., 2015). */
export function initConv2d<H extends Dim, W extends Dim, I extends Dim, O extends Dim>(
  key: Key,
  height: H,
  width: W,
  inputs: I,
  outputs: O,
): Conv2d<H, W, I, O> {
  return {
    w: heNormal(key, [height, width, inputs, outputs]),
    b: zeros([outputs]),
  } as Conv2d<H, W, I, O>;
}

/** Rows of a table [classes, features]; [n] → [n, features]. */
export function embedding<N extends Dim, V extends Dim, F extends Dim>(
  table: Tensor<[V, F]>,
  indices: Tensor<[N], "i32">,
): Tensor<[N, F]> {
  return table.take(indices);
}

export interface Norm<F extends Dim> {
  readonly scale: Tensor<[F]>;
  readonly offset: Tensor<[F]>;
}

/** Mean 0 and variance 1 over the last axis, then scale and offset (Ba et al., 2016). */
export function layerNorm<S extends Shape>(
  layer: Norm<AnyShape>,
  x: Tensor<S>,
  epsilon = 1e-5,
): Tensor<S> {
  const centred = x.sub(x.mean(-1, { keepDims: true }));
  const variance = centred.square().mean(-1, { keepDims: true });
  return centred.mul(variance.add(epsilon).rsqrt()).mul(layer.scale).add(layer.offset);
}

export function initNorm<F extends Dim>(features: F): Norm<F> {
  return { scale: ones([features]), offset: zeros([features]) } as Norm<F>;
}

/** Zeros elements with probability `rate` and scales the others by 1 / (1 - rate). */
export function dropout<S extends Shape>(key: Key, x: Tensor<S>, rate: number): Tensor<S> {
  const kept = uniform(key, x.shape).greaterEqual(rate);
  return where(kept, x.mul(1 / (1 - rate)), 0) as Tensor<S>;
}

// Activations

export function relu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return x.relu();
}

export function sigmoid<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return x.sigmoid();
}

export function tanh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return x.tanh();
}

/** x for x ≥ 0, slope · x below. */
export function leakyRelu<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  slope = 0.01,
): Tensor<S, D> {
  return where(x.greaterEqual(0), x, x.mul(slope)) as Tensor<S, D>;
}

/** x for x > 0, eˣ - 1 below; the exponential never sees a positive argument. */
export function elu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return where(x.greater(0), x, x.minimum(0).expm1()) as Tensor<S, D>;
}

/** ln(1 + eˣ) = max(x, 0) + ln(1 + e^-|x|) */
export function softplus<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return x.relu().add(x.abs().neg().exp().log1p());
}

/** x · sigmoid(x) */
export function silu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return x.mul(x.sigmoid());
}

/** x Φ(x), with the error function (Hendrycks and Gimpel, 2016). */
export function gelu<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  return x.mul(x.mul(Math.SQRT1_2).erf().add(1)).mul(0.5);
}

/** GELU by tanh: x/2 (1 + tanh(√(2/π) (x + 0.044715 x³))) */
export function geluTanh<S extends Shape, D extends DType>(x: Tensor<S, D>): Tensor<S, D> {
  const inner = x.add(x.mul(x).mul(x).mul(0.044715)).mul(Math.sqrt(2 / Math.PI));
  return x.mul(inner.tanh().add(1)).mul(0.5);
}

export function softmax<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  axis = -1,
): Tensor<S, D> {
  return x.softmax(axis);
}

export function logSoftmax<S extends Shape, D extends DType>(
  x: Tensor<S, D>,
  axis = -1,
): Tensor<S, D> {
  return x.logSoftmax(axis);
}

// Losses and metrics

/**
 * -ln softmax(logits)[label] for each row; logits [batch, classes], labels in 0 … classes-1.
 */
export function softmaxCrossEntropy<B extends Dim, C extends Dim>(
  logits: Tensor<[B, C]>,
  labels: Tensor<[B], "i32">,
): Tensor<[B]> {
  const target = oneHot(labels, logits.shape[1]);
  return logits.logSumExp(-1).sub(logits.mul(target).sum(-1));
}

/** -ln of the probability that sigmoid(logits) gives the label, 0 or 1, for each element. */
export function sigmoidCrossEntropy<S extends Shape>(
  logits: Tensor<S>,
  labels: Tensor<S>,
): Tensor<S> {
  return softplus(logits).sub(logits.mul(labels));
}

/** The mean squared difference. */
export function mse<S extends Shape>(prediction: Tensor<S>, target: Tensor<S>): Tensor<[]> {
  return prediction.sub(target).square().mean();
}

/** The mean absolute difference. */
export function mae<S extends Shape>(prediction: Tensor<S>, target: Tensor<S>): Tensor<[]> {
  return prediction.sub(target).abs().mean();
}

/** The number of rows whose greatest logit is at the label. */
export function correct<B extends Dim, C extends Dim>(
  logits: Tensor<[B, C]>,
  labels: Tensor<[B], "i32">,
): Tensor<[]> {
  return logits.argmax().equal(labels).cast("f32").sum();
}

// Initialisers. The last two axes of a shape are inputs and outputs, leading ones a window.

/** Uniform in ±√(6 / (inputs + outputs)) (Glorot and Bengio, 2010). */
export function glorotUniform<const S extends Shape>(key: Key, shape: S): Tensor<ShapeFrom<S>> {
  const [inputs, outputs] = fans(shape);
  const bound = Math.sqrt(6 / (inputs + outputs));
  return uniform(key, shape, -bound, bound);
}

/** Normal with variance 2 / inputs (He et al., 2015). */
export function heNormal<const S extends Shape>(key: Key, shape: S): Tensor<ShapeFrom<S>> {
  return normal(key, shape).mul(Math.sqrt(2 / fans(shape)[0]));
}

/** Normal with variance 1 / inputs (LeCun et al., 1998). */
export function lecunNormal<const S extends Shape>(key: Key, shape: S): Tensor<ShapeFrom<S>> {
  return normal(key, shape).mul(Math.sqrt(1 / fans(shape)[0]));
}

function fans(shape: Shape): readonly [number, number] {
  let window = 1;
  for (let k = 0; k < shape.length - 2; k++) window *= shape[k] as number;
  return [
    window * (shape[shape.length - 2] as number),
    window * (shape[shape.length - 1] as number),
  ];
}
