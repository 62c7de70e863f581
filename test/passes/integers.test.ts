/** Numbers that are integers all along, and indices that are checked once. */

import { describe, expect, test } from "vitest";
import { ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { parseFunction } from "../../compiler/ir/parse.ts";
import type { Fn } from "../../compiler/ir/types.ts";
import { allEquations } from "../../compiler/ir/walk.ts";
import { check } from "../../compiler/ops/check.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { dropRepeatedChecks } from "../../compiler/passes/checked.ts";
import { narrowCarried } from "../../compiler/passes/narrow.ts";
import { tidied } from "../../compiler/passes/tidy.ts";

/** Follows the list `%0` from place 0 on, `%1` times, and adds `extra` to each place. */
const walk = (extra: string): Fn =>
  parseFunction(`fn @walk(%0: i32[n], %1: i32, %9: f64) {
    %2 = constant {dtype = "f64", shape = [], values = [0]} : f64
    %3 = for %1, %2 (%4: i32, %5: f64) {
      %6 = cast %5 {dtype = "i32"} : i32
      %7 = at %0, %6 : i32
      %8 = cast %7 {dtype = "f64"} : f64
      ${extra}
      yield %10
    } : f64
    return %3
  }`);

function narrowed(fn: Fn): Fn {
  const result = tidied({ ...fn, body: narrowCarried(tidied(fn).body) });
  expect(check(result)).toEqual([]);
  return result;
}

function carriedTypes(fn: Fn): readonly string[] {
  const [loop] = [...allEquations(fn.body)].filter(({ op }) => op === "for");
  return (loop?.inputs ?? []).slice(1).map(({ type }) => type.dtype);
}

describe("carried numbers", () => {
  const list = ndarray("i32", [4], [2, 3, 1, 0]);

  test("an integer in every round is carried as one", () => {
    const fn = walk("%10 = stop_gradient %8 : f64");
    const direct = parseFunction(
      `fn @walk(%0: i32[n], %1: i32, %9: f64) {
        %2 = constant {dtype = "f64", shape = [], values = [0]} : f64
        %3 = for %1, %2 (%4: i32, %5: f64) {
          %6 = cast %5 {dtype = "i32"} : i32
          %7 = at %0, %6 : i32
          %8 = cast %7 {dtype = "f64"} : f64
          yield %8
        } : f64
        return %3
      }`,
    );
    expect(carriedTypes(narrowed(direct))).toEqual(["i32"]);
    expect(carriedTypes(narrowed(fn))).toEqual(["f64"]);
    for (const rounds of [0, 1, 2, 3, 4, 5]) {
      const inputs = [list, scalar("i32", rounds), scalar("f64", 0)];
      expect(interpret(narrowed(direct), inputs)).toEqual(interpret(direct, inputs));
    }
  });

  test.each(["%10 = add %8, %9 : f64", "%10 = mul %8, %9 : f64", "%10 = neg %8 : f64"])(
    "a number that may have a fraction or be -0 stays a double: %s",
    (extra) => {
      expect(carriedTypes(narrowed(walk(extra)))).toEqual(["f64"]);
    },
  );
});

/** `j = start; while (test && x[j] > limit) j = j + move`, and where it ends. */
const search = (test: string, move: string): Fn =>
  parseFunction(`fn @search(%0: f64[n], %1: i32, %2: f64, %3: f64) {
    %4 = cast %1 {dtype = "f64"} : f64
    %5 = while %4 (%6: f64) {
      %7 = extent {dim = n} : i32
      %8 = cast %7 {dtype = "f64"} : f64
      %9 = constant {dtype = "f64", shape = [], values = [0]} : f64
      %10 = ${test} : bool
      %11 = if %10 {
        %12 = cast %6 {dtype = "i32", whole = true} : i32
        %13 = at %0, %12 : f64
        %14 = gt %13, %2 : bool
        yield %14
      } else {
        %15 = constant {dtype = "bool", shape = [], values = [0]} : bool
        yield %15
      } : bool
      yield %11
    } do (%16: f64) {
      %17 = cast %16 {dtype = "i32", whole = true} : i32
      %18 = at %0, %17 : f64
      %19 = constant {dtype = "f64", shape = [], values = [1]} : f64
      %20 = ${move} : f64
      yield %20
    } : f64
    return %5
  }`);

function whileTypes(fn: Fn): readonly string[] {
  const [loop] = [...allEquations(fn.body)].filter(({ op }) => op === "while");
  return (loop?.inputs ?? []).map(({ type }) => type.dtype);
}

describe("counters of while", () => {
  test.each([
    ["ge %6, %9", "sub %16, %19"],
    ["le %9, %6", "sub %16, %19"],
    ["lt %6, %8", "add %16, %19"],
    ["gt %8, %6", "add %19, %16"],
  ])("%s keeps %s an integer", (condition, move) => {
    const fn = search(condition, move);
    expect(whileTypes(narrowed(fn))).toEqual(["i32"]);
    const data = ndarray("f64", [6], [5, 4, 6, 1, 7, 8]);
    for (const start of [0, 1, 2, 3, 4, 5]) {
      for (const limit of [0, 3, 5.5, 9]) {
        const inputs = [data, scalar("i32", start), scalar("f64", limit), scalar("f64", 0)];
        expect(interpret(narrowed(fn), inputs)).toEqual(interpret(fn, inputs));
      }
    }
  });

  test.each([
    ["le %6, %9", "sub %16, %19"],
    ["ge %6, %9", "add %16, %19"],
    ["lt %6, %3", "add %16, %19"],
    ["ge %6, %9", "sub %16, %3"],
    ["ge %6, %9", "sub %19, %16"],
    ["ge %8, %9", "sub %16, %19"],
  ])("%s says nothing of %s", (condition, move) => {
    expect(whileTypes(narrowed(search(condition, move)))).toEqual(["f64"]);
  });
});

describe("repeated checks", () => {
  const access = (fn: Fn): readonly boolean[] =>
    [...allEquations(dropRepeatedChecks(fn.body))]
      .filter(({ op }) => op === "at" || op === "update")
      .map(({ parameters }) => parameters["unchecked"] === true);

  test("the second access at an index is not checked, those of other lengths are", () => {
    const fn = parseFunction(`fn @f(%0: f64[n], %1: f64[n], %2: f64[m], %3: i32) {
      %4 = at %0, %3 : f64
      %5 = copy %1 : f64[n]
      %6 = update %5, %4, %3 : f64[n]
      %7 = at %2, %3 : f64
      %8 = at %6, %3 : f64
      %9 = add %7, %8 : f64
      return %9
    }`);
    expect(access(fn)).toEqual([false, true, false, true]);
  });

  test("a check in a branch says nothing behind it, one in front of it does", () => {
    const fn = parseFunction(`fn @f(%0: f64[n], %1: bool, %2: i32, %3: i32) {
      %4 = at %0, %2 : f64
      %5 = if %1 {
        %6 = at %0, %3 : f64
        %7 = at %0, %2 : f64
        %8 = add %6, %7 : f64
        yield %8
      } else {
        yield %4
      } : f64
      %9 = at %0, %3 : f64
      %10 = add %5, %9 : f64
      return %10
    }`);
    expect(access(fn)).toEqual([false, false, true, false]);
  });
});
