/** A whole training loop: batches from a generator, a log, the best parameters, an early stop. */

import { compile, type Dim, type Tensor, tensor, valueAndGrad } from "fluxion";
import { adam, initAdam } from "fluxion/optim";

interface Params {
  readonly w: Tensor<[4, 1]>;
  readonly b: Tensor<[1]>;
}

function lossOf<B extends Dim>(p: Params, x: Tensor<[B, 4]>, y: Tensor<[B, 1]>): Tensor<[]> {
  return x.matmul(p.w).add(p.b).sub(y).square().mean();
}

interface Batch {
  readonly x: Tensor<[number, 4]>;
  readonly y: Tensor<[number, 1]>;
}

export const main = async () => {
  const log: string[] = [];

  async function* batches(count: number): AsyncGenerator<Batch> {
    for (let k = 0; k < count; k++) {
      const size = k % 2 === 0 ? 8 : 5;
      log.push(`batch ${k} of ${size}`);
      const x = Float32Array.from({ length: 4 * size }, (_, i) => Math.sin(i * 1.3 + k));
      const y = Float32Array.from({ length: size }, (_, i) => {
        return 2 * (x[4 * i] ?? 0) - (x[4 * i + 1] ?? 0) + 0.5;
      });
      yield { x: tensor(x, [size, 4]), y: tensor(y, [size, 1]) };
    }
  }

  const train = compile(async (start: Params, epochs: number) => {
    let params = start;
    let state = initAdam(params);
    let best = params;
    let bestLoss = Infinity;
    for (let epoch = 0; epoch < epochs; epoch++) {
      let total = 0;
      const rate = 0.2 * 0.9 ** epoch;
      for await (const { x, y } of batches(3)) {
        const [value, gradient] = valueAndGrad(lossOf)(params, x, y);
        const next = adam(params, gradient, state, { learningRate: rate });
        ({ params, state } = next);
        total += value.item();
      }
      log.push(`epoch ${epoch}: ${total.toFixed(3)}`);
      if (total < bestLoss) {
        bestLoss = total;
        best = params;
      } else if (total > 1.2 * bestLoss) {
        log.push("stopped");
        break;
      }
    }
    return { best, bestLoss, steps: state.step };
  });

  const start: Params = {
    w: tensor([0.1, 0.2, 0.3, 0.4], [4, 1]),
    b: tensor([0], [1]),
  };
  const result = await train(start, 12);
  // The caller still has what it gave.
  return { ...result, start, log };
};
export const tolerance = 1e-5;
