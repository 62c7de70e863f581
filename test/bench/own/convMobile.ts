/**
 * Layers of MobileNetV2 and their first blocks, forward: convolutions with biases, and a ReLU that
 * ends at 6. Images are [batch, height, width, channels].
 */

import { compile, conv2d, type Dim, type Tensor } from "fluxion";
import type { Data } from "../data.ts";
import type { Step } from "../harness.ts";
import { toTensor } from "./support.ts";

type Image<C extends Dim> = Tensor<[1, number, number, C]>;

interface Dense<K extends Dim, I extends Dim, O extends Dim> {
  readonly w: Tensor<[K, K, I, O]>;
  readonly b: Tensor<[O]>;
}
interface Depthwise<C extends Dim> {
  readonly w: Tensor<[3, 3, 1, C]>;
  readonly b: Tensor<[C]>;
}

function dense<K extends Dim, I extends Dim, O extends Dim>(
  layer: Dense<K, I, O>,
  x: Image<I>,
): Image<O> {
  return conv2d(x, layer.w, { padding: "same" }).add(layer.b);
}

function depthwise<C extends Dim>(layer: Depthwise<C>, x: Image<C>, stride = 1): Image<C> {
  return conv2d(x, layer.w, { padding: "same", stride, groups: x.shape[3] })
    .add(layer.b)
    .clip(0, 6);
}

/** A pointwise layer up, a depthwise one, and a pointwise one down. */
interface Inverted<I extends Dim, E extends Dim, O extends Dim> {
  readonly up: Dense<1, I, E>;
  readonly middle: Depthwise<E>;
  readonly down: Dense<1, E, O>;
}

function inverted<I extends Dim, E extends Dim, O extends Dim>(
  block: Inverted<I, E, O>,
  x: Image<I>,
  stride: number,
): Image<O> {
  return dense(block.down, depthwise(block.middle, dense(block.up, x).clip(0, 6), stride));
}

interface Stack {
  readonly first: Depthwise<32>;
  readonly narrow: Dense<1, 32, 16>;
  readonly second: Inverted<16, 96, 24>;
  readonly third: Inverted<24, 144, 24>;
  readonly fourth: Inverted<24, 144, 32>;
}

const full = compile((x: Tensor<[1, 56, 56, 64]>, layer: Dense<3, 64, 64>) =>
  dense(layer, x).clip(0, 6),
);
const pointwise = compile((x: Tensor<[1, 112, 112, 32]>, layer: Dense<1, 32, 64>) =>
  dense(layer, x).clip(0, 6),
);
const byChannel = compile((x: Tensor<[1, 112, 112, 32]>, layer: Depthwise<32>) =>
  depthwise(layer, x),
);
const stack = compile((x: Tensor<[1, 112, 112, 32]>, p: Stack) => {
  const h1 = dense(p.narrow, depthwise(p.first, x));
  const h2 = inverted(p.second, h1, 2);
  const h3 = inverted(p.third, h2, 1).add(h2);
  return inverted(p.fourth, h3, 2);
});

export type Part = "3x3" | "pointwise" | "depthwise" | "stack";

/** Layers in the order of the network; filters are [height, width, in, out]. */
export function infer(
  part: Part,
  x: Data,
  layers: readonly { readonly w: Data; readonly b: Data }[],
): Step {
  const image = toTensor(x);
  const all = layers.map(({ w, b }) => ({ w: toTensor(w), b: toTensor(b) }));
  const block = (at: number) => ({ up: all[at], middle: all[at + 1], down: all[at + 2] });
  const run = {
    "3x3": () => full(image, all[0]),
    pointwise: () => pointwise(image, all[0]),
    depthwise: () => byChannel(image, all[0]),
    stack: () =>
      stack(image, {
        first: all[0],
        narrow: all[1],
        second: block(2),
        third: block(5),
        fourth: block(8),
      }),
  }[part];
  return async () => {
    using y = run();
    const elements = await y.data();
    return elements[0] + elements[elements.length - 1];
  };
}
