/**
 * Elementary functions of singles for GPUs, beside those of JavaScript in double precision, on
 * machines that differ in what shading languages leave open.
 */

import { describe, expect, it } from "vitest";
import { elementary } from "../../compiler/targets/gpu/elementary.ts";
import { ops } from "../../compiler/ops/index.ts";
import { erf } from "../../runtime/erf.ts";
import { evaluated, type Fn, type Machine } from "./singleEvaluator.ts";

/**
 * The functions of one number: what they are, and how far off they may be on machines that divide
 * well and loosely. The table in elementary.ts says the same.
 */
const unary: Readonly<Record<string, readonly [reference: Fn, usual: number, loose: number]>> = {
  exp: [Math.exp, 1.1, 1.1],
  expm1: [Math.expm1, 1.8, 1.8],
  log: [Math.log, 0.9, 1],
  log1p: [Math.log1p, 1.5, 1.6],
  log2: [Math.log2, 1.9, 1.9],
  log10: [Math.log10, 2.1, 2.1],
  sin: [Math.sin, 2.4, 2.4],
  cos: [Math.cos, 2.5, 2.5],
  tan: [Math.tan, 3.4, 5.4],
  asin: [Math.asin, 2.5, 4.8],
  acos: [Math.acos, 1.2, 3.5],
  atan: [Math.atan, 1.3, 2.6],
  sinh: [Math.sinh, 1.7, 1.8],
  cosh: [Math.cosh, 1.5, 1.5],
  tanh: [Math.tanh, 1.4, 2.3],
  asinh: [Math.asinh, 1.8, 2.4],
  acosh: [Math.acosh, 2.3, 4.9],
  atanh: [Math.atanh, 1.9, 2.6],
  cbrt: [Math.cbrt, 0.9, 2.3],
  erf: [erf, 2, 2],
  round: [Math.round, 0, 0],
  sign: [Math.sign, 0, 0],
};

const binary: Readonly<Record<string, readonly [reference: Fn, usual: number, loose: number]>> = {
  pow: [(x, y) => (x as number) ** (y as number), 1.2, 1.2],
  atan2: [Math.atan2, 1.9, 5.6],
  hypot: [Math.hypot, 1.3, 3.4],
  rem: [(x, y) => (x as number) % (y as number), 0, 0],
  max: [Math.max, 0, 0],
  min: [Math.min, 0, 0],
};

const machines: readonly (readonly [string, Machine, step: number])[] = [
  ["rounds each operation", {}, 4099],
  ["contracts products and sums", { contracts: true }, 16411],
  ["takes denormal numbers for zeros", { flushes: true }, 16411],
  ["divides loosely", { divides: "loosely" }, 16411],
];

const single = new Float32Array(1);
const whole = new Int32Array(single.buffer);

function ofBits(word: number): number {
  whole[0] = word;
  return single[0] as number;
}
function bitsOf(value: number): number {
  single[0] = value;
  return whole[0] as number;
}

/** The unit in the last place of a single. */
function unitOf(value: number): number {
  const exponent = (bitsOf(value) >> 23) & 0xff;
  return 2 ** (Math.max(exponent, 1) - 150);
}

/**
 * The greatest error in units in the last place; infinite where the exact result is NaN, infinite or
 * zero and the number is not. Where denormal numbers are zeros, the least normal one is no error;
 * where quotients are loose, infinity is the number after the greatest.
 */
class Comparison {
  private readonly fn: Fn;
  private readonly reference: Fn;
  private readonly slack: number;
  private readonly isLoose: boolean;
  worst = 0;
  where = "";

  constructor(fn: Fn, reference: Fn, machine: Machine) {
    this.fn = fn;
    this.reference = reference;
    this.slack = machine.flushes === true ? 2 ** -126 : 0;
    this.isLoose = machine.divides !== undefined;
  }

