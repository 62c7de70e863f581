/**
 * Elementary functions of doubles as WebAssembly text, within 2 units in the last place. Each is
 * written once and spelled twice, for one number and for two lanes, so that both give the same
 * numbers. What a formula does not cover (numbers that are too large, or not normal) goes to `Math`.
 *
 * Coefficients are Chebyshev interpolants in 60 digits (mpmath.chebyfit) of the functions that are
 * given with them; the error is of the polynomial itself.
 *
 * A vector of one constant is loaded: `offset=@f64:0.5` stands for the place of 0.5 among the
 * program's constants (constants.ts), because engines make it from an immediate in three steps.
 */

import { exponentialRest, exponentialTable } from "./constants.ts";

/** (e^r - 1 - r) / r² for |r| ≤ ln 2 / 2; error 1.4e-18. */
const expTail = [
  0.5, 0.1666666666666667, 0.04166666666666667, 0.008333333333326136, 0.0013888888888883748,
  0.00019841269874820627, 2.4801587325547743e-5, 2.7557255400206422e-6, 2.75572736431103e-7,
  2.5105217004720745e-8, 2.0914686968086876e-9,
];

/** The same for |r| ≤ ln 2 / 128; error 1.5e-13. */
const shortExpTail = [
  0.4999999999998506, 0.16666666666664534, 0.041666707403338075, 0.008333339152857227,
];

/** (log((1 + s)/(1 - s)) - 2s) / s³ in s², |s| ≤ (√2 - 1)/(√2 + 1); error 3.1e-16. */
const logTail = [
  0.666666666666667, 0.3999999999989938, 0.28571428626031065, 0.2222221112572281,
  0.18182889786191042, 0.15331699633543858, 0.14616721179861816,
];

/** ((log((1 + s)/(1 - s)) - 2s) / s³ - 2/3) / s² in s², on the same range; error 1.3e-20. */
const powTail = [
  0.4, 0.28571428571428564, 0.22222222222228435, 0.181818181796556, 0.1538461576136298,
  0.13333296519287247, 0.11766813776159434, 0.10456312590395662, 0.10762557435735054,
];

/** (r - sin r) / r³ in r², |r| ≤ π/4; error 2.1e-17. */
const sinTail = [
  0.16666666666666666, -0.008333333333330946, 0.0001984126983675497, -2.755731610068303e-6,
  2.5051131455427946e-8, -1.591810123027412e-10,
];

/** (cos r - 1 + r²/2) / r⁴ in r², |r| ≤ π/4; error 1.3e-18. */
const cosTail = [
  0.041666666666666664, -0.0013888888888887395, 2.4801587298763433e-5, -2.7557317270560326e-7,
  2.0876146024689747e-9, -1.1382614868556325e-11,
];

/** ln 2 and π/2 in parts. The first ones end in zeros: their products with counts are exact. */
const ln2 = [0.6931467056274414, 4.7493250390316726e-7] as const;
const halfPi = [1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21] as const;

/** 2/3 in two parts, the first with 26 digits. */
const twoThirds = [0.6666666567325592, 9.934107462565104e-9] as const;

/** A double of this size has no room for a fraction: adding it rounds to the nearest integer. */
const rounder = 1.5 * 2 ** 52;
const rounderBits = 0x4338000000000000n;

/** The code of one function of doubles: `f64` for one, `f64x2` for two lanes. */
class Code {
  readonly shape: "f64" | "f64x2";
  private readonly lines: string[] = [];
  private readonly locals: string[] = [];

  constructor(shape: "f64" | "f64x2") {
    this.shape = shape;
  }

  get isScalar(): boolean {
    return this.shape === "f64";
  }

  /** The function of these parameters whose result is the last expression. */
  function(name: string, parameters: readonly string[], result: string): string {
    const type = this.isScalar ? "f64" : "v128";
    const given = parameters.map((parameter) => `(param $${parameter} ${type})`).join(" ");
    const lines = [...this.locals, ...this.lines, result].map((line) => `    ${line}`);
    return `(func $${name}_${this.shape} ${given} (result ${type})\n${lines.join("\n")})`;
  }

