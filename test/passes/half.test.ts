/** Halves are computed in singles: what gets casts, what stays as it is. */

import { expect, test } from "vitest";
import { printFunction } from "../../compiler/ir/print.ts";
import { arrayType, type Fn, scalarType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { assertWellFormed } from "../../compiler/ops/check.ts";
import { computedInSingles } from "../../compiler/passes/half.ts";
import { fnOf, graphOf } from "../kernel/support.ts";

const row = arrayType("f16", [3]);

function lines(body: (b: GraphBuilder, x: Value, y: Value) => readonly Value[]): readonly string[] {
  const fn = fnOf([row, row], (b, [x, y]) => body(b, x as Value, y as Value));
  const result = computedInSingles(graphOf(fn)).functions.get(fn.name) as Fn;
  assertWellFormed(result, "half");
  const text = printFunction(result).split("\n");
  return text.slice(1, -2).map((line) => line.trim());
}

test("an operation is computed on casts, and its result is cast", () => {
  expect(lines((b, x, y) => [b.add(x, y)])).toEqual([
    '%2 = cast %0 {dtype = "f32"} : f32[3]',
    '%3 = cast %1 {dtype = "f32"} : f32[3]',
    "%4 = add %2, %3 : f32[3]",
    '%5 = cast %4 {dtype = "f16"} : f16[3]',
    "return %5",
  ]);
});

test("a sum rounds once, a comparison does not", () => {
  expect(lines((b, x, y) => [b.sum(x), b.binary("lt", x, y)])).toEqual([
    '%2 = cast %0 {dtype = "f32"} : f32[3]',
    "%3 = sum %2 {axes = [0]} : f32",
    '%4 = cast %3 {dtype = "f16"} : f16',
    '%5 = cast %0 {dtype = "f32"} : f32[3]',
    '%6 = cast %1 {dtype = "f32"} : f32[3]',
    "%7 = lt %5, %6 : bool[3]",
    "return %4, %7",
  ]);
});

test("what moves elements or writes into an array stays", () => {
  const moves = lines((b, x, y) => {
    const index = b.constant(1, "i32");
    const written = b.addAt(b.one("copy", [x]), b.at(y, [index]), [index]);
    const both = b.concat([written, b.one("reverse", [y], { axes: [0] })], 0);
    return [b.cast(b.slice(both, [1], [5]), "f64")];
  });
  expect(moves.filter((line) => line.includes("f32"))).toEqual([]);
});

test("bodies of loops too, and the carried value is a half", () => {
  const text = lines((b, x, y) => {
    const body = b.block([scalarType("i32"), row], (inner, [, old]) => [
      inner.mul(old as Value, y),
    ]);
    return b.for(b.constant(4, "i32"), [b.one("copy", [x])], body);
  });
  expect(text.filter((line) => / = (cast|mul) /.test(line)).map((line) => line.slice(5))).toEqual([
    'cast %5 {dtype = "f32"} : f32[3]',
    'cast %1 {dtype = "f32"} : f32[3]',
    "mul %6, %7 : f32[3]",
    'cast %8 {dtype = "f16"} : f16[3]',
  ]);
});

test("a program without halves is the very same", () => {
  const graph = graphOf(fnOf([scalarType("f32")], (b, [x]) => [b.add(x as Value, 1)]));
  expect(computedInSingles(graph)).toBe(graph);
});
