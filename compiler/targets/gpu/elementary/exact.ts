/** Functions whose results are exact: those of words alone know denormal numbers on any machine. */

import { type Expr, type LoopFunction, read } from "../../../kernel/loop.ts";
import {
  add,
  atMost,
  bits,
  bitsOf,
  choose,
  either,
  floor,
  Formula,
  fraction,
  ge,
  infinity,
  isNan,
  magnitude,
  nan,
  normalized,
  ofBits,
  one,
  scaled,
  signOf,
  sub,
  toSingle,
  word,
} from "./formula.ts";

/** Words that compare as their numbers do, -0 below 0. */
function order(of: Expr): Expr {
  return word.xor(of, word.and(word.right(of, 31), 0x7fffffff));
}

/** JavaScript's: NaN where one of the two is, and -0 is less than 0. */
function extreme(name: "max" | "min", comment: string): LoopFunction {
  const f = new Formula(name, comment, ["x", "y"]);
  const x = f.letWord("x_bits", bitsOf(f.given(0)));
  const y = f.letWord("y_bits", bitsOf(f.given(1)));
  const isGreater = word.gt(order(x), order(y));
  const value = name === "max" ? word.choose(isGreater, x, y) : word.choose(isGreater, y, x);
  return f.done(word.choose(either(isNan(x), isNan(y)), nan, value));
}

function sign(): LoopFunction {
  const f = new Formula("sign", "1, -1, or the zero or NaN that x is");
  const x = f.letWord("bits", bitsOf(f.given()));
  const isItself = either(word.eq(magnitude(x), 0), isNan(x));
  return f.done(word.choose(isItself, x, word.or(signOf(x), one)));
}

/** ⌊x⌋, or 1 more where x is at least 1/2 above that; from 2^23 on x is whole. */
function round(): LoopFunction {
  const f = new Formula("round", "the nearest integer, the greater one of two");
  const x = f.letWord("bits", bitsOf(f.given()));
  const bounded = f.let("bounded", ofBits(word.or(atMost(magnitude(x), bits(2 ** 23)), signOf(x))));
  const below = f.let("below", floor(bounded));
  const nearest = add(below, choose(ge(sub(bounded, below), 0.5), 1, 0));
  const value = word.or(magnitude(bitsOf(nearest)), signOf(x));
  return f.done(word.choose(word.ge(magnitude(x), bits(2 ** 23)), x, value));
}

/** A magnitude as digits · 2^e, the digits a word of 24. */
function digitsOf(f: Formula, size: Expr) {
  const { normal, exponent } = normalized(f, size);
  const e = f.letWord("e", word.add(word.sub(word.right(normal, 23), 150), exponent));
  return { e, digits: f.letWord("digits", word.or(word.and(normal, fraction), fraction + 1)) };
}

/** Long division: a round for each digit of the quotient, of which there are 277 at most. */
function rem(): LoopFunction {
  const f = new Formula("rem", "x % y", ["x", "y"]);
  const x = f.letWord("x_bits", bitsOf(f.given(0)));
  const y = f.letWord("y_bits", bitsOf(f.given(1)));
  const a = digitsOf(f, f.letWord("dividend", atMost(magnitude(x))));
  const b = digitsOf(f, f.letWord("divisor", atMost(magnitude(y))));
  const rest = f.variable("rest", "i32");
  const reduced = word.choose(
    word.ge(read(rest), b.digits),
    word.sub(read(rest), b.digits),
    read(rest),
  );
  f.set(rest, a.digits);
  f.repeat("digit", word.sub(a.e, b.e), () => {
    f.set(rest, word.left(reduced, 1));
  });
  const value = word.or(bitsOf(scaled(toSingle(reduced), b.e)), signOf(x));
  const isLess = word.lt(magnitude(x), magnitude(y));
  const isUndefined = either(
    word.ge(magnitude(x), infinity),
    either(word.eq(magnitude(y), 0), isNan(y)),
  );
  return f.done(word.choose(isUndefined, nan, word.choose(isLess, x, value)));
}

export const exact = {
  max: extreme("max", "the greater of two numbers"),
  min: extreme("min", "the lesser of two numbers"),
  sign: sign(),
  round: round(),
  rem: rem(),
} as const satisfies Readonly<Record<string, LoopFunction>>;