  /** Keeps a value of doubles in a local. */
  let(value: string): string {
    return this.keep(value, "f64");
  }

  /** Keeps bits in a local. */
  letBits(value: string): string {
    return this.keep(value, "i64");
  }

  private keep(value: string, type: "f64" | "i64"): string {
    const name = `$t${this.locals.length}`;
    this.locals.push(`(local ${name} ${this.isScalar ? type : "v128"})`);
    this.lines.push(`(local.set ${name} ${value})`);
    return `(local.get ${name})`;
  }

  /** Leaves for `Math`, lane by lane, unless all lanes are fine. */
  require(fine: string, name: string, operands: readonly string[]): void {
    const lane = (k: number): string => {
      const parts = operands.map((operand) => `(f64x2.extract_lane ${k} ${operand})`);
      return `(call $${name}_f64 ${parts.join(" ")})`;
    };
    const otherwise = this.isScalar
      ? `(call $math_${name} ${operands.join(" ")})`
      : `(f64x2.replace_lane 1 (f64x2.splat ${lane(0)}) ${lane(1)})`;
    this.requireOr(fine, otherwise);
  }

  /** Leaves with another result unless all lanes are fine. */
  requireOr(fine: string, otherwise: string): void {
    const all = this.isScalar ? fine : `(i64x2.all_true ${fine})`;
    this.lines.push(`(if (i32.eqz ${all}) (then (return ${otherwise})))`);
  }

  float(name: string, ...operands: string[]): string {
    return `(${this.shape}.${name} ${operands.join(" ")})`;
  }
  add(a: string, b: string): string {
    return this.float("add", a, b);
  }
  sub(a: string, b: string): string {
    return this.float("sub", a, b);
  }
  mul(a: string, b: string): string {
    return this.float("mul", a, b);
  }
  div(a: string, b: string): string {
    return this.float("div", a, b);
  }
  number(value: number): string {
    if (!this.isScalar) return `(v128.load64_splat offset=@f64:${value} (global.get $constants))`;
    return `(f64.const ${value === Infinity ? "inf" : value})`;
  }

  /** Bits of doubles, as they are, and back. */
  bitsOf(value: string): string {
    return this.isScalar ? `(i64.reinterpret_f64 ${value})` : value;
  }
  fromBits(value: string): string {
    return this.isScalar ? `(f64.reinterpret_i64 ${value})` : value;
  }
  bits(value: bigint): string {
    if (this.isScalar) return `(i64.const ${value})`;
    return `(v128.load64_splat offset=@i64:${value} (global.get $constants))`;
  }
  integer(name: "add" | "sub", a: string, b: string): string {
    return `(${this.isScalar ? "i64" : "i64x2"}.${name} ${a} ${b})`;
  }
  shift(name: "shl" | "shr_s", value: string, by: number): string {
    return this.isScalar
      ? `(i64.${name} ${value} (i64.const ${by}))`
      : `(i64x2.${name} ${value} (i32.const ${by}))`;
  }
  bitwise(name: "and" | "or" | "xor", a: string, b: string): string {
    return `(${this.isScalar ? "i64" : "v128"}.${name} ${a} ${b})`;
  }
  /** The greater or the smaller of the two; NaN stays, which takes more work in `min` and `max`. */
  atLeast(value: string, bound: number): string {
    const limit = this.number(bound);
    if (!this.isScalar) return `(f64x2.pmax ${value} ${limit})`;
    return `(select ${limit} ${value} (f64.lt ${value} ${limit}))`;
  }
  atMost(value: string, bound: number): string {
    const limit = this.number(bound);
    if (!this.isScalar) return `(f64x2.pmin ${value} ${limit})`;
    return `(select ${limit} ${value} (f64.gt ${value} ${limit}))`;
  }
  /** True in both conditions. */
  both(a: string, b: string): string {
    return `(${this.isScalar ? "i32" : "v128"}.and ${a} ${b})`;
  }
  either(a: string, b: string): string {
    return `(${this.isScalar ? "i32" : "v128"}.or ${a} ${b})`;
  }
  /** `a` where the bits of the condition are not zero; of a double in both cases. */
  chooseOdd(count: string, a: string, b: string): string {
    if (this.isScalar) return `(select ${a} ${b} (i32.wrap_i64 (i64.and ${count} (i64.const 1))))`;
    const mask = `(i64x2.shr_s (i64x2.shl ${count} (i32.const 63)) (i32.const 63))`;
    return `(v128.bitselect ${a} ${b} ${mask})`;
  }

