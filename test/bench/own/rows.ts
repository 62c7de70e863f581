/**
 * Softmax, layer normalisation and GELU of a matrix, and the gradient of Σ c ⊙ y with respect to it.
 * Results stay on the device; of each, one element comes out.
 */

import { compile, grad, type Tensor } from "fluxion";
import { geluTanh, layerNorm, type Norm } from "fluxion/nn";
import type { Data } from "../data.ts";
import type { Step } from "../harness.ts";
import { firstOf, toTensor } from "./support.ts";

type Matrix<R extends number, C extends number> = Tensor<[R, C]>;

/** The element at [0, 1]. */
function sampled<R extends number, C extends number>(y: Matrix<R, C>) {
  return { y, sample: y.slice(0, 0, 1).slice(1, 1, 2) };
}

const chain = <R extends number, C extends number>(x: Matrix<R, C>) =>
  geluTanh(x.mul(1.3).add(0.1));

const softmaxForward = compile(<R extends number, C extends number>(x: Matrix<R, C>) =>
  sampled(x.softmax()),
);
const softmaxGradient = compile(
  <R extends number, C extends number>(x: Matrix<R, C>, c: Matrix<R, C>) =>
    sampled(grad((z: Matrix<R, C>) => z.softmax().mul(c).sum())(x)),
);
const layerNormForward = compile(
  <R extends number, C extends number>(x: Matrix<R, C>, norm: Norm<C>) =>
    sampled(layerNorm(norm, x)),
);
const layerNormGradient = compile(
  <R extends number, C extends number>(x: Matrix<R, C>, norm: Norm<C>, c: Matrix<R, C>) =>
    sampled(grad((z: Matrix<R, C>) => layerNorm(norm, z).mul(c).sum())(x)),
);
const geluForward = compile(<R extends number, C extends number>(x: Matrix<R, C>) =>
  sampled(chain(x)),
);
const geluGradient = compile(
  <R extends number, C extends number>(x: Matrix<R, C>, c: Matrix<R, C>) =>
    sampled(grad((z: Matrix<R, C>) => chain(z).mul(c).sum())(x)),
);

export interface RowData {
  readonly x: Data;
  readonly c: Data;
  readonly scale: Data;
  readonly offset: Data;
}

/** A step for each operation: its value, and its gradient. */
export function operate(
  name: "softmax" | "layernorm" | "gelu",
  data: RowData,
  gradient: boolean,
): Step {
  const [x, c] = [toTensor(data.x), toTensor(data.c)];
  const norm = { scale: toTensor(data.scale), offset: toTensor(data.offset) };
  const run = {
    softmax: () => (gradient ? softmaxGradient(x, c) : softmaxForward(x)),
    layernorm: () => (gradient ? layerNormGradient(x, norm, c) : layerNormForward(x, norm)),
    gelu: () => (gradient ? geluGradient(x, c) : geluForward(x)),
  }[name];
  return async () => {
    const { y, sample } = run();
    const value = await firstOf(sample);
    y[Symbol.dispose]();
    return value;
  };
}
