/** The loss of every batch, in full: however the program was built, it prints the same. */

import { loadDigits } from "./data.ts";
import { classify, init, type Params, step } from "./mlp.ts";
import { accuracyOf, classifyAll, firstDigits, train } from "./train.ts";

const mlp = { init, step, classify };
const digits = firstDigits(await loadDigits("train"), 512);
const test = firstDigits(await loadDigits("test"), 200);
let trained: Params | undefined;
for await (const progress of train(mlp, digits, { epochs: 2, batch: 96, seed: 1 })) {
  console.log(`epoch ${progress.epoch}, ${progress.done} digits: loss ${progress.loss}`);
  trained = progress.params;
}
if (trained !== undefined) {
  const seen = await classifyAll(mlp, trained, test);
  console.log(`test accuracy ${accuracyOf(seen, test.labels)}`);
}
