/**
 * The inverse trigonometric functions. Coefficients are Chebyshev interpolants, computed to 60
 * digits; the error is what they add to the result, relatively.
 */

import type { Expr, LoopFunction } from "../../../kernel/loop.ts";
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
  fraction,
  infinity,
  isNan,
  lt,
  magnitude,
  mul,
  nan,
  normalized,
  oddPolynomial,
  ofBits,
  one,
  orNan,
  scaled,
  signOf,
  sqrt,
  sub,
  word,
} from "./formula.ts";

/** (asin x - x) / x³ in x², |x| ≤ 1/2; error 2.9e-9. */
const asinTail = [
  0.16666666337430908, 0.07500094543497424, 0.04459940152851218, 0.03110066273549457,
  0.017149238357677253, 0.03369084720283012,
];

/** (atan x - x) / x³ in x², |x| ≤ 1; error 1.4e-8. */
const atanTail = [
  -0.3333333308107325, 0.19999949321141888, -0.1428400379473353, 0.11088261628735159,
  -0.08931826777381315, 0.07031914250029966, -0.04896051402709067, 0.026305001110062377,
  -0.009144629760592396, 0.0014886919393047597,
];

/** A multiple of π less an angle. */
function complement(whole: number, angle: Expr): Expr {
  const first = Math.fround(whole);
  return sub(first, add(angle, first - whole));
}

const outsideOne = (x: Expr): Expr => word.gt(magnitude(x), one);

/** For |x| < 1/2 asin |x|, and else asin √((1 - |x|)/2), of which twice is what is left to π/2. */
function arcOf(f: Formula, x: Expr) {
  const a = f.let("a", ofBits(atMost(magnitude(x), one)));
  const root = sqrt(mul(sub(1, a), 0.5));
  const isSmall = lt(a, 0.5);
  return { isSmall, arc: oddPolynomial(f, f.let("s", choose(isSmall, a, root)), asinTail) };
}

function asin(): LoopFunction {
  const f = new Formula("asin", "the inverse of sin");
  const x = f.letWord("bits", bitsOf(f.given()));
  const { isSmall, arc } = arcOf(f, x);
  const value = bitsOf(choose(isSmall, arc, complement(Math.PI / 2, add(arc, arc))));
  return f.done(word.choose(outsideOne(x), nan, word.or(signOf(x), value)));
}

function acos(): LoopFunction {
  const f = new Formula("acos", "the inverse of cos");
  const x = f.letWord("bits", bitsOf(f.given()));
  const { isSmall, arc } = arcOf(f, x);
  const signed = ofBits(word.xor(bitsOf(arc), signOf(x)));
  const twice = f.let("twice", add(arc, arc));
  const large = choose(word.lt(x, 0), complement(Math.PI, twice), twice);
  const value = bitsOf(choose(isSmall, complement(Math.PI / 2, signed), large));
  return f.done(word.choose(outsideOne(x), nan, value));
}

/** atan a = π/2 - atan (1/a) */
function atan(): LoopFunction {
  const f = new Formula("atan", "the inverse of tan");
  const x = f.letWord("bits", bitsOf(f.given()));
  const a = f.let("a", ofBits(atMost(magnitude(x), bits(2 ** 64))));
  const isSmall = lt(a, 1);
  const t = f.let("t", choose(isSmall, a, div(1, choose(isSmall, 1, a))));
  const arc = oddPolynomial(f, t, atanTail);
  const value = bitsOf(choose(isSmall, arc, complement(Math.PI / 2, arc)));
  return f.done(orNan(x, word.or(signOf(x), value)));
}

/** The quotient of two magnitudes, the first at most the second: 0 / 0 = 0, ∞ / ∞ = 1. */
function ratio(f: Formula, least: Expr, greatest: Expr): Expr {
  const parts = [least, greatest].map((size) => {
    const { normal, exponent } = normalized(f, size);
    const m = f.let("m", ofBits(word.or(word.and(normal, fraction), one)));
    return { m, e: f.letWord("e", word.add(word.right(normal, 23), exponent)) };
  }) as [{ m: Expr; e: Expr }, { m: Expr; e: Expr }];
  const [num, den] = parts;
  const shift = f.letWord("shift", word.sub(num.e, den.e));
  const bounded = f.letWord("bounded", word.choose(word.lt(shift, -200), -200, shift));
  const vanishes = both(word.eq(greatest, infinity), word.lt(least, infinity));
  const isZero = either(word.eq(least, 0), vanishes);
  return f.let("ratio", choose(isZero, 0, scaled(div(num.m, den.m), bounded)));
}

/** The angle of the lesser side with the greater axis, then with the axis of x. */
function atan2(): LoopFunction {
  const f = new Formula("atan2", "the angle of the point (x, y)", ["y", "x"]);
  const y = f.letWord("y_bits", bitsOf(f.given(0)));
  const x = f.letWord("x_bits", bitsOf(f.given(1)));
  const [height, width] = [y, x].map((of) => f.letWord("size", magnitude(of))) as [Expr, Expr];
  const isSteep = word.gt(height, width);
  const least = f.letWord("least", atMost(word.choose(isSteep, width, height), infinity));
  const greatest = f.letWord("greatest", atMost(word.choose(isSteep, height, width), infinity));
  const arc = oddPolynomial(f, ratio(f, least, greatest), atanTail);
  const steep = f.let("steep", choose(isSteep, complement(Math.PI / 2, arc), arc));
  const value = bitsOf(choose(word.lt(x, 0), complement(Math.PI, steep), steep));
  return f.done(word.choose(either(isNan(x), isNan(y)), nan, word.or(signOf(y), value)));
}

export const arcs = {
  asin: asin(),
  acos: acos(),
  atan: atan(),
  atan2: atan2(),
} as const satisfies Readonly<Record<string, LoopFunction>>;
