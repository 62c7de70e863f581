/** Half precision: arrays of it where the engine has them, and its bits where it has not. */

/** `Float16Array` of the lib that the program is checked with, or what stands for it. */
export type HalfArray = typeof globalThis extends {
  readonly Float16Array: { readonly prototype: infer A extends HalfNumbers };
}
  ? A
  : HalfNumbers;

/** What all declarations of `Float16Array` have in common. */
export interface HalfNumbers extends ArrayLike<number>, Iterable<number> {
  readonly buffer: ArrayBufferLike;
  readonly BYTES_PER_ELEMENT: number;
  readonly [Symbol.toStringTag]: "Float16Array";
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The number that 16 bits stand for: a single whose exponent is 112 less. */
export function fromHalf(half: number): number {
  bits[0] = (half & 0x7fff) << 13;
  let size = (single[0] as number) * 2 ** 112;
  if (size >= 65536) size = half & 1023 ? NaN : Infinity;
  return half & 0x8000 ? -size : size;
}

/** The 16 bits of a number that half precision has. */
export function toHalf(x: number): number {
  single[0] = x * 2 ** -112;
  const word = bits[0] as number;
  return ((word >>> 13) & 0x7fff) | ((word >>> 16) & 0x8000);
}

/** `Math.f16round`: a double as large as 2^42 units keeps no digit below the last one of the half. */
export function roundHalf(x: number): number {
  const size = Math.abs(x);
  if (size >= 65520) return x < 0 ? -Infinity : Infinity;
  const large = 1.5 * 2 ** (Math.max(-14, Math.floor(Math.log2(size))) + 42);
  const rounded = x + large - large;
  // The zero of its sign.
  return rounded === 0 ? x * Number.MIN_VALUE : rounded;
}
