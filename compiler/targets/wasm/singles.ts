/**
 * Elementary functions of four singles as WebAssembly text, within 2 units in the last place. What
 * a formula does not cover goes to `Math`, lane by lane.
 *
 * Coefficients are Chebyshev interpolants, in doubles, of the functions that are given with them;
 * the error is what they add to the result, relatively.
 */

/** (e^r - 1 - r) / r² for |r| ≤ ln 2 / 2; error 7.8e-9. */
const expTail = [
  0.5, 0.16666577756404877, 0.041666556149721146, 0.008363173343241215, 0.0013926175888627768,
];

/** (log((1 + s)/(1 - s)) - 2s) / s³ in s², |s| ≤ (√2 - 1)/(√2 + 1); error 5.5e-9. */
const logTail = [0.6666668653488159, 0.3998878002166748, 0.29579949378967285];

/** (r - sin r) / r³ in r², |r| ≤ π/4; error 1.2e-8. */
const sinTail = [0.166666641831398, -0.008332747966051102, 0.00019587890710681677];

/** (cos r - 1 + r²/2) / r⁴ in r², |r| ≤ π/4; error 7.6e-10. */
const cosTail = [0.0416666641831398, -0.001388830249197781, 0.00002454794230288826];

/** (tanh x - x) / x³ in x², |x| ≤ 0.625; error 1.5e-8. */
const tanhTail = [
  -0.333333283662796, 0.1333276927471161, -0.05385090783238411, 0.020997179672122,
  -0.006096714176237583,
];

/** (erf x - x) / x in x², |x| ≤ 1; error 1.3e-9. */
const erfTail = [
  0.12837916612625122, -0.3761262595653534, 0.11283594369888306, -0.02685421146452427,
  0.005189087241888046, -0.000801686430349946, 0.00007875874871388078,
];

/** log (1 - erf x) for 1 ≤ x ≤ 4; error 5.2e-8. */
const erfcLogarithm = [
  -0.0007658977992832661, -1.1258935928344727, -0.6391412615776062, -0.10328111797571182,
  0.022604772821068764, -0.0034323513973504305, 0.00031693701748736203, -0.000013272361684357747,
];

/** ln 2 in two parts. The first has few digits: its products with counts are exact. */
const ln2 = [0.693359375, Math.LN2 - 0.693359375] as const;
/** π/2 in two parts, in doubles. */
const halfPi = [1.5707963267341256, 6.077100506506192e-11] as const;

/** Adding a number of this size rounds to the nearest integer, which is in the low bits then. */
const rounder = 1.5 * 2 ** 23;
const doubleRounder = 1.5 * 2 ** 52;

const signBit = -(2 ** 31);

/** A function, and its code for the place where it is called. */
export interface Single {
  readonly text: string;
  /** Statements that leave the value in a local; all locals begin with `prefix`. */
  readonly inline: (
    operands: readonly string[],
    prefix: string,
    result: string,
  ) => { readonly lines: readonly string[]; readonly locals: readonly string[] };
}

type Step =
  | { readonly local: string; readonly value: string }
  /** Another result unless the condition holds in all lanes. */
  | { readonly fine: string; readonly otherwise: string };

/** The code of one function of `parameters`; `relaxed` where a multiply-add rounds once. */
class Code {
  private readonly relaxed: boolean;
  private readonly parameters: readonly string[];
  private readonly steps: Step[] = [];
  private locals = 0;

  constructor(relaxed: boolean, parameters: readonly string[] = ["x"]) {
    this.relaxed = relaxed;
    this.parameters = parameters;
  }

  /** a b + c */
  madd(a: string, b: string, c: string): string {
    return this.relaxed ? f32("relaxed_madd", a, b, c) : add(mul(a, b), c);
  }

  /** Σ c_k x^k, from the highest power down: in a loop other rounds fill the waits. */
  polynomial(x: string, coefficients: readonly number[]): string {
    return coefficients
      .map(number)
      .reduceRight((inner, coefficient) => this.madd(inner, x, coefficient));
  }

