/**
 * Functions of singles in the loop IR, written like formulas.
 *
 * What a shading language promises is little: sums, products and comparisons of ordinary numbers are
 * rounded correctly or fused, quotients and roots are off by 2.5 units in the last place, denormal
 * numbers may become zeros, and infinities and NaN need not be there at all. So arithmetic here
 * neither meets nor makes infinities and NaN: arguments are bounded first, and the result of special
 * arguments is chosen among words, which are the bits of numbers.
 */

import {
  constant,
  type Expr,
  local,
  type Local,
  type LoopFunction,
  type Machine,
  op,
  read,
  set,
  type Statement,
  temporary,
} from "../../../kernel/loop.ts";

export type Operand = Expr | number;

// Singles

function single(x: Operand): Expr {
  return typeof x === "number" ? constant(Math.fround(x), "f32") : x;
}

function arithmetic(name: string): (...operands: readonly Operand[]) => Expr {
  return (...operands) => op(name, "f32", operands.map(single));
}

export const add = arithmetic("add");
export const sub = arithmetic("sub");
export const mul = arithmetic("mul");
export const div = arithmetic("div");
export const sqrt = arithmetic("sqrt");
export const floor = arithmetic("floor");
export const lt = arithmetic("lt");
export const gt = arithmetic("gt");
export const ge = arithmetic("ge");

/** One of two numbers, both of which are computed. */
export function choose(condition: Expr, x: Operand, y: Operand): Expr {
  return op("select", "f32", [condition, single(x), single(y)]);
}

/** Σ c_k x^k, from the highest power down. */
export function polynomial(x: Expr, coefficients: readonly number[]): Expr {
  return coefficients.map(single).reduceRight((inner, c) => add(mul(inner, x), c));
}

// Words: integers of 32 bits that wrap around

function integer(x: Operand): Expr {
  return typeof x === "number" ? constant(x | 0) : x;
}

function ofIntegers(name: string, dtype: "i32" | "u32" = "i32") {
  return (x: Operand, y: Operand): Expr => op(name, dtype, [integer(x), integer(y)]);
}

export const word = {
  add: ofIntegers("add"),
  sub: ofIntegers("sub"),
  mul: ofIntegers("mul"),
  and: ofIntegers("bit_and"),
  or: ofIntegers("bit_or"),
  xor: ofIntegers("bit_xor"),
  left: ofIntegers("shift_left"),
  /** Copies of the sign come in. */
  right: ofIntegers("shift_right"),
  /** Zeros come in. */
  rightUnsigned: ofIntegers("shift_right", "u32"),
  eq: ofIntegers("eq"),
  lt: ofIntegers("lt"),
  le: ofIntegers("le"),
  gt: ofIntegers("gt"),
  ge: ofIntegers("ge"),
  choose: (condition: Expr, x: Operand, y: Operand): Expr =>
    op("select", "i32", [condition, integer(x), integer(y)]),
};

export function both(x: Expr, y: Expr): Expr {
  return op("and", "bool", [x, y]);
}
export function either(x: Expr, y: Expr): Expr {
  return op("or", "bool", [x, y]);
}

// Between the two

export function bitsOf(x: Expr): Expr {
  return op("bits_of", "i32", [x]);
}
export function ofBits(x: Expr): Expr {
  return op("of_bits", "f32", [x]);
}
export function toInteger(x: Expr): Expr {
  return { kind: "cast", from: "f32", to: "i32", lanes: 1, value: x };
}
export function toSingle(x: Expr): Expr {
  return { kind: "cast", from: "i32", to: "f32", lanes: 1, value: x };
}

const view = new DataView(new ArrayBuffer(4));

/** The word of a number that is known here. */
export function bits(value: number): number {
  view.setFloat32(0, value);
  return view.getInt32(0);
}

export const infinity = 0x7f800000;
export const nan = 0x7fc00000;
export const signBit = -(2 ** 31);
/** The words of 1 and of the least normal number; ones where a single has its fraction. */
export const one = 0x3f800000;
export const leastNormal = 0x00800000;
export const fraction = 0x007fffff;
const greatest = 0x7f7fffff;

export function magnitude(of: Expr): Expr {
  return word.and(of, 0x7fffffff);
}
export function signOf(of: Expr): Expr {
  return word.and(of, signBit);
}
export function isNan(of: Expr): Expr {
  return word.gt(magnitude(of), infinity);
}
/** The least of a magnitude and a bound: a number for what is infinite or NaN, too. */
export function atMost(magnitude: Expr, bound: number = greatest): Expr {
  return word.choose(word.lt(magnitude, bound), magnitude, bound);
}

