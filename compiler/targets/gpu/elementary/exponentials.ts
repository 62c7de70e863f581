/**
 * e^x and what is made of it. Coefficients are Chebyshev interpolants, computed to 60 digits, of the
 * functions that are given with them; the error is what they add to the result, relatively.
 */

import type { Expr, LoopFunction } from "../../../kernel/loop.ts";
import {
  add,
  atMost,
  bits,
  bitsOf,
  choose,
  div,
  floor,
  Formula,
  gt,
  leastNormal,
  lt,
  magnitude,
  mul,
  oddPolynomial,
  ofBits,
  orNan,
  orOverflow,
  orTiny,
  polynomial,
  power,
  scaled,
  signOf,
  sub,
  toInteger,
  toSingle,
  word,
} from "./formula.ts";

/** (e^r - 1 - r) / r² for |r| ≤ ln 2 / 2; error 9.7e-9. */
const expTail = [
  0.5, 0.1666657702559799, 0.041666554662050534, 0.008363173074513711, 0.001392617611993558,
];

/** (sinh x - x) / x³ in x², |x| ≤ 1; error 4.7e-9. */
const sinhTail = [
  0.16666666646842135, 0.00833333967591706, 0.00019838101968683888, 0.0000028062802582276946,
];

/** (tanh x - x) / x³ in x², |x| ≤ 0.625; error 3.8e-9. */
const tanhTail = [
  -0.3333333317214036, 0.1333330355691574, -0.053959259577204544, 0.02176891865102821,
  -0.008343945515839153, 0.002292744816178142,
];

/** (erf x - x) / x in x², |x| ≤ 1; error 5.4e-9. */
const erfTail = [
  0.12837916584835093, -0.37612626666720334, 0.11283594715160218, -0.026854212010626412,
  0.005189087423433974, -0.000801686428716587, 0.00007875875062685488,
];

/** log (1 - erf x) for 1 ≤ x ≤ 4; error 5.7e-9. */
const erfcLogarithm = [
  0.00032013804967769883, -1.130233434841994, -0.631826051559163, -0.11008008294882024,
  0.026421136005663898, -0.004759596293266265, 0.0005968056256607798, -0.00004605804268918978,
  0.0000016371514145936436,
];

/** ln 2 in two parts. The first has few digits: its products with counts are exact. */
export const ln2 = [0.693359375, Math.LN2 - 0.693359375] as const;

/** The greatest singles whose e^x, and whose sinh x, are finite. */
const expEnd = bits(88.72283172607422);
const sinhEnd = bits(89.41598510742188);

/** At -104 and below e^x is 0; at -20 and below e^x - 1 is -1. */
const expStart = bits(104);
const expm1Start = bits(20);

/** e^r - 1 for |r| ≤ ln 2 / 2; r may come in two parts. */
export function expm1OfRest(f: Formula, hi: Expr, lo?: Expr): Expr {
  const r = lo === undefined ? hi : f.let("r", add(hi, lo));
  const curved = mul(mul(r, r), polynomial(r, expTail));
  return f.let("rest", add(lo === undefined ? curved : add(curved, lo), hi));
}

/** x = n ln 2 + r, |r| ≤ ln 2 / 2; gives n and e^r - 1. */
function moduloLn2(f: Formula, x: Expr) {
  const count = f.let("count", floor(add(mul(x, Math.LOG2E), 0.5)));
  const r = f.let("r", sub(sub(x, mul(count, ln2[0])), mul(count, ln2[1])));
  const n = f.letWord("n", toInteger(count));
  return { n, rest: expm1OfRest(f, r) };
}

/** x where it is from -below to above, else one of these; the bounds are words. */
function between(f: Formula, x: Expr, below: number, above: number): Expr {
  const bound = f.letWord("bound", word.choose(word.lt(x, 0), below, above));
  const size = word.choose(word.lt(magnitude(x), bound), magnitude(x), bound);
  return f.let("bounded", ofBits(word.or(size, signOf(x))));
}

/** e^x = 2^n e^r */
function exp(): LoopFunction {
  const f = new Formula("exp", "e^x");
  const x = f.letWord("bits", bitsOf(f.given()));
  const { n, rest } = moduloLn2(f, between(f, x, expStart, expEnd));
  const value = bitsOf(scaled(add(rest, 1), n));
  return f.done(orOverflow(x, expEnd, value));
}

