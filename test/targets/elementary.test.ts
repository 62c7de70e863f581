/** Elementary functions of our own, over their whole range. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { erf } from "../../runtime/erf.ts";
import { arrayType, type Value } from "../../compiler/ir/types.ts";
import { tensor } from "../../runtime/tensor.ts";
import { compileFn, fnOf } from "../kernel/support.ts";
import { runs } from "../random/runs.ts";
import { exact as exactly, unitsOff } from "./exact.ts";

const spread = Array.from({ length: 4001 }, (_, k) => (k - 2000) / 2000);
/** Singles next to multiples of π/2. */
const quarters = spread.map((_, k) => Math.fround((k * k * Math.PI) / 2));
const special = [0, -0, Infinity, -Infinity, NaN, 1e-40, -1e-40, 3.4e38, -3.4e38, 1e-20, 1, -1];

const cases: readonly (readonly [string, (x: number) => number, readonly number[]])[] = [
  ["exp", Math.exp, spread.map((x) => x * 105)],
  ["expm1", Math.expm1, [...spread.map((x) => x * 100), ...spread.map((x) => x * 1e-3)]],
  ["log", Math.log, [...spread.map((x) => 10 ** (x * 38)), ...spread.map((x) => 1 + x * 0.1)]],
  ["tanh", Math.tanh, [...spread.map((x) => x * 12), ...spread.map((x) => x * 1e-4)]],
  ["log1p", Math.log1p, [...spread.map((x) => 10 ** (x * 38)), ...spread.map((x) => x * 0.999)]],
  ["sin", Math.sin, [...spread.map((x) => x * 1e6), ...spread.map((x) => x * 8), ...quarters]],
  ["cos", Math.cos, [...spread.map((x) => x * 1e6), ...spread.map((x) => x * 8), ...quarters]],
  ["erf", erf, [...spread.map((x) => x * 5), ...spread.map((x) => x * 1e-4)]],
];

/** The unit in the last place of a single. */
function unitOf(value: number): number {
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  return 2 ** (Math.max(-126, Number.isFinite(exponent) ? exponent : -126) - 23);
}

/** Singles of any bits, and of any bits with a moderate exponent. */
function randomSingles(count: number, seed: number): readonly number[] {
  const bits = fc.sample(fc.integer(), { numRuns: count, seed });
  const moderate = bits.map((word) => (word & 0x87ffffff) | (0x38 << 24));
  return [...new Float32Array(Int32Array.from([...bits, ...moderate]).buffer)];
}

function expectSingles(
  name: string,
  actual: ArrayLike<number>,
  exact: (k: number) => number,
  shown: (k: number) => unknown,
): void {
  for (let k = 0; k < actual.length; k++) {
    const [got, value] = [actual[k] as number, exact(k)];
    const want = Math.fround(value);
    if (Object.is(got, want) || got === want) continue;
    const error = Math.abs(got - value) / unitOf(want);
    expect(error, `${name}(${shown(k)}) is ${got}, not ${want}`).toBeLessThanOrEqual(2);
  }
}

describe.each([
  ["multiply-adds that round twice", false],
  ["multiply-adds that round once", true],
])("lanes of singles, %s", (_, relaxed) => {
  it.each(cases)("%s", async (name, exact, points) => {
    // Three more, so that the last vector is not whole.
    const { numRuns, seed } = runs(5000, 7);
    const random = randomSingles(Math.min(100_000, 4 * numRuns), seed);
    const inputs = Float32Array.from([...points, ...special, ...random, 0.5, 0.25, 0.125]);
    const fn = fnOf([arrayType("f32", [inputs.length])], (b, [x]) => [b.unary(name, x as Value)]);
    const [result] = (await compileFn(fn, "wasm", { relaxed }))(tensor(inputs));
    const exactly = (k: number): number => exact(inputs[k] as number);
    expectSingles(name, result?.dataSync() ?? [], exactly, (k) => inputs[k]);
  });

  // Seven elements: a vector and three that are left over, which are in the vector when reversed.
  // A vector with an element that no formula covers goes to `Math` as a whole.
  it.each(cases)("%s is the same at any place", async (name, _, points) => {
    const isCovered = (x: number): boolean =>
      Math.abs(x) < 80 && (!name.startsWith("log") || x > 1e-30);
    const all = points.filter((x, k) => k % 20 === 0 && isCovered(x));
    expect(all.length).toBeGreaterThan(50);
    const fn = fnOf([arrayType("f32", [7])], (b, [x]) => [b.unary(name, x as Value)]);
    const program = await compileFn(fn, "wasm", { relaxed });
    for (let at = 0; at + 7 <= all.length; at += 3) {
      const inputs = Float32Array.from(all.slice(at, at + 7));
      const [forward, backward] = [inputs, inputs.toReversed()].map(
        (data) => program(tensor(data))[0]?.dataSync() as Float32Array,
      );
      expect([...(backward?.toReversed() ?? [])], `${name}(${[...inputs].join()})`).toEqual([
        ...(forward ?? []),
      ]);
    }
  });

  it("pow", async () => {
    const { numRuns, seed } = runs(5000, 8);
    const random = randomSingles(Math.min(50_000, 2 * numRuns), seed);
    const bases = [...random, ...spread.map((x) => 1 + x), ...special];
    const pairs = [...bases, ...special.flatMap((x) => special.map(() => x))];
    const exponents = [
      ...randomSingles(Math.min(50_000, 2 * numRuns), seed + 1),
      ...spread.map((x) => 60 * x * x * x),
      ...special.toReversed(),
      ...special.flatMap(() => special),
    ];
    const [x, y] = [Float32Array.from(pairs), Float32Array.from(exponents)];
    expect(x).toHaveLength(y.length);
    const types = [x, y].map(({ length }) => arrayType("f32", [length]));
    const fn = fnOf(types, (b, [x, y]) => [b.binary("pow", x as Value, y as Value)]);
    const [result] = (await compileFn(fn, "wasm", { relaxed }))(tensor(x), tensor(y));
    const exact = (k: number): number => (x[k] as number) ** (y[k] as number);
    expectSingles("pow", result?.dataSync() ?? [], exact, (k) => [x[k], y[k]]);
  });
});

