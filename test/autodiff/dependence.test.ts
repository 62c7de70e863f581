/** Masks: of every op, through branches that the inputs decide, and where there is no pattern. */

import { describe, expect, test } from "vitest";
import { PatternFault } from "../../compiler/autodiff/dependence.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import type { Block, Equation, Value } from "../../compiler/ir/types.ts";
import { renameBlock } from "../../compiler/ir/walk.ts";
import { parseFunction } from "../../compiler/ir/parse.ts";
import { activeInputs, cases, functionOf, isDifferentiated } from "../ops/support.ts";
import { comparison, maskPattern, slopes } from "./pattern.ts";

/** The rows of a pattern as text: a line for each element of the results. */
function text(pattern: readonly (readonly number[])[]): readonly string[] {
  const [first = []] = pattern;
  return first.map((_, n) => pattern.map((row) => (row[n] === 1 ? "x" : ".")).join(""));
}

describe("of an op contains its derivative", () => {
  test.each(cases.filter(isDifferentiated))("$name", ({ op, sample }) => {
    const fn = functionOf(op, sample);
    const active = activeInputs(sample);
    const pattern = maskPattern(fn, sample.inputs, active);
    const { missed, spare } = comparison(pattern, slopes(fn, sample.inputs, active));
    expect(missed).toBe(0);
    if (op.laws.rearranges === true) expect(spare).toBe(0);
  });

  const precise = ["add", "dot", "sum", "add_at", "scatter_add"];
  test.each(cases.filter((one) => precise.includes(one.op.name) && isDifferentiated(one)))(
    "that of $name is no more than that",
    ({ op, sample }) => {
      const fn = functionOf(op, sample);
      const active = activeInputs(sample);
      const pattern = maskPattern(fn, sample.inputs, active);
      expect(comparison(pattern, slopes(fn, sample.inputs, active)).spare).toBe(0);
    },
  );
});

const x = ndarray("f64", [4], [0.5, -0.9, -0.4, 1.2]);

/** y[i] = x[i] > 0 ? x[i] - x[i-1] : x[i+1] - x[i], for i from 0: the ends are out of range. */
const upwind = parseFunction(`fn @f(%0: f64[n], %1: i32, %2: i32) {
  %3 = extent {dim = n} : i32
  %4 = constant {dtype = "f64", shape = [], values = [0]} : f64
  %5 = broadcast %4 {shape = [n], axes = []} : f64[n]
  %6 = for %3, %5 (%7: i32, %8: f64[n]) {
    %9 = at %0, %7 : f64
    %10 = gt %9, %4 : bool
    %11 = ge %7, %1 : bool
    %12 = lt %7, %2 : bool
    %13 = and %11, %12 : bool
    %14 = and %10, %13 : bool
    %15 = constant {dtype = "i32", shape = [], values = [1]} : i32
    %16 = if %14 {
      %17 = sub %7, %15 : i32
      %18 = at %0, %17 : f64
      %19 = sub %9, %18 : f64
      %20 = update %8, %19, %7 : f64[n]
      yield %20
    } else {
      %21 = if %13 {
        %22 = add %7, %15 : i32
        %23 = at %0, %22 : f64
        %24 = sub %23, %9 : f64
        %25 = update %8, %24, %7 : f64[n]
        yield %25
      } else {
        yield %8
      } : f64[n]
      yield %21
    } : f64[n]
    yield %16
  } : f64[n]
  return %6
}`);

