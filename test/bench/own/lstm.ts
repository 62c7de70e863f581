/** A recurrent network that reads a sequence and names its class, and a training step of it. */

import { compile, type Dim, type Tensor, tensor, valueAndGrad, zeros } from "fluxion";
import { softmaxCrossEntropy } from "fluxion/nn";
import { sgd } from "fluxion/optim";
import type { Data } from "../data.ts";
import type { Step } from "../harness.ts";
import { firstOf, toTensor } from "./support.ts";

interface Params {
  /** Of the input, the gates side by side: in, forget, cell, out. */
  readonly wx: Tensor<[64, 512]>;
  readonly wh: Tensor<[128, 512]>;
  readonly b: Tensor<[512]>;
  readonly wo: Tensor<[128, 10]>;
  readonly bo: Tensor<[10]>;
}

/** [time, batch, features] */
type Sequence<T extends Dim, B extends Dim> = Tensor<[T, B, 64]>;

function loss<T extends Dim, B extends Dim>(
  p: Params,
  x: Sequence<T, B>,
  y: Tensor<[B], "i32">,
): Tensor<[]> {
  const [steps, batch] = x.shape;
  let h = zeros([batch, 128]);
  let c = zeros([batch, 128]);
  for (let t = 0; t < steps; t++) {
    const input: Tensor<[B, 64]> = x.dynamicSlice(t, 1).reshape([batch, 64]);
    const gates = input.matmul(p.wx).add(h.matmul(p.wh)).add(p.b);
    const [i, f, g, o] = gates.split(4, 1) as [Tensor, Tensor, Tensor, Tensor];
    c = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
    h = o.sigmoid().mul(c.tanh());
  }
  return softmaxCrossEntropy(h.matmul(p.wo).add(p.bo), y).mean();
}

const step = compile(
  <T extends Dim, B extends Dim>(p: Params, x: Sequence<T, B>, y: Tensor<[B], "i32">) => {
    const [value, gradient] = valueAndGrad(loss)(p, x, y);
    return { loss: value, params: sgd(p, gradient, { learningRate: 0.1 }) };
  },
  { donateArgnums: [0] },
);

/** Training on one batch. */
export function train(data: Readonly<Record<keyof Params | "x", Data>>, classes: Int32Array): Step {
  let params: Params = {
    wx: toTensor(data.wx),
    wh: toTensor(data.wh),
    b: toTensor(data.b),
    wo: toTensor(data.wo),
    bo: toTensor(data.bo),
  };
  const x = toTensor(data.x);
  const y = tensor(classes, [classes.length], "i32");
  return () => {
    const next = step(params, x, y);
    ({ params } = next);
    return firstOf(next.loss);
  };
}