/** Values of a function of one or two arrays of doubles. */
async function doubles(name: string, inputs: readonly Float64Array[]): Promise<Float64Array> {
  const types = inputs.map(({ length }) => arrayType("f64", [length]));
  const fn = fnOf(types, (b, [x, y]) => [
    y === undefined ? b.unary(name, x as Value) : b.binary(name, x as Value, y),
  ]);
  const [result] = (await compileFn(fn, "wasm"))(
    ...inputs.map((data) => tensor(data, [data.length], "f64")),
  );
  return result?.dataSync() as Float64Array;
}

const between = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true });
const halfPi = Math.PI / 2;

/** Where each function is tried, and how far beyond `Math` knows it anyway. */
const domains: Readonly<Record<string, fc.Arbitrary<readonly number[]>>> = {
  exp: fc.tuple(fc.oneof(between(-745, 709.7), between(-2, 2), between(-1e-6, 1e-6))),
  log: fc.tuple(fc.oneof(between(1e-310, 1e308), between(0.5, 2), between(0.999, 1.001))),
  sin: fc.tuple(
    fc.oneof(
      between(-1e6, 1e6),
      between(-8, 8),
      fc.nat(300000).map((n) => n * halfPi),
    ),
  ),
  cos: fc.tuple(
    fc.oneof(
      between(-1e6, 1e6),
      between(-8, 8),
      fc.nat(300000).map((n) => n * halfPi),
    ),
  ),
  tanh: fc.tuple(fc.oneof(between(-25, 25), between(-1, 1), between(-1e-5, 1e-5))),
  pow: fc.oneof(
    fc.tuple(between(0, 50), between(-150, 150)),
    fc.tuple(between(0.9, 1.1), between(-3000, 3000)),
    fc.tuple(fc.nat(40), fc.integer({ min: 0, max: 12 })),
  ),
};

const specials: Readonly<Record<string, (...x: number[]) => number>> = {
  exp: Math.exp,
  log: Math.log,
  sin: Math.sin,
  cos: Math.cos,
  tanh: Math.tanh,
  pow: Math.pow,
};

describe("doubles", () => {
  it.each(Object.keys(domains))("%s is within 2 units in the last place", async (name) => {
    const points = fc.array(domains[name] as fc.Arbitrary<readonly number[]>, {
      minLength: 1,
      maxLength: 60,
    });
    await fc.assert(
      fc.asyncProperty(points, async (sample) => {
        const arity = sample[0]?.length ?? 1;
        const inputs = Array.from({ length: arity }, (_, k) =>
          Float64Array.from(sample, (point) => point[k] as number),
        );
        const results = await doubles(name, inputs);
        sample.forEach(([x = 0, y = 0], k) => {
          const got = results[k] as number;
          const library = (specials[name] as (...x: number[]) => number)(x, y);
          if (got === library) return;
          const off = unitsOff(got, (exactly[name] as (x: number, y: number) => never)(x, y));
          expect(off, `${name}(${x}, ${y}) is ${got}; Math gives ${library}`).toBeLessThan(2);
        });
      }),
      runs(60, 40),
    );
  });

  it.each(Object.keys(domains))("%s of special numbers is that of Math", async (name) => {
    const values = [...special, 0.5, -745.2, 710, 1e308, -1e308, 5e-324, -5e-324, 2, 3, -2];
    const pairs = name === "pow" ? values.flatMap((a) => values.map((b) => [a, b])) : [];
    const inputs =
      name === "pow"
        ? [0, 1].map((k) => Float64Array.from(pairs, (pair) => pair[k] as number))
        : [Float64Array.from(values)];
    const results = await doubles(name, inputs);
    results.forEach((got, k) => {
      const given = inputs.map((input) => input[k] as number);
      const want = (specials[name] as (...x: number[]) => number)(...given);
      if (Object.is(got, want)) return;
      // Zeros, infinities and NaN are exact; where a number is finite the last place may differ.
      const note = `${name}(${given.join(", ")}) is ${got}, not ${want}`;
      expect(Number.isFinite(want) && want !== 0, note).toBe(true);
      expect(Math.abs(got - want), note).toBeLessThanOrEqual(Math.abs(want) * 2 ** -51);
    });
  });

  it("gives one number what it gives lanes", async () => {
    for (const name of Object.keys(domains)) {
      const points = fc.sample(domains[name] as fc.Arbitrary<readonly number[]>, {
        numRuns: 40,
        seed: 7,
      });
      const inputs = (points[0] as readonly number[]).map((_, k) =>
        Float64Array.from(points, (point) => point[k] as number),
      );
      const lanes = await doubles(name, inputs);
      for (const [at] of points.entries()) {
        const alone = await doubles(
          name,
          inputs.map((input) => input.slice(at, at + 1)),
        );
        expect(alone[0], `${name} of point ${at}`).toBe(lanes[at]);
      }
    }
  });
});
