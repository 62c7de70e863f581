/** The text form: what prints is read back, and errors name their place. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { check } from "../../compiler/ops/check.ts";
import { multiplyDims, symbol } from "../../compiler/ir/dim.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { ParseFault, parseFunction, parseGraph } from "../../compiler/ir/parse.ts";
import { printFunction, printGraph } from "../../compiler/ir/print.ts";
import { arrayType, type Fn } from "../../compiler/ir/types.ts";
import { newBuilder } from "../../compiler/ops/index.ts";
import { cases, functionOf } from "../ops/support.ts";
import { programs } from "../random/programs.ts";

const runs = { numRuns: 200, seed: 20 };

describe("round trip", () => {
  test.each(cases)("$name", ({ op, sample }) => {
    const fn = functionOf(op, sample);
    const text = printFunction(fn);
    const read = parseFunction(text);
    expect(printFunction(read)).toBe(text);
    expect(check(read)).toEqual([]);
    expect(interpret(read, sample.inputs)).toEqual(interpret(fn, sample.inputs));
  });

  test("random programs", () => {
    fc.assert(
      fc.property(fc.oneof(programs(), programs({ dtype: "f32" })), ({ fn, inputs }) => {
        const text = printFunction(fn);
        const read = parseFunction(text);
        expect(printFunction(read)).toBe(text);
        expect(interpret(read, inputs)).toEqual(interpret(fn, inputs));
      }),
      runs,
    );
  });

  test("adjoints of random programs, with stacks", () => {
    fc.assert(
      fc.property(programs({ smooth: true }), ({ fn, active }) => {
        const text = printFunction(vjp(fn, active));
        expect(printFunction(parseFunction(text))).toBe(text);
      }),
      runs,
    );
  });

  test("with the user's names", () => {
    fc.assert(
      fc.property(programs(), ({ fn }) => {
        const text = printFunction(fn, { names: true });
        expect(text).toContain("(%0.x: f64, %1.y: f64");
        expect(printFunction(parseFunction(text), { names: true })).toBe(text);
      }),
      { ...runs, numRuns: 20 },
    );
  });

  test("dimensions and strings of all kinds", () => {
    const text = `fn @dims(%0: f64[2*B-1], %1: f32[div(B+1,2),-T+7,B*T]) {
  %2 = extent {dim = 2*div(B+1,2)+3} : i32
  bind %2 {symbol = "a \\"b\\"\\n"}
  %3 = stack_new {dtype = "f64", shape = [B,2]} : stack f64[B,2]
  return %0, %1
}
`;
    expect(printFunction(parseFunction(text))).toBe(text);
  });

  test("regions of every kind", () => {
    const text = `fn @regions(%0: f64[n], %1: bool, %2: f64) {
  %3 = extent {dim = n} : i32
  %8, %9 = for %3, %0, %2 (%4: i32, %5: f64[n], %6: f64) {
    %7 = at %5, %4 : f64
    yield %5, %7
  } : f64[n], f64
  %13 = while %2 (%10: f64) {
    %11 = lt %10, %9 : bool
    yield %11
  } do (%12: f64) {
    yield %9
  } : f64
  %14 = if %1 {
    yield %13
  } else {
    yield %2
  } : f64
  if %1 {
    yield
  } else {
    yield
  }
  %17 = map %8 {shape = [n]} (%15: f64) {
    %16 = mul %15, %14 : f64
    yield %16
  } : f64[n]
  return %17
}
`;
    const fn = parseFunction(text);
    expect(printFunction(fn)).toBe(text);
    expect(fn.body.equations.map((equation) => equation.regions.length)).toEqual([
      0, 1, 2, 2, 2, 1,
    ]);
  });

  test("several functions, the root first", () => {
    const text = `fn @main(%0: f64) {
  %1 = call %0 {callee = "\\"f\\""} : f64
  return %1
}

fn @f(%0: f64) {
  return %0
}
`;
    const graph = parseGraph(text);
    expect(graph.root).toBe("main");
    expect(printGraph(graph)).toBe(text);
  });
});

describe("printing", () => {
  const square = (dim: "B" | "C"): Fn => ({
    name: "square",
    body: newBuilder().block([arrayType("f64", [multiplyDims(2, symbol(dim))])], (b, [x]) => [
      b.mul(x!, x!),
    ]),
  });

  test("equal functions print equal text", () => {
    expect(printFunction(square("B"))).toBe(printFunction(square("B")));
    expect(printFunction(square("B"))).not.toBe(printFunction(square("C")));
    expect(printFunction(square("B"))).toBe(
      "fn @square(%0: f64[2*B]) {\n  %1 = mul %0, %0 : f64[2*B]\n  return %1\n}\n",
    );
  });

  test("a value that is not defined shows", () => {
    const fn = square("B");
    const stray = { ...fn, body: { ...fn.body, results: [{ type: arrayType("f64", []) }] } };
    expect(printFunction(stray)).toContain("return %?");
  });
});

describe("errors", () => {
  const faults: readonly (readonly [string, number, number, string])[] = [
    ["fn @f(%0: f64) {\n  %1 = add %0, %2 : f64\n  return %1\n}", 2, 16, "%2 is not defined here"],
    ["fn @f(%0: f6) {\n  return %0\n}", 1, 11, "'f6' is not an element type"],
    ["fn @f(%0: f64, %0: f64) {\n  return\n}", 1, 16, "%0 is defined twice"],
    ["fn @f(%0: f64) {\n  ^\n}", 2, 3, "'^' has no meaning here"],
    ["fn @f(%0: f64) {\n  return %0", 2, 12, "'}' is expected, and the text ends here"],
    ["fn @f(%0 f64) {\n  return %0\n}", 1, 10, "':' is expected, and 'f64' stands here"],
    [
      "fn @f(%0: f64) {\n  %1, %2 = neg %0 : f64\n  return %0\n}",
      2,
      12,
      "2 results are named, and 1 types are given",
    ],
    [
      "fn @f(%0: f64) {\n  %1 = neg %0 {a = } : f64\n  return %1\n}",
      2,
      20,
      "something else is expected, and '}' stands here",
    ],
    ["", 1, 1, "there is no function"],
    [
      "fn @f() {\n  return\n}\nfn @g() {\n  return\n}",
      4,
      4,
      "one function is expected, and this is a second",
    ],
  ];
  test.each(faults)("%#: %s", (text, line, column, sentence) => {
    const attempt = (): unknown => parseFunction(text);
    expect(attempt).toThrow(ParseFault);
    expect(attempt).toThrow(`${line}:${column}: ${sentence}`);
  });

  test("a region ends its names", () => {
    const text =
      "fn @f(%0: bool) {\n  if %0 {\n    %1 = not %0 : bool\n    yield\n  } else {\n" +
      "    yield\n  }\n  return %1\n}";
    expect(() => parseFunction(text)).toThrow("8:10: %1 is not defined here");
  });
});
