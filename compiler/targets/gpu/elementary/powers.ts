/** Powers and roots. */

import type { Expr, LoopFunction } from "../../../kernel/loop.ts";
import { expm1OfRest, orNan } from "./exponentials.ts";
import {
  add,
  atMost,
  bits,
  bitsOf,
  both,
  choose,
  div,
  either,
  floor,
  Formula,
  fraction,
  ge,
  gt,
  infinity,
  isNan,
  leastNormal,
  lt,
  magnitude,
  mul,
  nan,
  normalized,
  ofBits,
  one,
  polynomial,
  power,
  scaled,
  signBit,
  signOf,
  split,
  sqrt,
  sub,
  toInteger,
  toSingle,
  upper,
  word,
} from "./formula.ts";
import { halved, logTail } from "./logarithms.ts";

/** A number in two parts; the first has 12 digits, so that products of two such are exact. */
interface Parts {
  readonly hi: Expr;
  readonly lo: Expr;
}

/** 2 / ln 2 in two parts; the first has 12 digits. */
const twiceLog2e = split(2 * Math.LOG2E, 2 ** -10);

/** Numbers near which m may be, the least m for which it is the next, and their logarithms. */
const centres = [
  { at: 0.84375, end: 0.921875, logarithm: split(Math.log2(0.84375), 2 ** -12) },
  { at: 1, end: 1.09375, logarithm: [0, 0] },
  { at: 1.1875, end: 2, logarithm: split(Math.log2(1.1875), 2 ** -12) },
] as const;

/** What `pick` says of the centre that is near m. */
function ofCentre(m: Expr, pick: (centre: (typeof centres)[number]) => number): Expr {
  const [low, middle, high] = centres;
  const upperTwo = choose(lt(m, middle.end), pick(middle), pick(high));
  return choose(lt(m, low.end), pick(low), upperTwo);
}

/**
 * log2 of a magnitude 2^e m with m from √½ to √2, within 2^-32 relatively:
 * e + log2 c + 2/ln 2 (s + s³ tail(s²)/2), s = (m - c)/(m + c), |s| < 0.09, where c is 1 for m near 1.
 * The quotient and the sum are carried in two parts.
 */
function logarithmOf(f: Formula, size: Expr): Parts {
  const { normal, exponent } = normalized(f, size);
  const { e, m: mantissa } = halved(f, normal);
  const m = f.let("m", ofBits(mantissa));
  const c = f.let(
    "c",
    ofCentre(m, ({ at }) => at),
  );
  // m + c may need a digit more than there is.
  const sum = f.let("sum", add(m, c));
  const sumHi = f.let("sum_hi", upper(sum));
  const sumLo = sub(m, sub(sumHi, c));
  const over = f.let("over", sub(m, c));
  const sHi = f.let("s_hi", upper(div(over, sum)));
  const missing = sub(sub(over, mul(sHi, sumHi)), mul(sHi, sumLo));
  const sLo = f.let("s_lo", div(missing, sum));
  const s = f.let("s", add(sHi, sLo));
  const z = f.let("z", mul(s, s));
  const tail = mul(mul(s, z), mul(polynomial(z, logTail), Math.LOG2E));
  const [hi, lo] = twiceLog2e;
  const count = toSingle(word.add(e, exponent));
  const start = add(
    count,
    ofCentre(m, ({ logarithm }) => logarithm[0]),
  );
  const whole = f.let("whole", start);
  const first = f.let("first", mul(sHi, hi));
  const little = add(
    ofCentre(m, ({ logarithm }) => logarithm[1]),
    mul(sHi, lo),
  );
  const rest = f.let("small", add(little, add(mul(sLo, hi + lo), tail)));
  const total = f.let("total_hi", upper(add(whole, add(first, rest))));
  return { hi: total, lo: f.let("total_lo", sub(rest, sub(sub(total, whole), first))) };
}