  /**
   * Σ c_k x^k. Neighbours are joined, then pairs of them with x², and so on (Estrin's scheme): the
   * operations of a level do not wait for each other.
   */
  polynomial(x: string, coefficients: readonly number[]): string {
    let terms = coefficients.map((c) => this.number(c));
    let power = x;
    for (;;) {
      const joined: string[] = [];
      for (let k = 0; k < terms.length; k += 2) {
        const [low, high] = terms.slice(k, k + 2) as [string, string?];
        joined.push(high === undefined ? low : this.add(low, this.mul(high, power)));
      }
      terms = joined;
      if (terms.length === 1) return terms[0] as string;
      power = this.let(this.mul(power, power));
      terms = terms.map((term) => this.let(term));
    }
  }

  /** The value without the lower half of its digits, so that products of two such are exact. */
  upperHalf(value: string): string {
    return this.fromBits(this.bitwise("and", this.bitsOf(value), this.bits(-(1n << 27n))));
  }

  /** The nearest integer to `x` as a double; in `shifted` it is in the low bits. */
  rounded(x: string): { readonly count: string; readonly shifted: string } {
    const shifted = this.let(this.add(x, this.number(rounder)));
    return { count: this.let(this.sub(shifted, this.number(rounder))), shifted };
  }

  /** The integer of `rounded`, as bits. */
  integerOf(shifted: string): string {
    return this.letBits(this.integer("sub", this.bitsOf(shifted), this.bits(rounderBits)));
  }

  /** An element of a table of 64, at the lowest six bits. */
  lookup(table: string, steps: string): string {
    const place = (low: string): string =>
      `(i32.add (global.get $constants) (i32.shl (i32.and ${low} (i32.const 63)) (i32.const 3)))`;
    const offset = `offset=@table:${table}`;
    if (this.isScalar) return `(f64.load ${offset} ${place(`(i32.wrap_i64 ${steps})`)})`;
    const [low, high] = [0, 2].map((k) => place(`(i32x4.extract_lane ${k} ${steps})`));
    const first = `(v128.load64_zero ${offset} ${low})`;
    return `(f64x2.replace_lane 1 ${first} (f64.load ${offset} ${high}))`;
  }

  /** 2^n of an integer from -1022 to 1023 */
  power(n: string): string {
    return this.fromBits(this.shift("shl", this.integer("add", n, this.bits(1023n)), 52));
  }

  /** x · 2^n, by two factors: one alone may lie outside of the range where the result does not. */
  scaled(x: string, n: string): string {
    const half = this.letBits(this.shift("shr_s", n, 1));
    const first = this.mul(x, this.power(half));
    return this.mul(first, this.power(this.integer("sub", n, half)));
  }

  /** x = n ln 2 + r + rest, |r| ≤ ln 2 / 2; gives r, rest + (e^(r + rest) - 1 - r), and n. */
  moduloLn2(x: string): { readonly r: string; readonly tail: string; readonly n: string } {
    const { count, shifted } = this.rounded(this.mul(x, this.number(Math.LOG2E)));
    const r = this.let(this.sub(x, this.mul(count, this.number(ln2[0]))));
    const rest = this.let(this.mul(count, this.number(-ln2[1])));
    const whole = this.let(this.add(r, rest));
    const square = this.mul(whole, whole);
    const tail = this.let(this.add(rest, this.mul(square, this.polynomial(whole, expTail))));
    return { r, tail, n: this.integerOf(shifted) };
  }

