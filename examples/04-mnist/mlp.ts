/** A multilayer perceptron for 28 × 28 digits: 784 - 256 - 128 - 10. */

import { compile, type Dim, prefetch, type Tensor, tensor, valueAndGrad } from "fluxion";
import { type Dense, dense, initDense, softmaxCrossEntropy } from "fluxion/nn";
import { type Adam, adam, initAdam } from "fluxion/optim";
import { type Key, key, split } from "fluxion/random";
import {
  accuracyOf,
  batchesOf,
  type Digits,
  type FitOptions,
  generator,
  type Model,
  type Screen,
} from "./train.ts";

export interface Params {
  readonly first: Dense<784, 256>;
  readonly second: Dense<256, 128>;
  readonly last: Dense<128, 10>;
}

/** Pixels are bytes, 0 … 255. */
type Images<B extends Dim> = Tensor<[B, 784], "u8">;
type Labels<B extends Dim> = Tensor<[B], "i32">;

function predict<B extends Dim>(p: Params, images: Images<B>): Tensor<[B, 10]> {
  const x = images.cast("f32").mul(1 / 255);
  const h1 = dense(p.first, x).relu();
  const h2 = dense(p.second, h1).relu();
  return dense(p.last, h2);
}

function loss<B extends Dim>(p: Params, images: Images<B>, labels: Labels<B>): Tensor<[]> {
  return softmaxCrossEntropy(predict(p, images), labels).mean();
}

function initial(seed: number): Params {
  const [a, b, c] = split(key(seed), 3) as [Key, Key, Key];
  return {
    first: initDense(a, 784, 256),
    second: initDense(b, 256, 128),
    last: initDense(c, 128, 10),
  };
}

/** The first weights. A seed is a double, which WebGPU does not have. */
export const init = compile(
  (seed: number) => {
    const params = initial(seed);
    return { params, state: initAdam(params) };
  },
  { target: "wasm" },
);

function train<B extends Dim>(p: Params, s: Adam<Params>, images: Images<B>, labels: Labels<B>) {
  const [value, gradient] = valueAndGrad(loss)(p, images, labels);
  const next = adam(p, gradient, s, { learningRate: 1e-3 });
  return { loss: value, params: next.params, state: next.state };
}

function classes<B extends Dim>(p: Params, images: Images<B>): Tensor<[B], "i32"> {
  return predict(p, images).argmax();
}

export const step = compile(train, { donateArgnums: [0, 1] });
export const classify = compile(classes);

/**
 * The whole of training: batches, a bar, the best parameters in a file, an end when nothing gets better.
 * What is in it for the device, `npx fluxion explain examples/04-mnist/mlp.ts:fit --stage placed` says.
 */
export const fit = compile(
  async (digits: Digits, test: Digits, options: FitOptions, screen: Screen<Params>) => {
    const { epochs, batch, seed, patience } = options;
    const random = generator(seed);
    const images: Images<number> = tensor(test.images, [test.labels.length, 784], "u8");
    let params = initial(seed);
    let state = initAdam(params);
    let best = params;
    let bestAccuracy = 0;
    let worse = 0;
    for (let epoch = 1; epoch <= epochs && worse < patience; epoch++) {
      screen.begin(epoch);
      let total = 0;
      let done = 0;
      for await (const next of prefetch(batchesOf(digits, batch, random))) {
        const [value, gradient] = valueAndGrad(loss)(params, next.images, next.labels);
        ({ params, state } = adam(params, gradient, state, { learningRate: 1e-3 }));
        done += next.size;
        total += value.item() * next.size;
        screen.batch(done, total / done);
      }
      const seen = predict(params, images).argmax();
      const accuracy = accuracyOf((await seen.data()) as Int32Array, test.labels);
      screen.end(epoch, total / done, accuracy);
      if (accuracy > bestAccuracy) {
        [best, bestAccuracy, worse] = [params, accuracy, 0];
        await screen.better(best);
      } else worse++;
    }
    return { best, accuracy: bestAccuracy };
  },
);

/** The model where it is told to be, whatever the build is for. */
export const models = {
  wasm: (): Model<Params, Adam<Params>> => ({ init, step, classify }),
  webgpu: (): Model<Params, Adam<Params>> => ({
    init,
    step: compile(train, { target: "webgpu", donateArgnums: [0, 1] }),
    classify: compile(classes, { target: "webgpu" }),
  }),
  webgl: (): Model<Params, Adam<Params>> => ({
    init,
    step: compile(train, { target: "webgl", donateArgnums: [0, 1] }),
    classify: compile(classes, { target: "webgl" }),
  }),
};