  at(...operands: readonly number[]): void {
    const [got, exact] = [this.fn(...operands), this.reference(...operands)];
    const error = this.errorOf(got, exact);
    if (error <= this.worst) return;
    this.worst = error;
    this.where = `of ${operands.join(", ")} is ${got}, not ${Math.fround(exact)}`;
  }

  private errorOf(got: number, exact: number): number {
    const wanted = Math.fround(exact);
    if (Object.is(got, wanted)) return 0;
    if (Math.abs(got - exact) <= this.slack && exact !== 0) return 0;
    if (this.isLoose && got === Infinity && Number.isFinite(wanted)) {
      return (2 ** 128 - exact) / unitOf(wanted);
    }
    if (!Number.isFinite(got) || !Number.isFinite(wanted) || exact === 0) return Infinity;
    // A result below the least number keeps its sign.
    if (got === 0 && wanted === 0) return Infinity;
    return Math.abs(got - exact) / unitOf(wanted);
  }

  expectWithin(units: number): void {
    expect(this.worst, this.where).toBeLessThanOrEqual(units);
  }
}

const special = [0, 1, 2, 3, 10, 0.5, 1.5, 2.5, 1e10, 2 ** -126, 2 ** 127, 2 ** 24, 2 ** 23 + 1]
  .concat([2 ** 23 - 0.5, 2 ** 22 + 0.5, 2 ** 24 - 1, 0.49999997, 0.99999994, 1.0000001])
  .concat([3.4028234663852886e38, Infinity, NaN])
  .flatMap((x) => [Math.fround(x), -Math.fround(x)]);

/** Where formulas meet, results overflow or vanish, and functions are zero. */
const borders = [
  ...[0.5, 0.625, 1, 2, 4, 10, 20, 23, 1024, 2 ** 23, 2 ** 24, 2 ** 25, 2 ** 28, 2 ** 31, 2 ** 64],
  ...[2 ** -25, 2 ** -12, 2 ** -64, 2 ** -126, 88.72283172607422, 89.41598510742188, 87.33654],
  ...[103.27893, 103.97208, 104, Math.SQRT1_2, Math.SQRT2, Math.SQRT2 - 1, Math.LN2 / 2],
  ...Array.from({ length: 700 }, (_, k) => (k * Math.PI) / 4),
  ...Array.from({ length: 30 }, (_, k) => 10 ** (k - 10)),
];

/** The singles around these, and around their negatives. */
function around(points: readonly number[], reach: number): readonly number[] {
  return points.flatMap((point) => {
    const word = bitsOf(point);
    const near = Array.from({ length: 2 * reach + 1 }, (_, k) => ofBits(word + k - reach));
    return [...near, ...near.map((x) => -x)];
  });
}

/**
 * Singles that are closest to multiples of π/2: for each exponent e the denominators below 2^24 of
 * the convergents of 2^e 2/π.
 */
function closeToQuarters(): readonly number[] {
  const one = 1n << 400n;
  const arctan = (n: bigint): bigint => {
    let [power, sum] = [one / n, 0n];
    for (let k = 1n; power !== 0n; k += 2n) {
      sum += (k & 2n) === 0n ? power / k : -power / k;
      power /= n * n;
    }
    return sum;
  };
  const pi = 16n * arctan(5n) - 4n * arctan(239n);
  const found: number[] = [];
  for (let e = -26; e <= 104; e++) {
    let [a, b] = e < 0 ? [2n * one, pi << BigInt(-e)] : [(2n * one) << BigInt(e), pi];
    let [before, denominator] = [1n, 0n];
    while (b !== 0n) {
      [before, denominator] = [denominator, (a / b) * denominator + before];
      if (denominator >= 1n << 24n) break;
      found.push(Number(denominator) * 2 ** e);
      [a, b] = [b, a % b];
    }
  }
  return found;
}

