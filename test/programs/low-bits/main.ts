import { compile } from "fluxion";

/** Generators and checksums: numbers of which only 32 bits matter from round to round. */
const congruential = compile((seed: number, n: number) => {
  let x = seed;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    sum += x / 4294967296;
  }
  return sum;
});

/** The number itself comes out: it is not only its bits. */
const seen = compile((seed: number, n: number) => {
  let x = seed;
  for (let i = 0; i < n; i++) x = (x ^ (x << 13)) >>> 0;
  return x;
});

const xorshift = compile((seed: number, n: number) => {
  let x = seed >>> 0;
  let sum = 0;
  for (let i = 0; i < n; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    sum += (x >>> 0) / 4294967296;
  }
  return sum;
});

const checksum = compile((bytes: Uint8Array) => {
  let c = ~0;
  for (const b of bytes) {
    c ^= b;
    for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return ~c >>> 0;
});

const hash = compile((codes: Int32Array, factor: number) => {
  let h = 7;
  let other = 0;
  for (const code of codes) {
    h = (h * 31 + code - 12345) | 0;
    // The product has more digits than a double: its low bits are what is left of it.
    other = (other * 2654435761 + code * factor) | 0;
  }
  return [h, other];
});

const countdown = compile((start: number) => {
  let x = start;
  let rounds = 0;
  while ((x | 0) > 0) {
    x = (x | 0) - 3;
    rounds++;
  }
  return [x, rounds];
});

const remainders = compile((x: Float64Array, y: Float64Array) => x.map((v, i) => v % y[i]!));

const numbers = [
  0,
  -0,
  1,
  -1,
  7,
  -7,
  2.5,
  -2.5,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  1e15,
  1e300,
  Infinity,
  NaN,
];
const pairs = numbers.flatMap((a) => numbers.map((b) => [a, b] as const));

export const main = () => [
  [1234, -5, 0.75, 2 ** 40 + 17].map((seed) => [
    congruential(seed, 0),
    congruential(seed, 100),
    seen(seed, 0),
    seen(seed, 5),
    xorshift(seed, 50),
    countdown(seed % 1000),
  ]),
  checksum(Uint8Array.from({ length: 100 }, (_, k) => k * 37)),
  checksum(new Uint8Array(0)),
  hash(
    Int32Array.from({ length: 50 }, (_, k) => k * k * 104729),
    1.5,
  ),
  remainders(
    Float64Array.from(pairs, ([a]) => a),
    Float64Array.from(pairs, ([, b]) => b),
  ),
];