describe("a branch that the input decides", () => {
  test("gives what either arm gives, and reads nothing that is out of range", () => {
    const inputs = [x, scalar("i32", 1), scalar("i32", 3)];
    expect(text(maskPattern(upwind, inputs, [true, false, false]))).toEqual([
      // At the ends the first arm reads one element in range; that it never runs there, the
      // condition says, which masks do not ask.
      "x...",
      "xxx.",
      ".xxx",
      "..xx",
    ]);
  });

  test("keeps apart two arrays that an arm makes of one", () => {
    const fn = parseFunction(`fn @f(%0: f64[n], %1: i32) {
      %2 = sum %0 {axes = [0]} : f64
      %3 = constant {dtype = "f64", shape = [], values = [0]} : f64
      %4 = gt %2, %3 : bool
      %5 = neg %0 : f64[n]
      %6 = constant {dtype = "i32", shape = [], values = [0]} : i32
      %7 = at %0, %1 : f64
      %8, %9 = if %4 {
        %10 = copy %5 : f64[n]
        %11 = update %5, %7, %6 : f64[n]
        %12 = at %0, %6 : f64
        %13 = update %10, %12, %1 : f64[n]
        yield %11, %13
      } else {
        yield %5, %5
      } : f64[n], f64[n]
      return %8, %9
    }`);
    expect(text(maskPattern(fn, [x, scalar("i32", 2)], [true, false]))).toEqual([
      ...["x.x.", ".x..", "..x.", "...x"],
      ...["x...", ".x..", "x.x.", "...x"],
    ]);
    // The same, where a copy is still to be made.
    const { equations } = fn.body;
    const branch = equations.find(({ op }) => op === "if") as Equation;
    const [then] = branch.regions as [Block, Block];
    const [copy] = then.equations as [Equation];
    const shared = renameBlock(
      { ...then, equations: then.equations.slice(1) },
      new Map([[copy.outputs[0] as Value, copy.inputs[0] as Value]]),
    );
    const changed = { ...branch, regions: [shared, ...branch.regions.slice(1)] };
    const body = { ...fn.body, equations: equations.with(equations.indexOf(branch), changed) };
    expect(maskPattern({ ...fn, body }, [x, scalar("i32", 2)], [true, false])).toEqual(
      maskPattern(fn, [x, scalar("i32", 2)], [true, false]),
    );
  });

  test("has the pattern of its Hessian, too", () => {
    // Σ max(x[i], 0)² by an \`if\`.
    const fn = parseFunction(`fn @f(%0: f64[n]) {
      %1 = extent {dim = n} : i32
      %2 = constant {dtype = "f64", shape = [], values = [0]} : f64
      %3 = for %1, %2 (%4: i32, %5: f64) {
        %6 = at %0, %4 : f64
        %7 = gt %6, %2 : bool
        %8 = if %7 {
          %9 = sin %6 : f64
          %10 = mul %9, %6 : f64
          yield %10
        } else {
          yield %2
        } : f64
        %11 = add %5, %8 : f64
        yield %11
      } : f64
      return %3
    }`);
    const seeds = [x, scalar("f64", 1)];
    expect(text(maskPattern(vjp(fn, [true]), seeds, [true, false])).slice(1)).toEqual([
      "x...",
      ".x..",
      "..x.",
      "...x",
    ]);
  });
});

describe("there is no pattern", () => {
  const refused = (source: string): string => {
    try {
      maskPattern(parseFunction(source), [x], [true]);
    } catch (error) {
      if (error instanceof PatternFault) return error.what;
      throw error;
    }
    return "";
  };

  test("where the input decides how often a loop runs", () => {
    expect(
      refused(`fn @f(%0: f64[n]) {
        %1 = sum %0 {axes = [0]} : f64
        %2 = while %1 (%3: f64) {
          %4 = constant {dtype = "f64", shape = [], values = [2]} : f64
          %5 = lt %3, %4 : bool
          yield %5
        } do (%6: f64) {
          %7 = add %6, %6 : f64
          yield %7
        } : f64
        return %2
      }`),
    ).toBe("how often this loop runs");
    expect(
      refused(`fn @f(%0: f64[n]) {
        %1 = sum %0 {axes = [0]} : f64
        %2 = cast %1 {dtype = "i32"} : i32
        %3 = for %2, %1 (%4: i32, %5: f64) {
          %6 = mul %5, %5 : f64
          yield %6
        } : f64
        return %3
      }`),
    ).toBe("how often this loop runs");
  });

  test("where it decides which element is read", () => {
    expect(
      refused(`fn @f(%0: f64[n]) {
        %1 = argmax %0 {axis = 0} : i32
        %2 = at %0, %1 : f64
        return %2
      }`),
    ).toBe("which element this is");
  });

  test("where it decides whether something runs that may not end, or fail", () => {
    expect(
      refused(`fn @f(%0: f64[n]) {
        %1 = sum %0 {axes = [0]} : f64
        %2 = constant {dtype = "f64", shape = [], values = [0]} : f64
        %3 = gt %1, %2 : bool
        %4 = if %3 {
          %5 = constant {dtype = "i32", shape = [2], values = [7, 9]} : i32[2]
          %6 = gather %0, %5 {axis = 0} : f64[2]
          %7 = sum %6 {axes = [0]} : f64
          yield %7
        } else {
          yield %1
        } : f64
        return %4
      }`),
    ).toBe("whether these elements are taken");
  });
});
