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
