/** The interpreter on regions, symbols, stacks and faults; ops are tested by their own samples. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { interpret } from "../../compiler/ops/interpret.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { parseFunction } from "../../compiler/ir/parse.ts";
import { programs } from "../random/programs.ts";

function run(text: string, ...inputs: NdArray[]): readonly (readonly number[])[] {
  return interpret(parseFunction(text), inputs).map((x) => [...x.data]);
}

const f64 = (...values: number[]): NdArray => ndarray("f64", [values.length], values);
const x = (value: number): NdArray => scalar("f64", value);
const i = (value: number): NdArray => scalar("i32", value);

describe("regions", () => {
  const running = `fn @running(%0: f64[n], %1: f64) {
    %2 = extent {dim = n} : i32
    %3 = copy %0 : f64[n]
    %4, %5 = for %2, %3, %1 (%6: i32, %7: f64[n], %8: f64) {
      %9 = at %7, %6 : f64
      %10 = add %8, %9 : f64
      %11 = update %7, %10, %6 : f64[n]
      yield %11, %10
    } : f64[n], f64
    return %4, %5
  }`;
  test("a loop with carried values, for any length", () => {
    expect(run(running, f64(1, 2, 3), x(10))).toEqual([[11, 13, 16], [16]]);
    expect(run(running, f64(), x(10))).toEqual([[], [10]]);
  });

  test("a count below zero runs nothing", () => {
    const text = `fn @f(%0: i32, %1: f64) {
      %2 = for %0, %1 (%3: i32, %4: f64) {
        %5 = neg %4 : f64
        yield %5
      } : f64
      return %2
    }`;
    expect(run(text, i(-2), x(1))).toEqual([[1]]);
    expect(run(text, i(3), x(1))).toEqual([[-1]]);
  });

  test("a loop on a condition: Heron's square root", () => {
    const text = `fn @root(%0: f64) {
      %1 = while %0 (%2: f64) {
        %3 = mul %2, %2 : f64
        %4 = sub %3, %0 : f64
        %5 = constant {dtype = "f64", shape = [], values = [1e-12]} : f64
        %6 = gt %4, %5 : bool
        yield %6
      } do (%7: f64) {
        %8 = div %0, %7 : f64
        %9 = add %7, %8 : f64
        %10 = constant {dtype = "f64", shape = [], values = [0.5]} : f64
        %11 = mul %9, %10 : f64
        yield %11
      } : f64
      return %1
    }`;
    expect(run(text, x(2))[0]?.[0]).toBeCloseTo(Math.SQRT2, 12);
  });

  test("one branch alone runs", () => {
    const text = `fn @f(%0: bool, %1: f64[2], %2: i32) {
      %3 = if %0 {
        %4 = at %1, %2 : f64
        yield %4
      } else {
        %5 = constant {dtype = "f64", shape = [], values = [-1]} : f64
        yield %5
      } : f64
      return %3
    }`;
    expect(run(text, scalar("bool", 0), f64(1, 2), i(7))).toEqual([[-1]]);
    expect(run(text, scalar("bool", 1), f64(1, 2), i(1))).toEqual([[2]]);
  });

  test("a map reads its own elements and what is around it", () => {
    const text = `fn @f(%0: f64[2,2], %1: f64, %2: f64[2,2]) {
      %3, %4 = map %0, %2 {shape = [2,2]} (%5: f64, %6: f64) {
        %7 = mul %5, %1 : f64
        %8 = lt %7, %6 : bool
        yield %7, %8
      } : f64[2,2], bool[2,2]
      return %3, %4
    }`;
    const left = ndarray("f64", [2, 2], [1, 2, 3, 4]);
    const right = ndarray("f64", [2, 2], [5, 5, 5, 5]);
    expect(run(text, left, x(2), right)).toEqual([
      [2, 4, 6, 8],
      [1, 1, 0, 0],
    ]);
  });

  test("stacks are last in, first out, and keep their own copies", () => {
    const text = `fn @f(%0: f64[2], %1: i32, %2: f64) {
      %3 = stack_new {dtype = "f64", shape = [2]} : stack f64[2]
      %4 = copy %0 : f64[2]
      %5 = push %3, %4 : stack f64[2]
      %6 = update %4, %2, %1 : f64[2]
      %7 = push %5, %6 : stack f64[2]
      %8, %9 = pop %7 : stack f64[2], f64[2]
      %10, %11 = pop %8 : stack f64[2], f64[2]
      return %9, %11
    }`;
    expect(run(text, f64(1, 2), i(0), x(9))).toEqual([
      [9, 2],
      [1, 2],
    ]);
  });

  test("arrays of a length known at run time", () => {
    const text = `fn @f(%0: i32) {
      bind %0 {symbol = "m"}
      %1 = iota {axis = 0, dtype = "f64", shape = [m+1]} : f64[m+1]
      %2 = extent {dim = 2*m} : i32
      return %1, %2
    }`;
    expect(run(text, i(2))).toEqual([[0, 1, 2], [4]]);
    expect(() => run(text, i(-1))).toThrow(RangeError);
  });
});

test("extents that no input has are given", () => {
  const fn = parseFunction("fn @f(%0: f64[2*n]) {\n%1 = extent {dim = n} : i32\nreturn %1\n}");
  const extents = new Map([["n", 2]]);
  expect(interpret(fn, [f64(1, 2, 3, 4)], { extents })[0]?.data[0]).toBe(2);
  expect(() => interpret(fn, [f64(1, 2, 3, 4)])).toThrow("the extent n is unbound");
});

describe("what is refused", () => {
  const access = `fn @f(%0: f64[3], %1: i32, %2: f64) {
    %3 = copy %0 : f64[3]
    %4 = update %3, %2, %1 : f64[3]
    %5 = at %4, %1 : f64
    return %5
  }`;
  test("an index out of range, at either end", () => {
    expect(() => run(access, f64(1, 2, 3), i(3), x(0))).toThrow(RangeError);
    expect(() => run(access, f64(1, 2, 3), i(-1), x(0))).toThrow(
      "index -1 is out of range for length 3",
    );
  });

  test("inputs of other types", () => {
    expect(() => run(access, f64(1, 2), i(0), x(0))).toThrow(
      "input 0 is f64[2], and f64[3] is expected",
    );
    expect(() => run(access, f64(1, 2, 3), x(0), x(0))).toThrow("input 1 is f64[]");
    expect(() => run(access, f64(1, 2, 3))).toThrow("takes 3 inputs, and 1 are given");
    const twice = "fn @f(%0: f64[n], %1: f64[n]) {\nreturn %0\n}";
    expect(() => run(twice, f64(1), f64(1, 2))).toThrow(
      "input 1 is f64[2], and f64[n] is expected",
    );
  });

  test("reading an array that was written, also under another name", () => {
    const again = `fn @f(%0: f64[2], %1: i32, %2: f64, %3: bool) {
      %4 = copy %0 : f64[2]
      %5 = if %3 {
        yield %4
      } else {
        yield %0
      } : f64[2]
      %6 = update %5, %2, %1 : f64[2]
      %7 = at %4, %1 : f64
      return %7
    }`;
    const inputs = [f64(1, 2), i(0), x(9)] as const;
    expect(() => run(again, ...inputs, scalar("bool", 1))).toThrow("read after it was consumed");
    // By the other branch it is the caller's array, which is copied before it is written.
    expect(run(again, ...inputs, scalar("bool", 0))).toEqual([[1]]);
  });

  test("a pop from a stack without elements", () => {
    const text = `fn @f() {
      %0 = stack_new {dtype = "f64", shape = []} : stack f64
      %1, %2 = pop %0 : stack f64, f64
      return %2
    }`;
    expect(() => run(text)).toThrow("a stack without elements is popped");
  });

  test("a call of a function that is not there", () => {
    expect(() =>
      run(
        'fn @f() {\n%0 = call {callee = "{\\"kind\\":\\"function\\",\\"name\\":\\"g\\"}"} : f64\nreturn %0\n}',
      ),
    ).toThrow("expanded");
  });
});

test("inputs are not written, and results do not share their memory", () => {
  fc.assert(
    fc.property(programs(), ({ fn, inputs }) => {
      const before = inputs.map((input) => input.data.slice());
      const results = interpret(fn, inputs);
      for (const { data } of results) data.fill(5);
      expect(inputs.map((input) => input.data)).toEqual(before);
    }),
    { numRuns: 100, seed: 22 },
  );
});

test("writing one element in a loop does not copy the array", () => {
  const text = `fn @f(%0: f64[n], %1: f64) {
    %2 = extent {dim = n} : i32
    %3 = copy %0 : f64[n]
    %4 = for %2, %3 (%5: i32, %6: f64[n]) {
      %7 = update %6, %1, %5 : f64[n]
      yield %7
    } : f64[n]
    return %4
  }`;
  // Copying would move 40,000² numbers: far more than the time limit of a test.
  const n = 40_000;
  const [result] = run(text, ndarray("f64", [n], new Float64Array(n)), x(3));
  expect(result?.every((value) => value === 3)).toBe(true);
});