/**
 * e^x - 1 = 2 (2^(n-1) (e^r - 1) + (2^(n-1) - 1/2)); where |x| < ln 2 / 2, n is 0 and nothing
 * cancels.
 */
function expm1(): LoopFunction {
  const f = new Formula("expm1", "e^x - 1");
  const x = f.letWord("bits", bitsOf(f.given()));
  const { n, rest } = moduloLn2(f, between(f, x, expm1Start, expEnd));
  const scale = f.let("scale", power(word.sub(n, 1)));
  const value = bitsOf(mul(add(mul(scale, rest), sub(scale, 0.5)), 2));
  return f.done(orOverflow(x, expEnd, orTiny(x, value)));
}

/**
 * e^a / 2 and e^-a / 2 for a ≥ 0 where the first is finite. Above 1e10 the second is too small to
 * count beside it.
 */
function halves(f: Formula, a: Expr) {
  const { n, rest } = moduloLn2(f, a);
  const grown = f.let("grown", scaled(add(rest, 1), word.sub(n, 1)));
  const shrunk = div(0.25, choose(gt(grown, 1e10), 1e10, grown));
  return { grown, shrunk };
}

/** e^a / 2 - e^-a / 2 from 1 on, below a polynomial. */
function sinh(): LoopFunction {
  const f = new Formula("sinh", "(e^x - e^-x) / 2");
  const x = f.letWord("bits", bitsOf(f.given()));
  const a = f.let("a", ofBits(atMost(magnitude(x), sinhEnd)));
  const { grown, shrunk } = halves(f, a);
  const small = oddPolynomial(f, f.let("inner", choose(lt(a, 1), a, 1)), sinhTail);
  const value = bitsOf(choose(lt(a, 1), small, sub(grown, shrunk)));
  return f.done(word.or(signOf(x), orOverflow(magnitude(x), sinhEnd, value)));
}

function cosh(): LoopFunction {
  const f = new Formula("cosh", "(e^x + e^-x) / 2");
  const x = f.letWord("bits", bitsOf(f.given()));
  const { grown, shrunk } = halves(f, f.let("a", ofBits(atMost(magnitude(x), sinhEnd))));
  return f.done(orOverflow(magnitude(x), sinhEnd, bitsOf(add(grown, shrunk))));
}

/** tanh |x| = 1 - 2 / (e^(2|x|) + 1), and 1 from 10 on; near 0 a polynomial. */
function tanh(): LoopFunction {
  const f = new Formula("tanh", "sinh x / cosh x");
  const x = f.letWord("bits", bitsOf(f.given()));
  const a = f.let("a", ofBits(atMost(magnitude(x), bits(10))));
  const { n, rest } = moduloLn2(f, f.let("twice", add(a, a)));
  const large = sub(1, div(2, add(mul(add(rest, 1), power(n)), 1)));
  const value = bitsOf(choose(lt(a, 0.625), oddPolynomial(f, a, tanhTail), large));
  return f.done(orNan(x, word.or(signOf(x), value)));
}

/** erf |x| = 1 - e^(log erfc |x|), and 1 from 4 on; up to 1 a polynomial. */
function erf(): LoopFunction {
  const f = new Formula("erf", "2/√π ∫ e^(-t²) dt from 0 to x");
  const x = f.letWord("bits", bitsOf(f.given()));
  const a = f.let("a", ofBits(atMost(magnitude(x), bits(4))));
  const square = f.let("square", mul(a, a));
  const small = add(a, mul(a, polynomial(square, erfTail)));
  const outer = f.let("outer", choose(lt(a, 1), 1, a));
  const { n, rest } = moduloLn2(f, f.let("logarithm", polynomial(outer, erfcLogarithm)));
  const large = sub(1, mul(add(rest, 1), power(n)));
  const value = bitsOf(choose(lt(a, 1), small, large));
  // Words of denormal numbers are multiples of one number, so the formula may be that of words.
  const size = f.letWord("size", magnitude(x));
  const tiny = toInteger(
    floor(add(mul(toSingle(atMost(size, leastNormal)), 2 / Math.sqrt(Math.PI)), 0.5)),
  );
  const any = word.choose(word.lt(size, leastNormal), tiny, value);
  return f.done(orNan(x, word.or(signOf(x), any)));
}

export const exponentials = {
  exp: exp(),
  expm1: expm1(),
  sinh: sinh(),
  cosh: cosh(),
  tanh: tanh(),
  erf: erf(),
} as const satisfies Readonly<Record<string, LoopFunction>>;