  function(name: string, result: string): Single {
    const { parameters, steps } = this;
    const given = parameters.map((parameter) => `(param $${parameter} v128)`).join(" ");
    const temporaries = Array.from({ length: this.locals }, (_, k) => `$t${k}`);
    const declared = temporaries.map((local) => `(local ${local} v128)`).join(" ");
    const lines = steps.map((step) =>
      "local" in step
        ? `(local.set ${step.local} ${step.value})`
        : `(if (i32.eqz (i32x4.all_true ${step.fine})) (then (return ${step.otherwise})))`,
    );
    const body = [...lines, result].map((line) => `    ${line}`).join("\n");
    const text = `(func $${name}_f32x4 ${given} (result v128) ${declared}\n${body})`;
    const own = [...parameters.map((parameter) => `$${parameter}`), ...temporaries];
    const inline: Single["inline"] = (operands, prefix, target) => {
      const renamed = (code: string): string =>
        code.replaceAll(/\$(x|y|t\d+)\b/g, (_, name_: string) => `$${prefix}${name_}`);
      let ends = "";
      const inside = steps.map((step) => {
        if ("local" in step) return renamed(`(local.set ${step.local} ${step.value})`);
        ends = `) (else (local.set ${target} ${renamed(step.otherwise)})))${ends}`;
        return renamed(`(if (i32x4.all_true ${step.fine}) (then`);
      });
      return {
        lines: [
          ...parameters.map((parameter, k) => `(local.set $${prefix}${parameter} ${operands[k]})`),
          ...inside,
          `(local.set ${target} ${renamed(result)})${ends}`,
        ],
        locals: own.map(renamed),
      };
    };
    return { text, inline };
  }

  /** Keeps a value in a local. */
  let(value: string): string {
    const local = `$t${this.locals++}`;
    this.steps.push({ local, value });
    return `(local.get ${local})`;
  }

  /** Leaves with another result unless the condition holds in all lanes. */
  require(fine: string, otherwise: string): void {
    this.steps.push({ fine, otherwise });
  }

  /** Leaves for `Math` unless the condition holds in all lanes. */
  requireOrMath(fine: string, name: string): void {
    const lane = (k: number): string => {
      const operands = this.parameters.map(
        (parameter) => `(f64.promote_f32 (f32x4.extract_lane ${k} (local.get $${parameter})))`,
      );
      return `(f32.demote_f64 (call $math_${name} ${operands.join(" ")}))`;
    };
    const joined = [1, 2, 3].reduce(
      (vector, k) => `(f32x4.replace_lane ${k} ${vector} ${lane(k)})`,
      `(f32x4.splat ${lane(0)})`,
    );
    this.require(fine, joined);
  }
}

const x = "(local.get $x)";
const y = "(local.get $y)";

function f32(name: string, ...operands: readonly string[]): string {
  return `(f32x4.${name} ${operands.join(" ")})`;
}
const add = (a: string, b: string): string => f32("add", a, b);
const sub = (a: string, b: string): string => f32("sub", a, b);
const mul = (a: string, b: string): string => f32("mul", a, b);
const div = (a: string, b: string): string => f32("div", a, b);
const abs = (a: string): string => f32("abs", a);
const both = (a: string, b: string): string => `(v128.and ${a} ${b})`;
const either = (a: string, b: string): string => `(v128.or ${a} ${b})`;
const below = (a: string, bound: number): string => f32("lt", a, number(bound));
const isFrom = (a: string, bound: number): string => f32("ge", a, number(bound));
/** NaN stays, which takes more work in `min`. */
const atMost = (a: string, bound: number): string => f32("pmin", a, number(bound));
const atLeast = (a: string, bound: number): string => f32("pmax", a, number(bound));
const choose = (condition: string, a: string, b: string): string =>
  `(v128.bitselect ${a} ${b} ${condition})`;
const shifted = (name: "shl" | "shr_s", a: string, by: number): string =>
  `(i32x4.${name} ${a} (i32.const ${by}))`;
const integer = (name: "add" | "sub", a: string, b: string): string => `(i32x4.${name} ${a} ${b})`;

/** A number in all lanes, from the program's constants (constants.ts). */
function number(value: number): string {
  return `(v128.load32_splat offset=@f32:${value} (global.get $constants))`;
}
function bits(value: number): string {
  return `(v128.load32_splat offset=@i32:${value} (global.get $constants))`;
}
function double(value: number): string {
  return `(v128.load64_splat offset=@f64:${value} (global.get $constants))`;
}

/** The sign of `of` on a number that has none. */
function withSign(magnitude: string, of: string): string {
  return either(magnitude, both(of, bits(signBit)));
}

/** x = n ln 2 + r, |r| ≤ ln 2 / 2; gives e^r - 1 as `rest`, and n in the low bits of `count`. */
function moduloLn2(code: Code, x: string) {
  const count = code.let(code.madd(x, number(Math.LOG2E), number(rounder)));
  const n = code.let(sub(count, number(rounder)));
  const main = code.madd(n, number(-ln2[0]), x);
  const r = code.let(code.madd(n, number(-ln2[1]), main));
  const rest = code.madd(mul(r, r), code.polynomial(r, expTail), r);
  return { count, rest };
}

