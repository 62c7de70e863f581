/** Logarithms, and what is made of them. */

import type { Expr, LoopFunction } from "../../../kernel/loop.ts";
import { ln2 } from "./exponentials.ts";
import {
  add,
  atMost,
  bits,
  bitsOf,
  both,
  choose,
  div,
  either,
  Formula,
  gt,
  infinity,
  isNan,
  lt,
  magnitude,
  mul,
  nan,
  normalized,
  ofBits,
  one,
  orNan,
  orTiny,
  polynomial,
  power,
  signBit,
  signOf,
  sqrt,
  sub,
  toSingle,
  word,
} from "./formula.ts";

/**
 * (log((1 + s)/(1 - s)) - 2s) / s³ in s², |s| ≤ (√2 - 1)/(√2 + 1): a Chebyshev interpolant. It adds
 * 3e-10 to the logarithm, relatively.
 */
export const logTail = [
  0.6666666655449709, 0.40000121839806124, 0.28550820815960665, 0.23330467216303835,
];

/** log10 2 in two parts; the first has 14 digits. */
const log10Of2 = [0.301025390625, Math.LOG10E * Math.LN2 - 0.301025390625] as const;

/** A magnitude as 2^e m, m from √½ to √2; the word of a normal number gives e and that of m. */
export function halved(f: Formula, normal: Expr) {
  const e = f.letWord("e", word.right(word.sub(normal, bits(Math.SQRT1_2)), 23));
  return { e, m: word.sub(normal, word.left(e, 23)) };
}

/** The argument of a logarithm as 2^e (1 + f); of one that is 0, infinite or NaN, anything. */
function taken(form: Formula, x: Expr) {
  const { normal, exponent } = normalized(form, form.letWord("size", atMost(magnitude(x))));
  const { e, m } = halved(form, normal);
  const count = form.let("count", toSingle(word.add(e, exponent)));
  return { count, f: form.let("f", sub(ofBits(m), 1)) };
}

/** log(1 + f) = f - lost: lost = f²/2 - s (f²/2 + s² tail(s²)), s = f/(2 + f). */
function lostOf(form: Formula, f: Expr): Expr {
  const s = form.let("s", div(f, add(f, 2)));
  const z = form.let("z", mul(s, s));
  const half = form.let("half_square", mul(mul(f, 0.5), f));
  const inner = add(mul(z, polynomial(z, logTail)), half);
  return form.let("lost", sub(half, mul(s, inner)));
}

/** e ln 2 + log(1 + f) */
function naturalOf(form: Formula, count: Expr, f: Expr): Expr {
  const low = sub(mul(count, ln2[1]), lostOf(form, f));
  return add(mul(count, ln2[0]), add(f, low));
}

/** The value, or -∞ of 0, NaN below 0 and of NaN, ∞ of ∞. */
function orSpecial(x: Expr, value: Expr): Expr {
  const above = word.choose(word.eq(x, infinity), infinity, value);
  const outside = either(word.lt(x, 0), word.gt(x, infinity));
  const nonzero = word.choose(outside, nan, above);
  return word.choose(word.eq(magnitude(x), 0), infinity | signBit, nonzero);
}

function log(): LoopFunction {
  const form = new Formula("log", "the natural logarithm");
  const x = form.letWord("bits", bitsOf(form.given()));
  const { count, f } = taken(form, x);
  return form.done(orSpecial(x, bitsOf(naturalOf(form, count, f))));
}

function log2(): LoopFunction {
  const form = new Formula("log2", "the logarithm to base 2");
  const x = form.letWord("bits", bitsOf(form.given()));
  const { count, f } = taken(form, x);
  const logarithm = sub(f, lostOf(form, f));
  return form.done(orSpecial(x, bitsOf(add(count, mul(logarithm, Math.LOG2E)))));
}

/** Exact at the powers of ten: the sum of the parts is all that is rounded at their size. */
function log10(): LoopFunction {
  const form = new Formula("log10", "the logarithm to base 10");
  const x = form.letWord("bits", bitsOf(form.given()));
  const { count, f } = taken(form, x);
  const logarithm = sub(f, lostOf(form, f));
  const low = add(mul(logarithm, Math.LOG10E), mul(count, log10Of2[1]));
  return form.done(orSpecial(x, bitsOf(add(mul(count, log10Of2[0]), low))));
}

/**
 * log(1 + x) = e ln 2 + log(1 + f), where e is that of the rounded 1 + x, and
 * f = 2^-e x + (2^-e - 1) has lost nothing for that. From 2^24 on it is that of x.
 */