/** |x|^y = 2^(y log2 |x|) for |x| > 0 and any y; the word of the result. */
function powerOf(f: Formula, size: Expr, y: Expr): Expr {
  const logarithm = logarithmOf(f, size);
  const yHi = f.let("y_hi", upper(y));
  const product = f.let("product_hi", mul(yHi, logarithm.hi));
  const cross = mul(sub(y, yHi), add(logarithm.hi, logarithm.lo));
  const rest = f.let("product_lo", add(mul(yHi, logarithm.lo), cross));
  const exponent = f.let("power", add(product, rest));
  // Of what is out of range, the least and the greatest that are not.
  const isLarge = ge(exponent, 128);
  const isSmall = lt(exponent, -150);
  const hi = f.let("hi", choose(isLarge, 127, choose(isSmall, -150, product)));
  const lo = f.let("lo", choose(either(isLarge, isSmall), 0, rest));
  const whole = f.let("whole", floor(add(add(hi, lo), 0.5)));
  const part = f.let("part", sub(hi, whole));
  const main = f.let("main", upper(add(part, lo)));
  // The rest of the exponent times ln 2, the first product exact: integers have exact squares.
  const [ln2Hi, ln2Lo] = split(Math.LN2, 2 ** -12);
  const first = f.let("rest_hi", mul(main, ln2Hi));
  const behind = add(sub(part, main), lo);
  const second = f.let("rest_lo", add(mul(main, ln2Lo), mul(behind, Math.LN2)));
  const grown = add(expm1OfRest(f, first, second), 1);
  const value = scaled(grown, f.letWord("n", toInteger(whole)));
  return word.choose(isLarge, infinity, bitsOf(value));
}

/** The digits of y behind the point, as a word, and the last digit before it: 0 or 1. */
function digitsOf(f: Formula, y: Expr) {
  const exponent = f.letWord("y_exponent", word.right(y, 23));
  // A number from 2^24 on is even; one below 1/2 has digits behind the point alone.
  const behind = f.letWord("behind", word.sub(150, exponent));
  const shift = f.letWord(
    "shift",
    word.choose(word.gt(behind, 24), 24, word.choose(word.lt(behind, 0), 0, behind)),
  );
  const m = f.letWord("y_digits", word.or(word.and(y, fraction), fraction + 1));
  const last = word.choose(word.lt(behind, 0), 0, word.and(word.right(m, shift), 1));
  return { digits: word.and(m, word.sub(word.left(1, shift), 1)), last };
}

/**
 * JavaScript's x ** y. It is 1 where y is 0, and else NaN where one of the two is, where a base
 * below 0 has an exponent with digits behind the point, and where ±1 has an infinite exponent.
 */
function pow(): LoopFunction {
  const f = new Formula("pow", "x ** y", ["x", "y"]);
  const x = f.letWord("x_bits", bitsOf(f.given(0)));
  const y = f.letWord("y_bits", bitsOf(f.given(1)));
  const [base, exponent] = [x, y].map((of) => f.letWord("size", magnitude(of))) as [Expr, Expr];
  const { digits, last } = digitsOf(f, exponent);
  // Beyond 2^32 it makes no difference how large an exponent is.
  const bounded = f.let("bounded", ofBits(word.or(atMost(exponent, bits(2 ** 32)), signOf(y))));
  const value = powerOf(f, f.letWord("finite", atMost(base)), bounded);
  // 0 and ∞ to any power, and anything to the power of ∞, grow or vanish.
  const isExtreme = either(word.eq(base, 0), either(word.eq(base, infinity), infinite(exponent)));
  const grows = word.eq(word.choose(word.gt(base, one), 1, 0), word.choose(word.lt(y, 0), 0, 1));
  const extreme = word.choose(grows, infinity, 0);
  const size = word.choose(isExtreme, extreme, value);
  const isNegative = both(word.lt(x, 0), word.eq(last, 1));
  const signed = word.or(size, word.choose(isNegative, signBit, 0));
  const isFinite = both(word.gt(base, 0), word.lt(base, infinity));
  const isBroken = both(word.lt(exponent, infinity), both(isFinite, isNonzero(digits)));
  const undefined_ = either(
    both(word.lt(x, 0), isBroken),
    either(both(word.eq(base, one), infinite(exponent)), either(isNan(x), isNan(y))),
  );
  const result = word.choose(undefined_, nan, signed);
  return f.done(word.choose(word.eq(exponent, 0), one, result));
}

