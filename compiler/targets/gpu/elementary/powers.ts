/** Powers and roots. */

import type { Expr, LoopFunction } from "../../../kernel/loop.ts";
import { expm1OfRest } from "./exponentials.ts";
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
  orNan,
  polynomial,
  power,
  scaled,
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

/** Numbers near which m may be, where the first two end, and the logarithms of all. */
const centres = [0.84375, 1, 1.1875] as const;
const centreEnds = [0.921875, 1.09375] as const;
const centreLogarithms = centres.map((centre) => split(Math.log2(centre), 2 ** -12));

/** Which of three numbers belongs to the centre that is near m. */
function ofCentre(m: Expr, values: readonly number[]): Expr {
  const [low, middle, high] = values as [number, number, number];
  const upperTwo = choose(lt(m, centreEnds[1]), middle, high);
  return choose(lt(m, centreEnds[0]), low, upperTwo);
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
  const c = f.let("c", ofCentre(m, centres));
  const [startHi, startLo] = [0, 1].map((k) =>
    ofCentre(
      m,
      centreLogarithms.map((parts) => parts[k] as number),
    ),
  ) as [Expr, Expr];
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
  const whole = f.let("whole", add(count, startHi));
  const first = f.let("first", mul(sHi, hi));
  const little = add(startLo, mul(sHi, lo));
  const rest = f.let("small", add(little, add(mul(sLo, hi + lo), tail)));
  const total = f.let("total_hi", upper(add(whole, add(first, rest))));
  return { hi: total, lo: f.let("total_lo", sub(rest, sub(sub(total, whole), first))) };
}

/** 2^(hi + lo), hi a number of 24 digits from -150 to 128, lo small beside it. */
function powerOfTwo(f: Formula, hi: Expr, lo: Expr): Expr {
  const whole = f.let("nearest", floor(add(add(hi, lo), 0.5)));
  const part = f.let("part", sub(hi, whole));
  const main = f.let("main", upper(add(part, lo)));
  // What is left times ln 2, the first product exact: so integers have exact squares.
  const [ln2Hi, ln2Lo] = split(Math.LN2, 2 ** -12);
  const behind = add(sub(part, main), lo);
  const restHi = f.let("rest_hi", mul(main, ln2Hi));
  const restLo = f.let("rest_lo", add(mul(main, ln2Lo), mul(behind, Math.LN2)));
  const fractional = add(expm1OfRest(f, restHi, restLo), 1);
  return scaled(fractional, f.letWord("n", toInteger(whole)));
}

/**
 * The exponent of 2, less 128, from which on a power is infinite: between log2 (1 - 2^-24), that of
 * the greatest number, and half of that, where it would be rounded up.
 */
const overflow = -5.4e-8;

/** |x|^y = 2^(y log2 |x|) for |x| > 0 and any y; the word of the result. */
function powerOf(f: Formula, size: Expr, y: Expr): Expr {
  const logarithm = logarithmOf(f, size);
  const yHi = f.let("y_hi", upper(y));
  const product = f.let("product_hi", mul(yHi, logarithm.hi));
  const cross = mul(sub(y, yHi), add(logarithm.hi, logarithm.lo));
  const rest = f.let("product_lo", add(mul(yHi, logarithm.lo), cross));
  const isLarge = ge(add(sub(product, 128), rest), overflow);
  const isSmall = lt(add(product, rest), -150);
  // In place of what is out of range, something that is not.
  const hi = f.let("hi", choose(isLarge, 127, choose(isSmall, -150, product)));
  const lo = f.let("lo", choose(either(isLarge, isSmall), 0, rest));
  return word.choose(isLarge, infinity, bitsOf(powerOfTwo(f, hi, lo)));
}

/** Of a magnitude: 0 where it is a whole number, else another word; and whether it is an odd one. */
function wholeness(f: Formula, size: Expr) {
  const exponent = f.letWord("place", word.sub(150, word.right(size, 23)));
  // A number from 2^24 on is even; one below 1 has digits behind the point alone.
  const least = word.choose(word.lt(exponent, 0), 0, exponent);
  const behind = f.letWord("behind", word.choose(word.gt(least, 24), 24, least));
  const digits = f.letWord("digits", word.or(word.and(size, fraction), fraction + 1));
  const isUnit = word.eq(word.and(word.right(digits, behind), 1), 1);
  const broken = f.letWord("broken", word.and(digits, word.sub(word.left(1, behind), 1)));
  return { broken, isOdd: both(word.ge(exponent, 0), both(isUnit, word.eq(broken, 0))) };
}

/** JavaScript's x ** y. */
function pow(): LoopFunction {
  const f = new Formula("pow", "x ** y", ["x", "y"]);
  const x = f.letWord("x_bits", bitsOf(f.given(0)));
  const y = f.letWord("y_bits", bitsOf(f.given(1)));
  const [base, exponent] = [x, y].map((of) => f.letWord("size", magnitude(of))) as [Expr, Expr];
  const { broken, isOdd } = wholeness(f, exponent);
  // Beyond 2^32 it makes no difference how large an exponent is.
  const bounded = f.let("bounded", ofBits(word.or(atMost(exponent, bits(2 ** 32)), signOf(y))));
  const value = powerOf(f, f.letWord("finite", atMost(base)), bounded);
  // 0 and ∞ to any power, and anything to the power of ∞, grow or vanish.
  const isExtreme = either(word.eq(base, 0), either(infinite(base), infinite(exponent)));
  const grows = word.eq(word.choose(word.gt(base, one), 1, 0), word.choose(word.lt(y, 0), 0, 1));
  const size = word.choose(isExtreme, word.choose(grows, infinity, 0), value);
  const signed = word.or(size, word.choose(isOdd, signOf(x), 0));
  // No number: of NaN, of roots of what is below 0, and ±1 to the power of ±∞.
  const isRoot = both(word.gt(broken, 0), word.lt(exponent, infinity));
  const isBelow = both(word.lt(x, 0), both(word.gt(base, 0), word.lt(base, infinity)));
  const isEndless = both(word.eq(base, one), infinite(exponent));
  const isNone = either(both(isRoot, isBelow), either(isEndless, either(isNan(x), isNan(y))));
  // Anything to the power of 0 is 1, NaN too.
  return f.done(word.choose(word.eq(exponent, 0), one, word.choose(isNone, nan, signed)));
}

function infinite(size: Expr): Expr {
  return word.eq(size, infinity);
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
  const root = f.let("root", sqrt(add(mul(a, a), mul(b, b))));
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