/** A normal number times 2^n, where the result is normal too. Of NaN it makes anything. */
function withExponent(mantissa: string, count: string): string {
  return integer("add", mantissa, shifted("shl", count, 23));
}

/** 2^n of an integer from -126 to 127. */
function power(n: string): string {
  return shifted("shl", integer("add", n, bits(127)), 23);
}

/** e^x = 2^n e^r, for |x| < 87 without asking. */
function ordinaryExp(code: Code, x: string): string {
  const { count, rest } = moduloLn2(code, x);
  return withExponent(add(number(1), rest), count);
}

function exp(relaxed: boolean): Single {
  const code = new Code(relaxed);
  code.require(below(abs(x), 87), `(call $exp_wide_f32x4 ${x})`);
  return code.function("exp", ordinaryExp(code, x));
}

/** 2^n in two factors, since one alone may lie outside of the range where the result does not. */
function wideExp(relaxed: boolean): Single {
  const code = new Code(relaxed);
  const { count, rest } = moduloLn2(code, code.let(atMost(atLeast(x, -104), 89)));
  const n = code.let(integer("sub", count, bits(0x4b400000)));
  const half = code.let(shifted("shr_s", n, 1));
  const first = mul(add(number(1), rest), power(half));
  return code.function("exp_wide", mul(first, power(integer("sub", n, half))));
}

/** e^x - 1 = 2^n (e^r - 1) + (2^n - 1); where |x| < ln 2 / 2, n is 0 and nothing cancels. */
function expm1(relaxed: boolean): Single {
  const code = new Code(relaxed);
  code.requireOrMath(below(abs(x), 87), "expm1");
  const { count, rest } = moduloLn2(code, x);
  const scale = code.let(withExponent(number(1), count));
  return code.function("expm1", code.madd(scale, rest, sub(scale, number(1))));
}

/** tanh |x| = 1 - 2 / (e^(2|x|) + 1), and 1 from 10 on; near 0 a polynomial. */
function tanh(relaxed: boolean): Single {
  const code = new Code(relaxed);
  const magnitude = code.let(abs(x));
  const bounded = code.let(atMost(magnitude, 10));
  const e = code.let(ordinaryExp(code, code.let(add(bounded, bounded))));
  const large = withSign(sub(number(1), div(number(2), add(e, number(1)))), x);
  const square = code.let(mul(x, x));
  const small = code.madd(mul(x, square), code.polynomial(square, tanhTail), x);
  return code.function("tanh", choose(isFrom(magnitude, 0.625), large, small));
}

/** log(m 2^e) = e ln 2 + f - (f²/2 - s (f²/2 + R)), f = m - 1, s = f/(2 + f), R = s² tail(s²). */
function ordinaryLog(code: Code, x: string): string {
  const above = integer("sub", x, bits(0x3f3504f3));
  const exponent = code.let(shifted("shr_s", above, 23));
  const m = integer("sub", x, shifted("shl", exponent, 23));
  const f = code.let(sub(m, number(1)));
  const e = code.let(f32("convert_i32x4_s", exponent));
  const s = code.let(div(f, add(f, number(2))));
  const z = code.let(mul(s, s));
  const half = code.let(mul(mul(f, f), number(0.5)));
  const inner = code.madd(z, code.polynomial(z, logTail), half);
  const small = code.madd(s, inner, mul(e, number(ln2[1])));
  return code.madd(e, number(ln2[0]), sub(f, sub(half, small)));
}

/** True of normal numbers that are positive and finite. */
function isOrdinary(x: string): string {
  return both(isFrom(x, 2 ** -126), below(x, Infinity));
}

function log(relaxed: boolean): Single {
  const code = new Code(relaxed);
  code.requireOrMath(isOrdinary(x), "log");
  return code.function("log", ordinaryLog(code, x));
}

/** log(1 + x) = log u + (x - (u - 1)) / u, u the rounded 1 + x. */
function log1p(relaxed: boolean): Single {
  const code = new Code(relaxed);
  const u = code.let(add(x, number(1)));
  code.requireOrMath(both(isOrdinary(u), below(x, 2 ** 64)), "log1p");
  const lost = code.let(div(sub(x, sub(u, number(1))), u));
  // Where u is 1 the sign of a zero is in x alone.
  const isOne = f32("eq", u, number(1));
  return code.function("log1p", choose(isOne, x, add(ordinaryLog(code, u), lost)));
}

/**
 * x = n π/2 + r, |r| ≤ π/4, computed in doubles so that r has all of its digits. `quarters` is 0
 * for the sine and 1 for the cosine, which is the sine of x + π/2.
 */