function infinite(size: Expr): Expr {
  return word.eq(size, infinity);
}
function isNonzero(of: Expr): Expr {
  return word.gt(of, 0);
}

/** A polynomial for m^(1/3), 1 ≤ m ≤ 2; error 1.0e-4 relatively. */
const rootOf = [0.5557909602691388, 0.5808263911380952, -0.1586624600531909, 0.022148699208245196];

/**
 * The root of 2^(3q) t is 2^q that of t, 1 ≤ t < 8. One step by Halley, y + y (t/y² - y)/(t/y² + 2y),
 * from a y of 12 digits, whose square is exact.
 */
function cbrt(): LoopFunction {
  const f = new Formula("cbrt", "the cube root");
  const x = f.letWord("bits", bitsOf(f.given()));
  const size = f.letWord("size", atMost(magnitude(x)));
  const { normal, exponent } = normalized(f, size);
  const e = f.letWord("e", word.add(word.sub(word.right(normal, 23), 127), exponent));
  // 21846 / 2^16 is a third, nearly enough.
  const third = word.right(word.mul(word.add(e, 150), 21846), 16);
  const q = f.letWord("q", word.sub(third, 50));
  const k = f.letWord("k", word.sub(e, word.mul(q, 3)));
  const digits = f.letWord("digits", word.and(normal, fraction));
  const m = f.let("m", ofBits(word.or(digits, one)));
  const t = ofBits(word.or(digits, word.left(word.add(k, 127), 23)));
  const factor = choose(word.eq(k, 0), 1, choose(word.eq(k, 1), Math.cbrt(2), Math.cbrt(4)));
  const y = f.let("y", upper(mul(polynomial(m, rootOf), factor)));
  const quotient = f.let("quotient", div(t, mul(y, y)));
  const step = div(sub(quotient, y), add(quotient, add(y, y)));
  const value = bitsOf(mul(add(y, mul(y, step)), power(q)));
  const isSpecial = either(word.eq(size, 0), word.ge(magnitude(x), infinity));
  return f.done(orNan(x, word.choose(isSpecial, x, word.or(signOf(x), value))));
}

/** √(a² + b²), of numbers that a power of two has brought to where the squares are. */
function hypot(): LoopFunction {
  const f = new Formula("hypot", "√(x² + y²)", ["x", "y"]);
  const x = f.letWord("x_bits", magnitude(bitsOf(f.given(0))));
  const y = f.letWord("y_bits", magnitude(bitsOf(f.given(1))));
  const greatest = f.letWord("greatest", word.choose(word.gt(x, y), x, y));
  const isLarge = word.gt(greatest, bits(2 ** 60));
  const isSmall = word.lt(greatest, bits(2 ** -40));
  const [a, b] = [x, y].map((size) => {
    const side = f.letWord("size", atMost(size));
    const small = enlarged(f, word.choose(isSmall, side, one));
    const large = mul(ofBits(side), 2 ** -100);
    return f.let("side", choose(isLarge, large, choose(isSmall, small, ofBits(side))));
  }) as [Expr, Expr];
  const [p, q] = [a, b].map((side) => f.let("bounded", choose(gt(side, 2 ** 61), 1, side))) as [
    Expr,
    Expr,
  ];
  const root = f.let("root", sqrt(add(mul(p, p), mul(q, q))));
  const overflows = both(isLarge, ge(root, 2 ** 28));
  const scale = choose(isLarge, 2 ** 100, choose(isSmall, 2 ** -100, 1));
  const value = bitsOf(mul(choose(overflows, 1, root), scale));
  const number = word.choose(overflows, infinity, value);
  const special = word.choose(either(infinite(x), infinite(y)), infinity, nan);
  return f.done(word.choose(word.ge(greatest, infinity), special, number));
}

/** A number below 2^-40 times 2^100; denormal ones from their words. */
function enlarged(f: Formula, size: Expr): Expr {
  const side = f.letWord("small", size);
  const denormal = mul(toSingle(side), 2 ** -49);
  return choose(word.lt(side, leastNormal), denormal, mul(ofBits(side), 2 ** 100));
}

export const powers = {
  cbrt: cbrt(),
  hypot: hypot(),
  pow: pow(),
} as const satisfies Readonly<Record<string, LoopFunction>>;
