/** The checker: accepts what is well-formed, and says of the rest what is wrong. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jvp } from "../../compiler/autodiff/jvp.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { vmap } from "../../compiler/autodiff/vmap.ts";
import { assertWellFormed, check } from "../../compiler/ops/check.ts";
import { parseFunction } from "../../compiler/ir/parse.ts";
import { activeInputs, cases, functionOf, isDifferentiated } from "./support.ts";
import { programs } from "../random/programs.ts";

const runs = { numRuns: 150, seed: 21 };

describe("well-formed", () => {
  test.each(cases)("$name", ({ op, sample }) => {
    expect(check(functionOf(op, sample))).toEqual([]);
  });

  test.each(cases.filter(isDifferentiated))("derivatives of $name", ({ op, sample }) => {
    const fn = functionOf(op, sample);
    const active = activeInputs(sample);
    expect(check(jvp(fn, active))).toEqual([]);
    expect(check(vjp(fn, active))).toEqual([]);
    const pullback = vjp(fn, active);
    const every = pullback.body.parameters.map(() => true);
    expect(check(vmap(pullback, every, 2))).toEqual([]);
  });

  test("random programs", () => {
    fc.assert(
      fc.property(programs(), ({ fn }) => {
        expect(check(fn)).toEqual([]);
      }),
      runs,
    );
  });

  test("derivatives of random programs", () => {
    fc.assert(
      fc.property(programs({ smooth: true }), ({ fn, active }) => {
        expect(check(jvp(fn, active))).toEqual([]);
        expect(check(vjp(fn, active))).toEqual([]);
        expect(check(jvp(vjp(fn, active), [...active, true, true, true, true]))).toEqual([]);
      }),
      runs,
    );
  });

  test("batches of random programs", () => {
    fc.assert(
      fc.property(programs({ smooth: true }), ({ fn, active }) => {
        expect(check(vmap(fn, active, 3))).toEqual([]);
      }),
      runs,
    );
  });
});

/** The body of a function of a few typical parameters. */
function faultsOf(...lines: string[]): readonly string[] {
  const header = "fn @f(%x: f64, %v: f64[3], %c: bool, %i: i32, %s: f64[n])";
  return check(parseFunction(`${header} {\n${lines.join("\n")}\n}`));
}

describe("ill-formed", () => {
  const faults: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      "a wrong result type",
      ["%a = add %x, %x : f64[3]", "return %a"],
      ["the results of add must be f64, and are f64[3]"],
    ],
    [
      "operands that the rule refuses",
      ["%a = add %x, %v : f64", "return %a"],
      ["add: the operands have different shapes: [] and [3]"],
    ],
    [
      "an unknown op",
      ["%a = frobnicate %x : f64", "return %a"],
      ["there is no op called frobnicate"],
    ],
    [
      "a missing parameter",
      ["%a = sum %v : f64", "return %a"],
      ["sum: the parameter axes of an equation is not a list"],
    ],
    ["regions on an op", ["%a = neg %x {", "yield", "} : f64", "return %a"], ["neg has regions"]],
    [
      "a branch on a number",
      ["%a = if %x {", "yield %x", "} else {", "yield %x", "} : f64", "return %a"],
      ["the operands of if must be bool, and are f64"],
    ],
    [
      "branches of different types",
      ["%a = if %c {", "yield %x", "} else {", "yield %i", "} : f64", "return %a"],
      ["the results of a branch must be f64, and are i32"],
    ],
    ["one branch", ["%a = if %c {", "yield %x", "} : f64", "return %a"], ["if has 1 regions"]],
    [
      "a loop that changes types",
      ["%a = for %i, %x (%k: i32, %y: f64) {", "yield %k", "} : f64", "return %a"],
      ["what for carries on must be f64, and are i32"],
    ],
    [
      "a count that is no integer",
      ["%a = for %x, %x (%k: i32, %y: f64) {", "yield %y", "} : f64", "return %a"],
      ["the count of for must be i32, and are f64"],
    ],
    [
      "a condition that is a number",
      [
        "%a = while %x (%y: f64) {",
        "yield %y",
        "} do (%z: f64) {",
        "yield %z",
        "} : f64",
        "return %a",
      ],
      ["the results of a condition must be bool, and are f64"],
    ],
    [
      "a map of another shape",
      ["%a = map %v {shape = [4]} (%e: f64) {", "yield %e", "} : f64[4]", "return %a"],
      ["the operands of map must be f64[4], and are f64[3]"],
    ],
    [
      "an array in a map",
      [
        "%a = map %v {shape = [3]} (%e: f64) {",
        "%b = broadcast %e {axes = [], shape = [2]} : f64[2]",
        "%d = sum %b {axes = [0]} : f64",
        "yield %d",
        "} : f64[3]",
        "return %a",
      ],
      ["%6 in a map is not a scalar"],
    ],
    [
      "an unbound extent in a type",
      ['%a = iota {axis = 0, dtype = "i32", shape = [m]} : i32[m]', "return %a"],
      ["iota mentions the unbound extent m", "the type of %5 mentions the unbound extent m"],
    ],
    [
      "an extent that is bound inside only",
      [
        "%a = if %c {",
        'bind %i {symbol = "m"}',
        '%b = iota {axis = 0, dtype = "i32", shape = [m]} : i32[m]',
        "yield %b",
        "} else {",
        'bind %i {symbol = "m"}',
        '%d = iota {axis = 0, dtype = "i32", shape = [m]} : i32[m]',
        "yield %d",
        "} : i32[m]",
        "return %i",
      ],
      ["the type of %7 mentions the unbound extent m"],
    ],
  ];
  test.each(faults)("%s", (_, lines, expected) => {
    expect(faultsOf(...lines)).toEqual(expected);
  });

  test("a value used before its definition, and one defined twice", () => {
    const fn = parseFunction(
      "fn @f(%0: f64) {\n%1 = neg %0 : f64\n%2 = neg %1 : f64\nreturn %2\n}",
    );
    const [first, second] = fn.body.equations;
    const swapped = { ...fn.body, equations: [second!, first!] };
    expect(check({ ...fn, body: swapped })).toEqual([
      "%2, an operand of neg, is not defined before its use",
    ]);
    const twice = { ...fn.body, equations: [first!, first!, second!] };
    expect(check({ ...fn, body: twice })).toContain("%2 is defined twice");
  });
});

