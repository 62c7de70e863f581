/** A neural network as the right-hand side of a differential equation, and its gradient. */

import { type Dim, type Tensor, valueAndGrad } from "fluxion";
import type { Data } from "../data.ts";
import type { Step } from "../harness.ts";
import { firstOf, toTensor } from "./support.ts";

interface Params {
  readonly w1: Tensor<[8, 32]>;
  readonly b1: Tensor<[32]>;
  readonly w2: Tensor<[32, 8]>;
  readonly b2: Tensor<[8]>;
}

/** The mean squared distance from `target` after 200 Runge–Kutta steps of 0.01. */
function loss<B extends Dim>(p: Params, start: Tensor<[B, 8]>, target: Tensor<[B, 8]>): Tensor<[]> {
  const dt = 0.01;
  const slope = (y: Tensor<[B, 8]>): Tensor<[B, 8]> =>
    y.matmul(p.w1).add(p.b1).tanh().matmul(p.w2).add(p.b2);
  let y = start;
  for (let n = 0; n < 200; n++) {
    const k1 = slope(y);
    const k2 = slope(y.add(k1.mul(dt / 2)));
    const k3 = slope(y.add(k2.mul(dt / 2)));
    const k4 = slope(y.add(k3.mul(dt)));
    y = y.add(
      k1
        .add(k2.mul(2))
        .add(k3.mul(2))
        .add(k4)
        .mul(dt / 6),
    );
  }
  return y.sub(target).square().mean();
}

const gradient = valueAndGrad(loss);

/** The loss and the first number of each gradient, added up. */
export function differentiate(
  data: Readonly<Record<keyof Params | "start" | "target", Data>>,
): Step {
  const params: Params = {
    w1: toTensor(data.w1),
    b1: toTensor(data.b1),
    w2: toTensor(data.w2),
    b2: toTensor(data.b2),
  };
  const [start, target] = [toTensor(data.start), toTensor(data.target)];
  return async () => {
    const [value, slopes] = gradient(params, start, target);
    let sum = await firstOf(value);
    for (const slope of Object.values(slopes)) sum += await firstOf(slope);
    return sum;
  };
}