/** The upper 12 digits of a number: products of two such are exact. */
export function upper(x: Expr): Expr {
  return ofBits(word.and(bitsOf(x), -4096));
}

/** A number as the multiple of a power of two that is below it, and the rest. */
export function split(value: number, unit: number): readonly [hi: number, lo: number] {
  const hi = Math.floor(value / unit) * unit;
  return [hi, value - hi];
}

/** 2^n for -126 ≤ n ≤ 127. */
export function power(n: Expr): Expr {
  return ofBits(word.left(word.add(n, 127), 23));
}

/** A function while it is written. */
export class Formula {
  private readonly name: string;
  private readonly comment: string;
  private readonly parameters: readonly Local[];
  private readonly counts = new Map<string, number>();
  private body: Statement[] = [];

  constructor(name: string, comment: string, parameters: readonly string[] = ["x"]) {
    this.name = name;
    this.comment = comment;
    this.parameters = parameters.map((parameter) => local(this.fresh(parameter), "f32"));
  }

  /** A parameter. */
  given(index = 0): Expr {
    return read(this.parameters[index] as Local);
  }

  /** Keeps a number in a local. */
  let(name: string, value: Expr): Expr {
    return this.keep(name, "f32", value);
  }

  /** Keeps a word in a local. */
  letWord(name: string, value: Expr): Expr {
    return this.keep(name, "i32", value);
  }

  call(name: string, callee: string, ...operands: readonly Expr[]): Expr {
    const result = temporary(this.fresh(name), "f32");
    this.body.push({ kind: "call", callee, operands, results: [result] });
    return read(result);
  }

  /** A local that is assigned several times. */
  variable(name: string, type: "f32" | "i32"): Local {
    return local(this.fresh(name), type);
  }

  set(variable: Local, value: Expr): void {
    this.body.push(set(variable, value));
  }

  if(condition: Expr, then: () => void, otherwise: () => void): void {
    this.body.push({
      kind: "if",
      condition,
      then: this.block(then),
      otherwise: this.block(otherwise),
    });
  }

  /** Runs `body` so many times. */
  repeat(counter: string, times: Expr, body: () => void): void {
    this.body.push({
      kind: "for",
      local: local(this.fresh(counter), "i32"),
      from: constant(0),
      to: times,
      step: 1,
      body: this.block(body),
    });
  }

  /** The function whose result is the number with these bits. */
  done(result: Expr): LoopFunction {
    const { name, comment, parameters, body } = this;
    const results = [ofBits(result)];
    return { name, comment, parameters, body, results, resultTypes: ["f32"] };
  }

  private keep(name: string, type: Machine, value: Expr): Expr {
    const target = temporary(this.fresh(name), type);
    this.body.push(set(target, value));
    return read(target);
  }

  private block(write: () => void): readonly Statement[] {
    const around = this.body;
    this.body = [];
    write();
    const inner = this.body;
    this.body = around;
    return inner;
  }

  /** No two locals of a function have one name. */
  private fresh(name: string): string {
    const count = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, count);
    return count === 1 ? name : `${name}${count}`;
  }
}

/** m 2^n in two steps, since 2^n alone may lie outside of the range where the result does not. */
export function scaled(m: Expr, n: Expr): Expr {
  const first = word.right(n, 1);
  return mul(mul(m, power(first)), power(word.sub(n, first)));
}

/**
 * The word of a magnitude as that of a normal number times 2^exponent. Denormal numbers come from
 * their word as an integer, since arithmetic may take them for zeros.
 */
export function normalized(f: Formula, magnitude: Expr) {
  const isSmall = word.lt(magnitude, leastNormal);
  const normal = f.letWord("normal", word.choose(isSmall, bitsOf(toSingle(magnitude)), magnitude));
  const exponent = f.letWord("exponent", word.choose(isSmall, -149, 0));
  return { normal, exponent };
}

/** a + a³ Σ c_k a^2k */
export function oddPolynomial(f: Formula, a: Expr, tail: readonly number[]): Expr {
  const square = f.let("square", mul(a, a));
  return f.let("odd", add(a, mul(mul(a, square), polynomial(square, tail))));
}

// The word of a result, or what it is at special arguments

/** NaN where x is. */
export function orNan(x: Expr, value: Expr): Expr {
  return word.choose(isNan(x), nan, value);
}

/** Infinity where x is above the end, NaN where it is that. */
export function orOverflow(x: Expr, end: number, value: Expr): Expr {
  return orNan(x, word.choose(word.gt(x, end), infinity, value));
}

/** x itself where |x| < 2^-25. */
export function orTiny(x: Expr, value: Expr): Expr {
  return word.choose(word.lt(magnitude(x), bits(2 ** -25)), x, value);
}