  /** x = m 2^e, √½ ≤ m < √2, of a normal x > 0. */
  parts(x: string): { readonly m: string; readonly e: string } {
    const bits = this.letBits(this.bitsOf(x));
    const above = this.integer("sub", bits, this.bits(0x3fe6a09e667f3bcdn));
    const exponent = this.letBits(this.shift("shr_s", above, 52));
    const m = this.let(this.fromBits(this.integer("sub", bits, this.shift("shl", exponent, 52))));
    const shifted = this.fromBits(this.integer("add", exponent, this.bits(rounderBits)));
    return { m, e: this.let(this.sub(shifted, this.number(rounder))) };
  }

  /** True of normal numbers that are positive and finite. */
  isOrdinary(x: string): string {
    return this.both(
      this.float("ge", x, this.number(2 ** -1022)),
      this.float("lt", x, this.number(Infinity)),
    );
  }
}

const x = "(local.get $x)";
const y = "(local.get $y)";

/**
 * e^(x + more) = 2^n T (1 + tail), where x = (64 n + k) ln 2 / 64 + r, T = 2^(k/64) and
 * tail = e^(r + more) - 1. Gives T (1 + tail), and n in the bits from the sixth on. With `more` the
 * result is nearly always the nearest double: then T has two parts.
 */
function exponentialParts(
  code: Code,
  x: string,
  more?: string,
): { readonly mantissa: string; readonly steps: string } {
  const { count, shifted } = code.rounded(code.mul(x, code.number(64 * Math.LOG2E)));
  const first = code.sub(x, code.mul(count, code.number(ln2[0] / 64)));
  const small = code.mul(count, code.number(ln2[1] / 64));
  const r = code.let(
    more === undefined ? code.sub(first, small) : code.add(first, code.sub(more, small)),
  );
  const square = code.let(code.mul(r, r));
  const tail = code.add(r, code.mul(square, code.polynomial(r, shortExpTail)));
  const steps = code.letBits(code.bitsOf(shifted));
  const table = code.let(code.lookup(exponentialTable, steps));
  const product = code.mul(table, tail);
  const rest =
    more === undefined ? product : code.add(product, code.lookup(exponentialRest, steps));
  return { mantissa: code.let(code.add(table, rest)), steps };
}

/** A normal number times 2^n, where the result is one too; n as it comes from above. */
function withExponent(code: Code, mantissa: string, steps: string): string {
  const n = code.shift("shl", code.bitwise("and", steps, code.bits(-64n)), 46);
  return code.fromBits(code.integer("add", code.bitsOf(mantissa), n));
}

/** Where the result is a normal number, n is added to its exponent. */
function exp(code: Code): string {
  const fine = code.float("lt", code.float("abs", x), code.number(708));
  code.requireOr(fine, `(call $exp_wide_${code.shape} ${x})`);
  const { mantissa, steps } = exponentialParts(code, x);
  return code.function("exp", ["x"], withExponent(code, mantissa, steps));
}

/** Beyond the bounds e^x is 0 or infinite; NaN stays. */
function wideExp(code: Code): string {
  const inside = code.let(code.atMost(code.let(code.atLeast(x, -746)), 710));
  const { mantissa, steps } = exponentialParts(code, inside);
  const count = code.integer("sub", steps, code.bits(rounderBits));
  const n = code.letBits(code.shift("shr_s", count, 6));
  return code.function("exp_wide", ["x"], code.scaled(mantissa, n));
}

/** log(m 2^e) = e ln 2 + f - (f²/2 - s (f²/2 + R)), f = m - 1, s = f/(2 + f), R = s² tail(s²). */
function log(code: Code): string {
  code.require(code.isOrdinary(x), "log", [x]);
  const { m, e } = code.parts(x);
  const f = code.let(code.sub(m, code.number(1)));
  const s = code.let(code.div(f, code.add(code.number(2), f)));
  const z = code.let(code.mul(s, s));
  const half = code.let(code.mul(code.mul(f, f), code.number(0.5)));
  const inner = code.add(half, code.mul(z, code.polynomial(z, logTail)));
  const small = code.add(code.mul(s, inner), code.mul(e, code.number(ln2[1])));
  const rest = code.sub(code.sub(half, small), f);
  return code.function("log", ["x"], code.sub(code.mul(e, code.number(ln2[0])), rest));
}