function sine(relaxed: boolean, name: "sin" | "cos", quarters: 0 | 1): Single {
  const code = new Code(relaxed);
  code.requireOrMath(below(abs(x), 2 ** 20), name);
  const halves = [x, `(i8x16.shuffle ${words(2, 3, 0, 1)} ${x} ${x})`].map((half) => {
    const wide = code.let(`(f64x2.promote_low_f32x4 ${half})`);
    const count = code.let(
      `(f64x2.add (f64x2.mul ${wide} ${double(2 / Math.PI)}) ${double(doubleRounder)})`,
    );
    const n = code.let(`(f64x2.sub ${count} ${double(doubleRounder)})`);
    const [high, low] = halfPi.map((part) => `(f64x2.mul ${n} ${double(part)})`);
    const r = `(f32x4.demote_f64x2_zero (f64x2.sub (f64x2.sub ${wide} ${high}) ${low}))`;
    return { count, r: code.let(r) };
  }) as [{ count: string; r: string }, { count: string; r: string }];
  const [low, high] = halves;
  const r = code.let(`(i8x16.shuffle ${words(0, 1, 4, 5)} ${low.r} ${high.r})`);
  const counts = `(i8x16.shuffle ${words(0, 2, 4, 6)} ${low.count} ${high.count})`;
  const n = code.let(quarters === 0 ? counts : integer("add", counts, bits(1)));
  const z = code.let(mul(r, r));
  const odd = sub(r, mul(mul(r, z), code.polynomial(z, sinTail)));
  const start = code.madd(z, number(-0.5), number(1));
  const even = code.madd(mul(z, z), code.polynomial(z, cosTail), start);
  const isOdd = shifted("shr_s", shifted("shl", n, 31), 31);
  const sign = both(shifted("shl", n, 30), bits(signBit));
  return code.function(name, `(v128.xor ${choose(isOdd, even, odd)} ${sign})`);
}

/** The bytes of four words, for `i8x16.shuffle`. */
function words(...picks: readonly number[]): string {
  return picks.flatMap((word) => [0, 1, 2, 3].map((byte) => 4 * word + byte)).join(" ");
}

/** erf |x| = 1 - e^(log erfc |x|), and 1 from 4 on; up to 1 a polynomial. */
function erf(relaxed: boolean): Single {
  const code = new Code(relaxed);
  const magnitude = code.let(abs(x));
  const bounded = code.let(atMost(magnitude, 4));
  const e = ordinaryExp(code, code.let(code.polynomial(bounded, erfcLogarithm)));
  const large = withSign(sub(number(1), e), x);
  const square = code.let(mul(x, x));
  const small = code.madd(x, code.polynomial(square, erfTail), x);
  return code.function("erf", choose(isFrom(magnitude, 1), large, small));
}

/** x^y = e^(y log x) in doubles. */
function pow(relaxed: boolean): Single {
  const code = new Code(relaxed, ["x", "y"]);
  code.requireOrMath(both(isOrdinary(x), below(abs(y), Infinity)), "pow");
  const half = (of: string, high: boolean): string =>
    `(f64x2.promote_low_f32x4 ${high ? `(i8x16.shuffle ${words(2, 3, 0, 1)} ${of} ${of})` : of})`;
  const [low, high] = [false, true].map((upper) => {
    const exponent = `(f64x2.mul ${half(y, upper)} (call $log_f64x2 ${half(x, upper)}))`;
    return `(f32x4.demote_f64x2_zero (call $exp_f64x2 ${exponent}))`;
  });
  return code.function("pow", `(i8x16.shuffle ${words(0, 1, 4, 5)} ${low} ${high})`);
}

type Singles = Readonly<Record<string, Single>>;

/** Functions of four lanes by name. */
export function singlesOf(relaxed: boolean): Singles {
  return relaxed ? relaxedSingles : plainSingles;
}

const plainSingles = singles(false);
const relaxedSingles = singles(true);

function singles(relaxed: boolean): Singles {
  return {
    exp_f32x4: exp(relaxed),
    exp_wide_f32x4: wideExp(relaxed),
    expm1_f32x4: expm1(relaxed),
    tanh_f32x4: tanh(relaxed),
    log_f32x4: log(relaxed),
    log1p_f32x4: log1p(relaxed),
    sin_f32x4: sine(relaxed, "sin", 0),
    cos_f32x4: sine(relaxed, "cos", 1),
    erf_f32x4: erf(relaxed),
    pow_f32x4: pow(relaxed),
  };
}
