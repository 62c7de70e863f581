/**
 * sin, cos and tan of all finite singles. Coefficients are Chebyshev interpolants, computed to 60
 * digits; the error is what they add to the result, relatively.
 */

import { type Expr, type LoopFunction, read } from "../../../kernel/loop.ts";
import {
  add,
  atMost,
  bits,
  bitsOf,
  choose,
  div,
  floor,
  Formula,
  fraction,
  infinity,
  magnitude,
  mul,
  nan,
  oddPolynomial,
  ofBits,
  polynomial,
  signBit,
  signOf,
  split,
  sub,
  toInteger,
  toSingle,
  upper,
  word,
} from "./formula.ts";

/** (sin r - r) / r³ in r², |r| ≤ π/4; error 3.1e-9. */
const sinTail = [
  -0.1666666666385529, 0.008333331874710208, -0.00019840086735384846, 0.000002724992580305979,
];

/** (cos r - 1 + r²/2) / r⁴ in r², |r| ≤ π/4; error 8.3e-10. */
const cosTail = [0.04166666465950221, -0.0013888303035894866, 0.000024547942085071572];

/** (tan r - r) / r³ in r², |r| ≤ π/4; error 8.0e-9. */
const tanTail = [
  0.33333333979455765, 0.13333230944682223, 0.053994464722099254, 0.021621127411513202,
  0.00996214699884352, 0.0011853216520677635, 0.003843139779255223,
];

/** π/2 to twice the digits of a double. */
const [quarter, quarterRest] = [Math.PI / 2, 6.123233995736766e-17];

/**
 * π/2 in four parts. The first three have 14 digits, so that their products with counts up to 1024
 * are exact.
 */
const halfPi = partsOf(quarter, quarterRest, [-13, -27, -41]);

/** The multiples of these powers of two in a sum, one after the other, and what is left. */
function partsOf(value: number, rest: number, exponents: readonly number[]): readonly number[] {
  const [first, ...others] = exponents;
  if (first === undefined) return [value + rest];
  const [hi, lo] = split(value, 2 ** first);
  return [hi, ...partsOf(lo, rest, others)];
}

/** Below, parts of π/2 are subtracted; from there on integers are multiplied by 2/π. */
const near = 1024;

/** The digits of 2/π, 32 in a word, after the word of its whole part. */
const inverse = [
  0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
] as const;

/** a = n π/2 + r for a magnitude, |r| ≤ π/4; n is known modulo 4. */
function moduloHalfPi(f: Formula, x: Expr) {
  const r = f.variable("r", "f32");
  const n = f.variable("n", "i32");
  const size = f.letWord("size", atMost(magnitude(x)));
  f.if(
    word.lt(size, bits(near)),
    () => {
      const a = f.let("a", ofBits(size));
      const count = f.let("count", floor(add(mul(a, 2 / Math.PI), 0.5)));
      f.set(n, toInteger(count));
      f.set(
        r,
        halfPi.reduce<Expr>((rest, part) => sub(rest, mul(count, part)), a),
      );
    },
    () => {
      const { quarters, rest } = quartersOf(f, size);
      f.set(n, quarters);
      f.set(r, rest);
    },
  );
  return { r: read(r), n: read(n) };
}

/**
 * The same of a large number in integers. With a = m 2^s, m a word, a 2/π modulo 4 is
 * m (d 2^s modulo 4), d the digits of 2/π: all that counts are the 96 digits from the place on that
 * s says. Two words of the product remain, hi 2^-30 + lo 2^-62.
 */
function quartersOf(f: Formula, size: Expr) {
  const m = f.letWord("m", word.left(word.or(word.and(size, fraction), fraction + 1), 8));
  const place = f.letWord("place", word.sub(word.right(size, 23), 128));
  const first = f.letWord("first", word.right(place, 5));
  const shift = f.letWord("shift", word.and(place, 31));
  const words = [0, 1, 2, 3].map((k) => f.letWord("digits", wordFrom(first, k)));
  const [d0, d1, d2] = [0, 1, 2].map((k) => {
    const next = word.rightUnsigned(
      word.rightUnsigned(words[k + 1] as Expr, 1),
      word.sub(31, shift),
    );
    return f.letWord("window", word.or(word.left(words[k] as Expr, shift), next));
  }) as [Expr, Expr, Expr];
  const lo1 = f.letWord("lo", word.mul(d1, m));
  const lo = f.letWord("low", word.add(lo1, upperProduct(f, d2, m)));
  const carry = word.choose(isBelow(lo, lo1), 1, 0);
  const product = word.add(word.mul(d0, m), upperProduct(f, d1, m));
  const hi = f.letWord("high", word.add(product, carry));
  const quarters = f.letWord("quarters", word.rightUnsigned(word.add(hi, 1 << 29), 30));
  const signed = f.letWord("signed", word.sub(hi, word.left(quarters, 30)));
  return { quarters, rest: angleOf(f, signed, lo) };
}

