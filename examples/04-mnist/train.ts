/** Training on batches of digits, in Node and in the browser alike. */

import { type Tensor, tensor } from "fluxion";

/** Digits: 784 bytes an image, and what they show. */
export interface Digits {
  readonly images: Uint8Array;
  readonly labels: Uint8Array;
}

export type Images = Tensor<[number, 784], "u8">;
export type Labels = Tensor<[number], "i32">;

/** The first `count` of some digits. */
export function firstDigits({ images, labels }: Digits, count: number): Digits {
  return { images: images.subarray(0, count * 784), labels: labels.subarray(0, count) };
}

/** What a model file exports. */
export interface Model<P, S> {
  readonly init: (seed: number) => { readonly params: P; readonly state: S };
  readonly step: (
    params: P,
    state: S,
    images: Images,
    labels: Labels,
  ) => { readonly loss: Tensor<[]>; readonly params: P; readonly state: S };
  readonly classify: (params: P, images: Images) => Tensor<[number], "i32">;
}

/** Where training stands after a batch. */
export interface Progress<P> {
  readonly epoch: number;
  /** Images of this epoch done so far. */
  readonly done: number;
  /** The mean loss of the epoch so far. */
  readonly loss: number;
  /** The mean loss of the last batch. */
  readonly batchLoss: number;
  /** For use now: the next step takes them over. */
  readonly params: P;
}

export interface TrainOptions {
  readonly epochs: number;
  readonly batch: number;
  readonly seed: number;
}

export interface FitOptions extends TrainOptions {
  /** So many epochs without a better accuracy end the training. */
  readonly patience: number;
}

/** What training tells, and whom. */
export interface Screen<P> {
  readonly begin: (epoch: number) => void;
  /** After a batch: the images of this epoch that are done, and their mean loss. */
  readonly batch: (done: number, loss: number) => void;
  /** After an epoch. */
  readonly end: (epoch: number, loss: number, accuracy: number) => void;
  /** Better parameters than before. */
  readonly better: (params: P) => Promise<void>;
}

interface Batch {
  readonly images: Images;
  readonly labels: Labels;
  readonly size: number;
}

/** One pass over the digits in a new order. */
export async function* batchesOf(
  digits: Digits,
  size: number,
  random: () => number,
): AsyncGenerator<Batch> {
  const count = digits.labels.length;
  const order = Uint32Array.from({ length: count }, (_, k) => k);
  shuffle(order, random);
  for (let start = 0; start < count; start += size) {
    const chosen = order.subarray(start, Math.min(start + size, count));
    const [images, labels] = [imagesAt(digits, chosen), labelsAt(digits, chosen)];
    yield { images, labels, size: chosen.length };
    // The screen and Ctrl-C have their turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** Trains batch by batch; gives way to the event loop at each `yield`. */
export async function* train<P, S>(
  model: Model<P, S>,
  digits: Digits,
  { epochs, batch, seed }: TrainOptions,
): AsyncGenerator<Progress<P>> {
  let { params, state } = model.init(seed);
  const count = digits.labels.length;
  const order = Uint32Array.from({ length: count }, (_, k) => k);
  const random = generator(seed);
  for (let epoch = 1; epoch <= epochs; epoch++) {
    shuffle(order, random);
    let total = 0;
    for (let start = 0; start < count; start += batch) {
      const chosen = order.subarray(start, Math.min(start + batch, count));
      const next = model.step(params, state, imagesAt(digits, chosen), labelsAt(digits, chosen));
      ({ params, state } = next);
      const [batchLoss = NaN] = await next.loss.data();
      total += batchLoss * chosen.length;
      const done = start + chosen.length;
      yield { epoch, done, loss: total / done, batchLoss, params };
    }
  }
}

/** The digits that the model sees, image by image. */
export async function classifyAll<P, S>(
  model: Model<P, S>,
  params: P,
  digits: Digits,
  batch = 500,
): Promise<Int32Array> {
  const count = digits.labels.length;
  const seen = new Int32Array(count);
  for (let start = 0; start < count; start += batch) {
    const end = Math.min(start + batch, count);
    const images = digits.images.subarray(start * 784, end * 784);
    const classes = model.classify(params, tensor(images, [end - start, 784], "u8"));
    seen.set(await classes.data(), start);
  }
  return seen;
}

/** The part of the images that were seen as what they are. */
export function accuracyOf(seen: Int32Array, labels: Uint8Array): number {
  let right = 0;
  for (let k = 0; k < labels.length; k++) if (seen[k] === labels[k]) right++;
  return right / labels.length;
}

function imagesAt({ images }: Digits, chosen: Uint32Array): Images {
  const data = new Uint8Array(chosen.length * 784);
  chosen.forEach((at, k) => data.set(images.subarray(at * 784, (at + 1) * 784), k * 784));
  return tensor(data, [chosen.length, 784], "u8");
}

function labelsAt({ labels }: Digits, chosen: Uint32Array): Labels {
  const data = Int32Array.from(chosen, (at) => labels[at] ?? 0);
  return tensor(data, [chosen.length], "i32");
}

/** Fisher and Yates. */
function shuffle(order: Uint32Array, random: () => number): void {
  for (let k = order.length - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    const held = order[k] ?? 0;
    order[k] = order[other] ?? 0;
    order[other] = held;
  }
}

/** Numbers in [0, 1) from a seed: a 32-bit linear congruential generator (Numerical Recipes). */
export function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