function log1p(): LoopFunction {
  const form = new Formula("log1p", "log(1 + x)");
  const x = form.letWord("bits", bitsOf(form.given()));
  // Below -1/2 the sum is exact; at -1 and below, 1/2 stands for it.
  const inside = word.lt(magnitude(x), word.choose(word.lt(x, 0), one, infinity));
  const bounded = form.let("bounded", ofBits(word.choose(inside, x, bits(0.5))));
  const isLarge = word.ge(x, bits(2 ** 24));
  const sum = form.letWord("sum", word.choose(isLarge, x, bitsOf(add(bounded, 1))));
  const finite = form.letWord("finite", atMost(sum));
  const { e, m } = halved(form, finite);
  const scale = form.let("scale", power(word.choose(isLarge, 0, word.sub(0, e))));
  const near = choose(lt(bounded, 2 ** 24), bounded, 0);
  const whole = add(mul(scale, near), sub(scale, 1));
  const f = form.let("f", choose(isLarge, sub(ofBits(m), 1), whole));
  const count = form.let("count", toSingle(e));
  const value = orTiny(x, bitsOf(naturalOf(form, count, f)));
  const above = word.choose(word.eq(x, infinity), infinity, value);
  const isMinusOne = word.eq(x, bits(-1));
  const outside = both(either(word.lt(x, 0), isNan(x)), word.ge(magnitude(x), one));
  return form.done(word.choose(isMinusOne, infinity | signBit, word.choose(outside, nan, above)));
}

/** From 2^28 on, asinh x and acosh x are log(1 + x) + log 2. */
const far = 2 ** 28;

/** asinh x = log(1 + x + x²/(1 + √(1 + x²))) for x ≥ 0 */
function asinh(): LoopFunction {
  const f = new Formula("asinh", "the inverse of sinh");
  const x = f.letWord("bits", bitsOf(f.given()));
  const a = f.let("a", ofBits(atMost(magnitude(x))));
  const near = f.let("near", choose(gt(a, far), 1, a));
  const square = f.let("square", mul(near, near));
  const sum = add(near, div(square, add(sqrt(add(square, 1)), 1)));
  const value = bitsOf(logOfSum(f, gt(a, far), a, sum));
  const infinite = word.choose(word.eq(magnitude(x), infinity), infinity, value);
  return f.done(orNan(x, word.or(signOf(x), infinite)));
}

/** log(1 + near), or log(1 + a) + log 2 where a is far. */
function logOfSum(f: Formula, isFar: Expr, a: Expr, near: Expr): Expr {
  const logarithm = f.call("logarithm", "log1p", choose(isFar, a, near));
  return add(logarithm, choose(isFar, Math.LN2, 0));
}

/** acosh x = log(1 + t + √(t (t + 2))), t = x - 1 */
function acosh(): LoopFunction {
  const f = new Formula("acosh", "the inverse of cosh");
  const x = f.letWord("bits", bitsOf(f.given()));
  const a = f.let("a", ofBits(word.choose(word.lt(x, one), one, atMost(x))));
  const t = f.let("t", sub(choose(gt(a, far), 2, a), 1));
  const sum = add(t, sqrt(mul(t, add(t, 2))));
  const value = bitsOf(logOfSum(f, gt(a, far), a, sum));
  const infinite = word.choose(word.eq(x, infinity), infinity, value);
  return f.done(word.choose(either(word.lt(x, one), isNan(x)), nan, infinite));
}

/** atanh x = log(1 + (2x + 2x²/(1 - x))) / 2 for 0 ≤ x < 1 */
function atanh(): LoopFunction {
  const f = new Formula("atanh", "the inverse of tanh");
  const x = f.letWord("bits", bitsOf(f.given()));
  const a = f.let("a", ofBits(atMost(magnitude(x), one - 1)));
  const twice = f.let("twice", add(a, a));
  const sum = add(twice, div(mul(twice, a), sub(1, a)));
  const value = bitsOf(mul(f.call("logarithm", "log1p", sum), 0.5));
  const infinite = word.choose(word.eq(magnitude(x), one), infinity, value);
  const outside = word.gt(magnitude(x), one);
  return f.done(word.choose(outside, nan, word.or(signOf(x), infinite)));
}

export const logarithms = {
  log: log(),
  log1p: log1p(),
  log2: log2(),
  log10: log10(),
  asinh: asinh(),
  acosh: acosh(),
  atanh: atanh(),
} as const satisfies Readonly<Record<string, LoopFunction>>;