/** Word number `first + k` of 2/π, first from 0 to 3. */
function wordFrom(first: Expr, k: number): Expr {
  const [a, b, c, d] = inverse.slice(k, k + 4) as [number, number, number, number];
  const low = word.choose(word.eq(first, 0), a, b);
  return word.choose(word.lt(first, 2), low, word.choose(word.eq(first, 2), c, d));
}

/** The upper word of the product of two words without signs, from products of their halves. */
function upperProduct(f: Formula, x: Expr, y: Expr): Expr {
  const [x0, x1] = [word.and(x, 0xffff), word.rightUnsigned(x, 16)];
  const [y0, y1] = [word.and(y, 0xffff), word.rightUnsigned(y, 16)];
  const lower = word.rightUnsigned(word.mul(x0, y0), 16);
  const middle = f.letWord("middle", word.add(word.mul(x1, y0), lower));
  const other = word.add(word.mul(x0, y1), word.and(middle, 0xffff));
  const carried = word.add(word.rightUnsigned(middle, 16), word.rightUnsigned(other, 16));
  return f.letWord("upper", word.add(word.mul(x1, y1), carried));
}

/** Compares words without signs. */
function isBelow(x: Expr, y: Expr): Expr {
  return word.lt(word.xor(x, signBit), word.xor(y, signBit));
}

/**
 * π/2 (hi 2^-30 + lo 2^-62), |hi| ≤ 2^29, from pieces that are exact as singles. The product of the
 * upper parts is exact; what is left of it is small.
 */
function angleOf(f: Formula, hi: Expr, lo: Expr): Expr {
  const top = toSingle(word.right(hi, 12));
  const middle = word.or(word.left(word.and(hi, 0xfff), 12), word.rightUnsigned(lo, 20));
  const bottom = toSingle(word.and(lo, 0xfffff));
  const [large, small] = [mul(top, 2 ** -18), f.let("small", mul(toSingle(middle), 2 ** -42))];
  const last = mul(bottom, 2 ** -62);
  const turn = f.let("turn", add(add(large, small), last));
  const main = f.let("main", upper(turn));
  const rest = add(add(sub(large, main), small), last);
  const [first, second] = split(quarter, 2 ** -11);
  return add(mul(main, first), add(mul(main, second), mul(rest, quarter)));
}

/** The word of the value, or NaN where x is not finite. */
function ofFinite(x: Expr, value: Expr): Expr {
  return word.choose(word.lt(magnitude(x), infinity), value, nan);
}

/** sin r or cos r as n is even or odd, negative where n has its second bit. */
function sineOf(f: Formula, r: Expr, n: Expr): Expr {
  const sine = oddPolynomial(f, r, sinTail);
  const square = f.let("z", mul(r, r));
  const start = sub(1, mul(square, 0.5));
  const cosine = add(mul(mul(square, square), polynomial(square, cosTail)), start);
  const value = bitsOf(choose(word.eq(word.and(n, 1), 0), sine, cosine));
  return word.xor(value, word.left(word.and(n, 2), 30));
}

function sin(): LoopFunction {
  const f = new Formula("sin", "the sine of all finite numbers");
  const x = f.letWord("bits", bitsOf(f.given()));
  const { r, n } = moduloHalfPi(f, x);
  return f.done(ofFinite(x, word.xor(sineOf(f, r, n), signOf(x))));
}

/** cos x = sin (x + π/2) */
function cos(): LoopFunction {
  const f = new Formula("cos", "the cosine of all finite numbers");
  const x = f.letWord("bits", bitsOf(f.given()));
  const { r, n } = moduloHalfPi(f, x);
  return f.done(ofFinite(x, sineOf(f, r, word.add(n, 1))));
}

/** tan r, or -1 / tan r where n is odd. */
function tan(): LoopFunction {
  const f = new Formula("tan", "the tangent of all finite numbers");
  const x = f.letWord("bits", bitsOf(f.given()));
  const { r, n } = moduloHalfPi(f, x);
  const tangent = oddPolynomial(f, r, tanTail);
  const isEven = word.eq(word.and(n, 1), 0);
  const value = choose(isEven, tangent, div(-1, choose(isEven, 1, tangent)));
  return f.done(ofFinite(x, word.xor(bitsOf(value), signOf(x))));
}

export const trigonometric = {
  sin: sin(),
  cos: cos(),
  tan: tan(),
} as const satisfies Readonly<Record<string, LoopFunction>>;
