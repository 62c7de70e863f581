/** The memory plan: what lives at the same time lies apart, what does not shares bytes. */

import { describe, expect, it } from "vitest";
import { symbol } from "../../compiler/ir/dim.ts";
import { arrayType, scalarType, type Value } from "../../compiler/ir/types.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { parseFunction } from "../../compiler/ir/parse.ts";
import { compileFn, expectSame, fnOf, graphOf, targetNames, toTensor } from "./support.ts";

const options = { vectors: true, chunks: true };

/** `rounds` row sums, each spread out and added again: a chain of arrays that die one by one. */
function chain(extent: ReturnType<typeof symbol>, rounds: number) {
  const type = arrayType("f32", [extent, 8]);
  return fnOf([type], (b, [x]) => {
    let value = x as Value;
    for (let k = 0; k < rounds; k++) {
      const sums = b.sum(value, [1]);
      value = b.unary("tanh", b.add(value, b.broadcast(sums, [extent, 8], [0])));
    }
    return [b.sum(value)];
  });
}

describe("the memory plan", () => {
  it("keeps the place of an array that is written for nobody", async () => {
    const fn = parseFunction(`fn @f(%0: f64, %1: f64, %2: f64[4], %3: bool, %4: i32) {
      %5 = if %3 {
        %6 = mul %2, %2 : f64[4]
        %7 = map %6, %6 {shape = [4]} (%8: f64, %9: f64) {
          %10 = mul %8, %9 : f64
          %11 = add %10, %1 : f64
          yield %11
        } : f64[4]
        %12 = update %6, %0, %4 : f64[4]
        %13 = map %7, %2 {shape = [4]} (%14: f64, %15: f64) {
          %16 = mul %14, %15 : f64
          %17 = mul %16, %1 : f64
          yield %17
        } : f64[4]
        yield %13
      } else {
        yield %2
      } : f64[4]
      return %5
    }`);
    const data = ndarray("f64", [4], [1, 2, 3, 4]);
    for (const place of [0, 3]) {
      const scalars = [scalar("f64", 100), scalar("f64", 0.5)];
      const rest = [data, scalar("bool", 1), scalar("i32", place)];
      await expectSame(fn, [...scalars, ...rest]);
    }
  });

  it("says of sizes that grow alike the largest alone", async () => {
    const widths = [8, 6, 4, 2, 1];
    const types = widths.slice(1).map((width, k) => arrayType("f32", [widths[k] ?? 0, width]));
    const fn = fnOf([arrayType("f32", [symbol("B"), 8]), ...types], (b, [x, ...weights]) => [
      b.sum(
        weights.reduce<Value>((h, w) => b.dot(h, w, { contract: [[1], [0]] }), x as Value),
        [0],
      ),
    ]);
    const { arena } = lower(graphOf(fn), options);
    const symbolic = arena.filter((sizes) => sizes.some((size) => typeof size !== "number"));
    expect(symbolic.length).toBeLessThan(widths.length - 1);
    for (const sizes of symbolic) expect(sizes).toHaveLength(1);
    for (const rows of [0, 1, 5, 64]) {
      const inputs = [[rows, 8], ...types.map(({ shape }) => shape as readonly number[])];
      const data = inputs.map(([m = 0, n = 0]) => {
        return ndarray(
          "f32",
          [m, n],
          Array.from({ length: m * n }, (_, k) => (k % 5) - 1),
        );
      });
      await expectSame(fn, data);
    }
  });

  it("does not grow with the length of a chain", () => {
    const [short, long] = [
      lower(graphOf(chain(64, 4)), options),
      lower(graphOf(chain(64, 12)), options),
    ];
    expect(long.arena).toEqual(short.arena);
  });

  it("shares bytes between arrays of symbolic sizes", () => {
    const B = symbol("B");
    const [short, long] = [
      lower(graphOf(chain(B, 4)), options),
      lower(graphOf(chain(B, 12)), options),
    ];
    expect(long.arena).toEqual(short.arena);
    expect(long.memoryText).toContain("32*B");
  });

  it.each(targetNames)("keeps what is read elsewhere under another name, %s", async (target) => {
    const type = arrayType("f64", [2, 3]);
    const fn = fnOf([type, scalarType("bool")], (b, [x, condition]) => {
      const turned = (): Value => b.one("reverse", [x as Value], { axes: [0] });
      const arm = (value: Value) => b.block([], () => [value]);
      const [either] = b.if(condition as Value, arm(x as Value), arm(turned()));
      return [b.sub(turned(), either as Value)];
    });
    const program = await compileFn(fn, target, { donated: [0] });
    const x = ndarray("f64", [2, 3], [1, 2, 3, 40, 50, 60]);
    const [result] = program(toTensor(x), toTensor(scalar("bool", 1)));
    expect([...(result?.dataSync() ?? [])]).toEqual([39, 48, 57, -39, -48, -57]);
  });

  it("computes in place over an operand that is not read again", () => {
    const type = arrayType("f64", [100]);
    const fn = fnOf([type], (b, [x]) => {
      const y = b.one("cumsum", [x as Value], { axis: 0 });
      const z = b.unary("exp", y);
      return [b.sum(b.mul(z, z))];
    });
    const { arena } = lower(graphOf(fn), options);
    expect(arena).toEqual([[0], [800]]);
  });
});