/** Words in no order, the same every time. */
function words(count: number): readonly number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = (state + 0x9e3779b9) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x85ebca6b);
    return Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35) ^ (mixed >>> 16);
  });
}

/** Pairs of any numbers, moderate ones, such that are close, and bases with exponents that are fine. */
function* pairs(count: number): Generator<readonly [number, number]> {
  const drawn = words(2 * count);
  const moderate = (word: number): number => ofBits((word & 0x83ffffff) | 0x3e000000);
  for (let k = 0; k < count; k++) {
    const [a, b] = [drawn[2 * k] as number, drawn[2 * k + 1] as number];
    yield [ofBits(a), ofBits(b)];
    yield [moderate(a), moderate(b)];
    yield [ofBits(a), ofBits((a & 0x7f800000) | (b & 0x80ffffff))];
    yield [ofBits(a), Math.round(moderate(b) * 8)];
    const base = ofBits(a & 0x7fffffff);
    yield [base, Math.fround(((k % 300) - 150) / Math.log2(base))];
    const close = Math.fround(1 + moderate(a) * 1e-3);
    yield [close, Math.fround(((k % 300) - 150) / Math.log2(close))];
    // Denormal ones
    yield [ofBits(a & 0x807fffff), ofBits(b & 0x83ffffff)];
  }
}

describe.each(machines)("a machine that %s", (_, machine, step) => {
  const functions = evaluated(elementary, machine);
  const bound = (usual: number, loose: number): number =>
    machine.divides === undefined ? usual : loose;

  it.each(Object.entries(unary))("%s", (name, [reference, usual, loose]) => {
    const comparison = new Comparison(functions[name] as Fn, reference, machine);
    for (let word = -(2 ** 31); word < 2 ** 31; word += step) comparison.at(ofBits(word));
    for (const x of around(borders, 40)) comparison.at(x);
    for (const x of around(closeToQuarters(), 1)) comparison.at(x);
    for (const x of special) comparison.at(x);
    comparison.expectWithin(bound(usual, loose));
  });

  it.each(Object.entries(binary))("%s", (name, [reference, usual, loose]) => {
    const comparison = new Comparison(functions[name] as Fn, reference, machine);
    for (const x of special) for (const y of special) comparison.at(x, y);
    for (const [x, y] of pairs(2 ** 28 / step)) comparison.at(x, y);
    comparison.expectWithin(bound(usual, loose));
  });

  it("is exact where the result is a whole number of moderate size", () => {
    const { pow, log2, log10, exp, hypot } = functions as Readonly<Record<string, Fn>>;
    for (let k = -149; k < 128; k++) expect(log2?.(2 ** k)).toBe(k);
    for (let k = -126; k < 128; k++) expect(pow?.(2, k)).toBe(2 ** k);
    for (let k = -37; k <= 38; k++) expect(log10?.(Math.fround(10 ** k))).toBe(k);
    for (let k = -4095; k <= 4095; k++) expect(pow?.(k, 2)).toBe(k * k);
    for (let k = -255; k <= 255; k++) expect(pow?.(k, 3)).toBe(k ** 3);
    for (let k = 1; k <= 4095; k++) expect(pow?.(k * k, 0.5)).toBe(k);
    expect([exp?.(0), hypot?.(3, -4), pow?.(10, 10)]).toEqual([1, 5, 1e10]);
  });
});

describe("the table", () => {
  it("is compared as a whole", () => {
    expect(Object.keys({ ...unary, ...binary }).sort()).toEqual(Object.keys(elementary).sort());
  });

  it.each(Object.entries(elementary))("%s is an op, with its operands", (name, fn) => {
    expect(fn.name).toBe(name);
    expect(Object.hasOwn(ops, name)).toBe(true);
    expect(fn.parameters.map(({ type }) => type)).toEqual(fn.parameters.map(() => "f32" as const));
    expect(fn.parameters).toHaveLength(Object.hasOwn(binary, name) ? 2 : 1);
  });
});