describe("uniqueness", () => {
  const own = "%a = copy %v : f64[3]";
  const faults: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    [
      "a parameter is written",
      ["%b = update %v, %x, %i : f64[3]", "return %b"],
      ["update consumes %1, which is not its own"],
    ],
    [
      "an array is read after it was written",
      [own, "%b = update %a, %x, %i : f64[3]", "%d = at %a, %i : f64", "return %b, %d"],
      ["%5, an operand of at, was consumed before"],
    ],
    [
      "an array is returned after it was written",
      [own, "%b = update %a, %x, %i : f64[3]", "return %a"],
      ["%5, a result, was consumed before"],
    ],
    [
      "an array is written in one branch and read after it",
      [
        own,
        "%b = if %c {",
        "%d = update %a, %x, %i : f64[3]",
        "yield %d",
        "} else {",
        "yield %a",
        "} : f64[3]",
        "return %a, %b",
      ],
      ["%5, a result, was consumed before"],
    ],
    [
      "the result of a branch is written while its source lives",
      [
        own,
        "%b = if %c {",
        "yield %a",
        "} else {",
        "%d = copy %v : f64[3]",
        "yield %d",
        "} : f64[3]",
        "%e = update %b, %x, %i : f64[3]",
        "return %a, %e",
      ],
      ["%5, a result, was consumed before"],
    ],
    [
      "a loop body writes what is around it",
      [
        own,
        "%b = for %i, %x (%k: i32, %y: f64) {",
        "%d = update %a, %y, %k : f64[3]",
        "%e = at %d, %k : f64",
        "yield %e",
        "} : f64",
        "return %b",
      ],
      ["update consumes %5, which is not its own"],
    ],
    [
      "a loop starts from a parameter",
      ["%b = for %i, %v (%k: i32, %y: f64[3]) {", "yield %y", "} : f64[3]", "return %b"],
      ["for consumes %1, which is not its own"],
    ],
    [
      "a loop body reads what the loop starts from",
      [
        own,
        "%b = for %i, %a (%k: i32, %y: f64[3]) {",
        "%d = at %a, %k : f64",
        "%e = update %y, %d, %k : f64[3]",
        "yield %e",
        "} : f64[3]",
        "return %b",
      ],
      ["%5, an operand of at, was consumed before"],
    ],
    [
      "a loop carries on what is around it",
      [own, "%b = for %i, %a (%k: i32, %y: f64[3]) {", "yield %v", "} : f64[3]", "return %b"],
      ["a loop carries on %1, which is not its own"],
    ],
    [
      "a loop carries one array twice",
      [
        own,
        "%d = copy %v : f64[3]",
        "%b, %e = for %i, %a, %d (%k: i32, %y: f64[3], %z: f64[3]) {",
        "yield %y, %y",
        "} : f64[3], f64[3]",
        "return %b",
      ],
      ["a loop carries on %8 twice"],
    ],
    [
      "one array is written and read by one equation",
      [
        own,
        '%k = constant {dtype = "i32", shape = [], values = [0]} : i32',
        '%j = constant {dtype = "i32", shape = [1], values = [0]} : i32[1]',
        "%b = scatter_add %a, %j, %a {axis = 0} : f64[3]",
        "return %b",
      ],
      [
        "scatter_add consumes %5 and reads it as another operand",
        "scatter_add: the updates must have shape [1], not [3]",
      ],
    ],
    [
      "a condition writes what the loop carries",
      [
        own,
        "%b = while %a (%y: f64[3]) {",
        "%d = update %y, %x, %i : f64[3]",
        "%e = at %d, %i : f64",
        "%g = lt %e, %x : bool",
        "yield %g",
        "} do (%z: f64[3]) {",
        "yield %z",
        "} : f64[3]",
        "return %b",
      ],
      ["update consumes %6, which is not its own"],
    ],
    [
      "a stack is used twice",
      [
        '%a = stack_new {dtype = "f64", shape = []} : stack f64',
        "%b = push %a, %x : stack f64",
        "%d, %e = pop %a : stack f64, f64",
        "return %e",
      ],
      ["%5, an operand of pop, was consumed before"],
    ],
  ];
  test.each(faults)("%s", (_, lines, expected) => {
    expect(faultsOf(...lines)).toEqual(expected);
  });

  test.each(faults)("and is not asked for where it is not wanted: %s", (_, lines) => {
    const header = "fn @f(%x: f64, %v: f64[3], %c: bool, %i: i32, %s: f64[n])";
    const fn = parseFunction(`${header} {\n${lines.join("\n")}\n}`);
    const left = check(fn, { uniqueness: false });
    expect(left.filter((fault) => /consume|own|carries on/.test(fault))).toEqual([]);
  });

  test("writing in both branches, and in a loop of its own, is fine", () => {
    const faults = faultsOf(
      own,
      "%b = if %c {",
      "%d = update %a, %x, %i : f64[3]",
      "yield %d",
      "} else {",
      "%e = add_at %a, %x, %i : f64[3]",
      "yield %e",
      "} : f64[3]",
      "%f = for %i, %b (%k: i32, %y: f64[3]) {",
      "%g = update %y, %x, %k : f64[3]",
      "yield %g",
      "} : f64[3]",
      "return %f",
    );
    expect(faults).toEqual([]);
  });
});

