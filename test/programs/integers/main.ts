import { compile } from "fluxion";

/** Counters, extents and masks stay integers; everything else is a double. */
const f = (x: Float64Array, n: number) => {
  const size = x.length;
  let checksum = 0;
  for (let i = 0; i < n; i++) {
    const j = (i * 3 + 1) % size;
    checksum += x[j] * (i & 3);
    checksum -= x[size - 1 - j];
  }
  let last = 0;
  for (let i = 0; i < size; i++) last = i;
  const none = size - size;
  const zero = none * -size;
  return { checksum, last, half: size / 2, negative: -size, reciprocal: 1 / zero };
};
const compiled = compile(f);

export const main = () => compiled(new Float64Array([1, 2, 4, 8, 16]), 9);