/** tanh |x| = t / (t + 2), t = e^(2|x|) - 1 = 2^n (r + tail) + (2^n - 1). Beyond 22 it is 1. */
function tanh(code: Code): string {
  const magnitude = code.atMost(code.let(code.float("abs", x)), 22);
  const { r, tail, n } = code.moduloLn2(code.let(code.add(magnitude, magnitude)));
  const scale = code.let(code.power(n));
  const product = code.mul(scale, code.add(r, tail));
  const t = code.let(code.add(product, code.sub(scale, code.number(1))));
  const sum = code.let(code.add(t, code.number(2)));
  const lost = code.sub(t, code.sub(sum, code.number(2)));
  const quotient = code.let(code.div(t, sum));
  // t / (sum + lost) = q - q lost / sum, and 1 / sum = (1 - q) / 2
  const share = code.mul(code.sub(code.number(0.5), code.mul(quotient, code.number(0.5))), lost);
  // Where t has no room for units, `lost` is not known and may lead beyond 1.
  const positive = code.atMost(code.let(code.sub(quotient, code.mul(quotient, share))), 1);
  const sign = code.bitwise("and", code.bitsOf(x), code.bits(-(1n << 63n)));
  return code.function(
    "tanh",
    ["x"],
    code.fromBits(code.bitwise("or", code.bitsOf(positive), sign)),
  );
}

/**
 * x = n π/2 + r - rest, |r| ≤ π/4; then the sine or cosine of r - rest, with a sign. `quarters`
 * is 0 for the sine and 1 for the cosine, which is the sine of x + π/2. Where r is so small that
 * the parts of π/2 have too few digits for it, `Math` knows better.
 */
function sine(code: Code, name: "sin" | "cos", quarters: bigint): string {
  const { count, shifted } = code.rounded(code.mul(x, code.number(2 / Math.PI)));
  const first = code.let(code.sub(x, code.mul(count, code.number(halfPi[0]))));
  const second = code.let(code.mul(count, code.number(halfPi[1])));
  const r = code.let(code.sub(first, second));
  const near = code.float("lt", code.float("abs", x), code.number(2 ** 19));
  const large = code.float("gt", code.float("abs", r), code.number(2 ** -20));
  const whole = code.float("eq", count, code.number(0));
  code.require(code.both(near, code.either(large, whole)), name, [x]);
  const lost = code.sub(code.sub(first, r), second);
  const rest = code.let(code.sub(code.mul(count, code.number(halfPi[2])), lost));
  const z = code.let(code.mul(r, r));
  const half = code.let(code.mul(z, code.number(0.5)));
  const main = code.let(code.sub(code.number(1), half));
  // sin(r - rest) = r - (r³ S + rest (1 - r²/2)); the sign of a zero stays.
  const cube = code.mul(code.mul(r, z), code.polynomial(z, sinTail));
  const odd = code.let(code.sub(r, code.add(cube, code.mul(rest, main))));
  // cos(r - rest) = 1 - r²/2 + r⁴ C + r rest, where the rounding of 1 - r²/2 is made good
  const dropped = code.sub(code.sub(code.number(1), main), half);
  const fourth = code.mul(code.mul(z, z), code.polynomial(z, cosTail));
  const small = code.add(dropped, code.add(fourth, code.mul(r, rest)));
  const even = code.let(code.add(main, small));
  const bits = code.letBits(code.bitsOf(shifted));
  const quadrant =
    quarters === 0n ? bits : code.letBits(code.integer("add", bits, code.bits(quarters)));
  const chosen = code.chooseOdd(quadrant, even, odd);
  const sign = code.shift("shl", code.shift("shr_s", quadrant, 1), 63);
  return code.function(name, ["x"], code.fromBits(code.bitwise("xor", code.bitsOf(chosen), sign)));
}