test("what one arm of a branch gives is no other array than what the other arm gives", () => {
  const branch = [
    "%a = copy %v : f64[3]",
    "%b = copy %v : f64[3]",
    "%d, %e = if %c {",
    "yield %a, %b",
    "} else {",
    "yield %b, %a",
    "} : f64[3], f64[3]",
  ];
  const write = "%f = update %d, %x, %i : f64[3]";
  expect(faultsOf(...branch, write, "return %e, %f")).toEqual([]);
  expect(faultsOf(...branch, write, "return %a, %f")).toEqual([
    "%5, a result, was consumed before",
  ]);
});

test("arrays that change places in a loop stay two arrays", () => {
  const swap = (next: string): readonly string[] =>
    faultsOf(
      "%a = copy %v : f64[3]",
      "%b = copy %v : f64[3]",
      "%d, %e = for %i, %a, %b (%k: i32, %y: f64[3], %z: f64[3]) {",
      "%g = update %y, %x, %k : f64[3]",
      next,
      "} : f64[3], f64[3]",
      "%f = update %d, %x, %i : f64[3]",
      "return %e, %f",
    );
  expect(swap("yield %z, %g")).toEqual([]);
  expect(swap("yield %v, %g")).toEqual([
    "a loop carries on %1, which is not its own",
    "update consumes %1, which is not its own",
  ]);
});

test("assertWellFormed shows the stage, the faults and the function", () => {
  const fn = parseFunction("fn @f(%0: f64) {\n%1 = neg %0 : f32\nreturn %1\n}");
  expect(() => assertWellFormed(fn, "simplify")).toThrow(
    "@f is ill-formed after simplify:\n" +
      "  - the results of neg must be f64, and are f32\n\n" +
      "fn @f(%0: f64) {\n  %1 = neg %0 : f32\n",
  );
  const right = parseFunction("fn @f(%0: f64) {\nreturn %0\n}");
  expect(() => assertWellFormed(right, "simplify")).not.toThrow();
});
