/** Some steps of both networks, for the target of the build: each loss, then what digits are seen as. */

import { device, onReady } from "fluxion";
import * as cnn from "../../../examples/04-mnist/cnn.ts";
import * as mlp from "../../../examples/04-mnist/mlp.ts";
import {
  classifyAll,
  type Digits,
  firstDigits,
  type Model,
  train,
  type TrainOptions,
} from "../../../examples/04-mnist/train.ts";
import { tell } from "./show.ts";

const bytes = new Uint8Array(await (await fetch("first.digits")).arrayBuffer());
const count = bytes.length / 785;
const digits = { labels: bytes.subarray(0, count), images: bytes.subarray(count) };

async function trained<P, S>(model: Model<P, S>, some: Digits, options: TrainOptions) {
  const losses: number[] = [];
  let params: P | undefined;
  for await (const progress of train(model, some, options)) {
    losses.push(progress.batchLoss);
    ({ params } = progress);
  }
  const seen = await classifyAll(model, params as P, firstDigits(digits, 50));
  return [...losses, ...seen];
}

// A build for a graphics device has nothing for "auto" to choose between.
if (device().inUse === "wasm") await new Promise(onReady);
tell([
  await trained(mlp, digits, { epochs: 1, batch: 32, seed: 1 }),
  await trained(cnn, firstDigits(digits, 8), { epochs: 3, batch: 8, seed: 1 }),
]);