/**
 * x^y = e^(y log x), where log x is the sum of two doubles and so is its product with y: the
 * exponent needs as many digits behind the point as the result has in all.
 *
 *   log(m 2^e) = e ln 2 + 2s + s³ (2/3 + s² tail(s²)), s = (m - 1)/(m + 1) = s₁ + s₂
 */
function pow(code: Code): string {
  const finite = code.float("lt", code.float("abs", y), code.number(2 ** 64));
  code.require(code.both(code.isOrdinary(x), finite), "pow", [x, y]);
  const { m, e } = code.parts(x);
  const f = code.let(code.sub(m, code.number(1)));
  const sum = code.let(code.add(m, code.number(1)));
  const s = code.let(code.div(f, sum));
  const s1 = code.let(code.upperHalf(s));
  const d1 = code.let(code.upperHalf(sum));
  const d2 = code.sub(m, code.sub(d1, code.number(1)));
  // s₂ = (f - s₁ (m + 1)) / (m + 1)
  const left = code.sub(code.sub(f, code.mul(s1, d1)), code.mul(s1, d2));
  const s2 = code.let(code.div(left, sum));
  const z = code.let(code.mul(s, s));
  // w₁ + w₂ = 2 + s² (2/3 + s² tail), z₁ + z₂ = s²
  const z1 = code.let(code.mul(s1, s1));
  const z2 = code.let(code.mul(s2, code.add(s, s1)));
  const zh = code.let(code.upperHalf(z1));
  const zl = code.let(code.add(code.sub(z1, zh), z2));
  const exact = code.let(code.mul(zh, code.number(twoThirds[0])));
  const fine = code.let(
    code.add(
      code.add(code.mul(zh, code.number(twoThirds[1])), code.mul(zl, code.number(2 / 3))),
      code.mul(code.mul(z, z), code.polynomial(z, powTail)),
    ),
  );
  const w = code.let(code.add(code.number(2), code.add(exact, fine)));
  const w1 = code.let(code.upperHalf(w));
  const w2 = code.let(code.add(code.sub(exact, code.sub(w1, code.number(2))), fine));
  // log m = (s₁ + s₂) (w₁ + w₂)
  const high = code.let(code.mul(s1, w1));
  const low = code.let(code.add(code.mul(s2, w), code.mul(s1, w2)));
  // log x = a + b
  const whole = code.let(code.mul(e, code.number(ln2[0])));
  const a0 = code.let(code.add(whole, high));
  const big = code.let(code.sub(a0, whole));
  const slip = code.add(code.sub(whole, code.sub(a0, big)), code.sub(high, big));
  const b0 = code.let(code.add(slip, code.add(low, code.mul(e, code.number(ln2[1])))));
  const total = code.let(code.add(a0, b0));
  const a = code.let(code.upperHalf(total));
  const b = code.let(code.add(code.sub(a0, a), b0));
  // y log x = p + q
  const y1 = code.let(code.upperHalf(y));
  const p0 = code.let(code.mul(y1, a));
  const q0 = code.let(code.add(code.mul(code.sub(y, y1), a), code.mul(y, b)));
  const p = code.let(code.add(p0, q0));
  code.require(code.float("lt", code.float("abs", p), code.number(708)), "pow", [x, y]);
  const q = code.let(code.add(code.sub(p0, p), q0));
  const { mantissa, steps } = exponentialParts(code, p, q);
  return code.function("pow", ["x", "y"], withExponent(code, mantissa, steps));
}

const functions: Readonly<Record<string, (code: Code) => string>> = {
  exp,
  exp_wide: wideExp,
  log,
  tanh,
  sin: (code) => sine(code, "sin", 0n),
  cos: (code) => sine(code, "cos", 1n),
  pow,
};

/** Helper functions by name: `exp_f64`, `exp_f64x2` and so on. */
export const elementaryHelpers: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(functions).flatMap(([name, write]) => [
    [`${name}_f64`, write(new Code("f64"))],
    [`${name}_f64x2`, write(new Code("f64x2"))],
  ]),
);
