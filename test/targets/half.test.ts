/** Half precision to the last bit: every pattern is read, every rounding is that of `Math.f16round`. */

import { describe, expect, it } from "vitest";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type DType, type Value } from "../../compiler/ir/types.ts";
import { targets } from "../../compiler/targets/target.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import { fromHalf, roundHalf, toHalf } from "../../runtime/half.ts";
import { compileFn, fnOf, graphOf, type TargetName, toArray, toTensor } from "../kernel/support.ts";

const patterns = Uint16Array.from({ length: 65536 }, (_, k) => k);
const every = new Float16Array(patterns.buffer);

/** Halves and the places between neighbours, of each what is nearest in another type, and specials. */
function aroundMidpoints(step: (x: number, by: 1 | -1) => number): readonly number[] {
  const finite = [...every.subarray(0, 0x7c00)];
  const between = finite.map((x, k) => (x + (finite[k + 1] ?? 65536)) / 2);
  const sizes = [...finite, ...between].flatMap((x) => [x, step(x, 1), step(x, -1)]);
  const large = [65519, 65520, 65521, 65536, 1e5, 2 ** 31, 3e38, Infinity, NaN, 1e-10, 2 ** -140];
  return [...sizes, ...large].flatMap((x) => [x, -x]);
}

const floatBits = new Float32Array(1);
const floatWord = new Int32Array(floatBits.buffer);
function nextSingle(x: number, by: 1 | -1): number {
  floatBits[0] = x;
  floatWord[0] = (floatWord[0] as number) + (x === 0 && by < 0 ? -(2 ** 31) + 1 : by);
  return floatBits[0];
}

const doubleBits = new Float64Array(1);
const doubleWord = new BigInt64Array(doubleBits.buffer);
function nextDouble(x: number, by: 1 | -1): number {
  if (x === 0) return by * 5e-324;
  doubleBits[0] = x;
  doubleWord[0] = (doubleWord[0] as bigint) + BigInt(by);
  return doubleBits[0];
}

const numbers: Readonly<Record<"f32" | "f64", readonly number[]>> = {
  f32: aroundMidpoints(nextSingle),
  f64: aroundMidpoints(nextDouble),
};

function expectNumbers(
  actual: ArrayLike<number>,
  expected: readonly number[],
  of: ArrayLike<number>,
) {
  expect(actual.length).toBe(expected.length);
  for (let k = 0; k < expected.length; k++) {
    if (!Object.is(actual[k], expected[k])) {
      expect.fail(`${of[k]} (${k}) gives ${actual[k]}, not ${expected[k]}`);
    }
  }
}

describe("the functions of the runtime", () => {
  it("read every pattern", () => {
    expectNumbers([...patterns].map(fromHalf), [...every], patterns);
  });

  it("write every number", () => {
    [...every].forEach((x, k) => {
      if (Number.isNaN(x)) expect(fromHalf(toHalf(x))).toBeNaN();
      else expect(toHalf(x)).toBe(k);
    });
  });

  it.each(["f32", "f64"] as const)("round %s", (dtype) => {
    const inputs = numbers[dtype];
    expectNumbers(inputs.map(roundHalf), inputs.map(Math.f16round), inputs);
    expectNumbers(
      inputs.map((x) => fromHalf(toHalf(roundHalf(x)))),
      inputs.map(Math.f16round),
      inputs,
    );
  });
});

const ways: readonly (readonly [target: TargetName, vectors: boolean])[] = [
  ["wasm", true],
  ["wasm", false],
  ["js", false],
];

describe.each(ways)("%s, in lanes: %s", (target, vectors) => {
  async function run(x: NdArray, ...to: readonly DType[]): Promise<ArrayLike<number>> {
    const fn = fnOf([arrayType(x.dtype, x.shape)], (b, [given]) => [
      to.reduce((value, dtype) => b.cast(value, dtype), given as Value),
    ]);
    const program = await compileFn(fn, target, { vectors });
    const [result] = program(toTensor(x)).map(toArray) as [NdArray];
    return result.data;
  }
  const array = (dtype: DType, values: readonly number[]): NdArray =>
    ndarray(dtype, [values.length], values);

  it("uses the functions that it says", async () => {
    const fn = fnOf([arrayType("f16", [8])], (b, [x]) => [b.add(x as Value, x as Value)]);
    const { lowering, emit } = targets[target];
    const options = { ...lowering, vectors: vectors && lowering.vectors };
    const { text } = await emit(lower(graphOf(fn), options));
    expect(/from_half_f32x4/.test(text)).toBe(vectors);
    expect(/to_half_f32x4/.test(text)).toBe(vectors);
  });

  it.each(["f32", "f64"] as const)("reads every pattern as %s", async (dtype) => {
    const x = { dtype: "f16", shape: [65536], data: every } as const;
    expectNumbers(await run(x, dtype), [...every], patterns);
  });

  it("gives every pattern back that is no NaN", async () => {
    const fn = fnOf([arrayType("f16", [65536])], (b, [x]) => [b.neg(b.neg(x as Value))]);
    const program = await compileFn(fn, target, { vectors });
    const results = program(toTensor({ dtype: "f16", shape: [65536], data: every }));
    const bits = new Uint16Array((results[0] as Tensor).dataSync().buffer);
    const differing = patterns.filter((k) => bits[k] !== k && !Number.isNaN(every[k]));
    expect([...differing]).toEqual([]);
  });

  it.each(["f32", "f64"] as const)("rounds %s in stores", async (dtype) => {
    const inputs = numbers[dtype];
    expectNumbers(await run(array(dtype, inputs), "f16"), inputs.map(Math.f16round), inputs);
  });

  it.each(["f32", "f64"] as const)("rounds %s between", async (dtype) => {
    const inputs = numbers[dtype];
    const found = await run(array(dtype, inputs), "f16", dtype);
    expectNumbers(found, inputs.map(Math.f16round), inputs);
  });

  it("rounds integers once", async () => {
    const inputs = [0, 1, 2047, 2048, 2049, 2051, 4098, 4102, 65519, 65520, 16777217, 2147483647];
    const both = inputs.flatMap((x) => [x, -x | 0]);
    expectNumbers(await run(array("i32", both), "f16"), both.map(Math.f16round), both);
    expectNumbers(await run(array("u32", inputs), "f16"), inputs.map(Math.f16round), inputs);
  });
});
