/**
 * Random numbers from keys: a function of a key alone, the same on every target.
 *
 * A key is two u32 words. Using a key twice gives the same numbers twice: split it instead. Bits
 * come from Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", 2011), counters laid out as in JAX.
 */

import { arange, randomBits, tensor, where } from "../lang/index.ts";
import type { Dim, Shape, Tensor } from "../lang/index.ts";
import type { ShapeFrom } from "../lang/types.ts";

export type Key = Tensor<[2], "u32">;

/** The key of a seed, an integer in 0 … 2³²-1. */
export function key(seed: number): Key {
  return tensor([0, seed], [2], "u32");
}

/** `count` keys that are independent of each other and of `key`. */
export function split(key: Key, count = 2): readonly Key[] {
  return randomBits(key, [count * 2])
    .reshape([count, 2])
    .split(count)
    .map((part) => part.reshape([2]));
}

/** A key for step `step` of a loop, an integer. Steps that differ give independent keys. */
export function foldIn(key: Key, step: number | Tensor<[], "u32">): Key {
  const words = arange(2, "u32").mul(step);
  return randomBits(key.bitwiseXor(words), [2]);
}

/** Uniform in [low, high), in steps of 2⁻²⁴ of the range. */
export function uniform<const S extends Shape>(
  key: Key,
  shape: S,
  low = 0,
  high = 1,
): Tensor<ShapeFrom<S>> {
  const unit = randomBits(key, shape)
    .rightShift(8)
    .cast("f32")
    .mul(2 ** -24);
  return unit.mul(high - low).add(low);
}

/** Normal with mean 0 and standard deviation 1, by Box and Muller: √(-2 ln u) cos 2πv. */
export function normal<const S extends Shape>(key: Key, shape: S): Tensor<ShapeFrom<S>> {
  const [first, second] = split(key) as [Key, Key];
  const radius = uniform(first, shape).neg().add(1).log().mul(-2).sqrt();
  return radius.mul(
    uniform(second, shape)
      .mul(2 * Math.PI)
      .cos(),
  );
}

/** 1 with probability `p`, else 0. */
export function bernoulli<const S extends Shape>(
  key: Key,
  p: number,
  shape: S,
): Tensor<ShapeFrom<S>> {
  return uniform(key, shape).less(p).cast("f32");
}

/** Integers in low … high-1, for ranges far below 2³². */
export function randint<const S extends Shape>(
  key: Key,
  shape: S,
  low: number,
  high: number,
): Tensor<ShapeFrom<S>, "i32"> {
  const range = randomBits(key, shape).rem(high - low);
  return range.cast("i32").add(low);
}

/** Standard exponential: -ln(1 - u). */
export function exponential<const S extends Shape>(key: Key, shape: S): Tensor<ShapeFrom<S>> {
  return uniform(key, shape).neg().log1p().neg();
}

/** Standard Gumbel: -ln of a standard exponential. */
export function gumbel<const S extends Shape>(key: Key, shape: S): Tensor<ShapeFrom<S>> {
  const waiting = exponential(key, shape);
  return where(waiting.equal(0), 2 ** -25, waiting)
    .log()
    .neg();
}

/** One class for each row of unnormalised log-probabilities [n, classes]. */
export function categorical<N extends Dim, C extends Dim>(
  key: Key,
  logits: Tensor<[N, C]>,
): Tensor<[N], "i32"> {
  return logits.add(gumbel(key, [logits.shape[0], logits.shape[1]])).argmax();
}
