/**
 * A training loop as one asynchronous root, beside the same loop cut by hand, which waits for the loss of
 * each step: `npx fluxion run [--target webgpu] test/bench/loops.ts [--batch N] [--steps N]`. Rounds are
 * interleaved; medians.
 */

import { parseArgs } from "node:util";
import { compile, type Dim, prefetch, type Tensor, tensor, valueAndGrad } from "fluxion";
import { type Dense, dense, initDense, softmaxCrossEntropy } from "fluxion/nn";
import { type Adam, adam, initAdam } from "fluxion/optim";
import { type Key, key, split } from "fluxion/random";

interface Params {
  readonly first: Dense<784, 256>;
  readonly second: Dense<256, 128>;
  readonly last: Dense<128, 10>;
}

function loss<B extends Dim>(
  p: Params,
  images: Tensor<[B, 784], "u8">,
  labels: Tensor<[B], "i32">,
): Tensor<[]> {
  const x = images.cast("f32").mul(1 / 255);
  const h = dense(p.second, dense(p.first, x).relu()).relu();
  return softmaxCrossEntropy(dense(p.last, h), labels).mean();
}

function train<B extends Dim>(
  p: Params,
  s: Adam<Params>,
  images: Tensor<[B, 784], "u8">,
  labels: Tensor<[B], "i32">,
) {
  const [value, gradient] = valueAndGrad(loss)(p, images, labels);
  return { value, ...adam(p, gradient, s, { learningRate: 1e-3 }) };
}

const step = compile(train, { donateArgnums: [0, 1] });
const begin = compile((seed: number) => {
  const [a, b, c] = split(key(seed), 3) as [Key, Key, Key];
  const params: Params = {
    first: initDense(a, 784, 256),
    second: initDense(b, 256, 128),
    last: initDense(c, 128, 10),
  };
  return { params, state: initAdam(params) };
});

interface Batch {
  readonly images: Tensor<[number, 784], "u8">;
  readonly labels: Tensor<[number], "i32">;
}

/** Batches that are there already. */
function* repeated(batch: Batch, count: number): Generator<Batch> {
  for (let k = 0; k < count; k++) yield batch;
}

async function byHand(batch: Batch, count: number): Promise<number> {
  let { params, state } = begin(1);
  let total = 0;
  for await (const { images, labels } of prefetch(repeated(batch, count))) {
    const next = step(params, state, images, labels);
    ({ params, state } = next);
    total += (await next.value.data())[0] ?? NaN;
  }
  return total;
}

const whole = compile(async (batch: Batch, count: number) => {
  const start = begin(1);
  let { params, state } = start;
  let total = 0;
  for await (const { images, labels } of prefetch(repeated(batch, count))) {
    const [value, gradient] = valueAndGrad(loss)(params, images, labels);
    ({ params, state } = adam(params, gradient, state, { learningRate: 1e-3 }));
    total += value.item();
  }
  return total;
});

const { values } = parseArgs({
  options: {
    batch: { type: "string", default: "128" },
    steps: { type: "string", default: "200" },
    rounds: { type: "string", default: "7" },
  },
});
const [size, steps, rounds] = [values.batch, values.steps, values.rounds].map(Number) as [
  number,
  number,
  number,
];
const batch: Batch = {
  images: tensor(
    Uint8Array.from({ length: size * 784 }, (_, k) => (k * 37) % 256),
    [size, 784],
  ),
  labels: tensor(
    Int32Array.from({ length: size }, (_, k) => k % 10),
    [size],
  ),
};
const times: Record<string, number[]> = { byHand: [], whole: [] };
let results: readonly number[] = [];
for (let round = 0; round <= rounds; round++) {
  for (const [name, run] of Object.entries({ byHand, whole })) {
    const start = performance.now();
    const total = await run(batch, steps);
    results = [...results.slice(-1), total];
    if (round > 0) times[name]?.push(performance.now() - start);
  }
  if (results[0] !== results[1]) throw new Error(`the losses differ: ${results.join(", ")}`);
}
const medians = Object.entries(times).map(([name, all]) => {
  const sorted = all.toSorted((a, b) => a - b);
  return [name, (sorted[sorted.length >> 1] ?? NaN) / steps] as const;
});
for (const [name, median] of medians)
  console.log(`${name.padEnd(8)}${median.toFixed(4)} ms a step`);
const [hand, own] = medians.map(([, median]) => median) as [number, number];
console.log(`by hand / whole: ${(hand / own).toFixed(3)}`);
