/** Checks of indices that leave their loops: same results, same failures, fewer checks. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { parseFunction } from "../../compiler/ir/parse.ts";
import { printFunction } from "../../compiler/ir/print.ts";
import { arrayType, type Block, type Fn, scalarType, type Value } from "../../compiler/ir/types.ts";
import { allEquations } from "../../compiler/ir/walk.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { check } from "../../compiler/ops/check.ts";
import { newBuilder } from "../../compiler/ops/index.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { hoistBounds } from "../../compiler/passes/bounds.ts";
import { hoistInvariants } from "../../compiler/passes/licm.ts";
import { tidied } from "../../compiler/passes/tidy.ts";

function optimised(fn: Fn): Fn {
  const body = hoistInvariants(hoistBounds(hoistInvariants(fn.body)));
  return tidied({ ...fn, body });
}

describe("as text", () => {
  test("an index that is the counter needs no check", () => {
    const fn = parseFunction(`fn @f(%0: f64[n]) {
      %1 = constant {dtype = "f64", shape = [], values = [0]} : f64
      %2 = extent {dim = n} : i32
      %3 = for %2, %1 (%4: i32, %5: f64) {
        %6 = at %0, %4 : f64
        %7 = add %5, %6 : f64
        yield %7
      } : f64
      return %3
    }`);
    expect(printFunction(optimised(fn))).toBe(`fn @f(%0: f64[n]) {
  %1 = constant {dtype = "f64", shape = [], values = [0]} : f64
  %2 = extent {dim = n} : i32
  %7 = for %2, %1 (%3: i32, %4: f64) {
    %5 = at %0, %3 {unchecked = true} : f64
    %6 = add %4, %5 : f64
    yield %6
  } : f64
  return %7
}
`);
  });

  test("an access behind a branch keeps its check", () => {
    const fn = parseFunction(`fn @f(%0: f64[n], %1: bool) {
      %2 = constant {dtype = "f64", shape = [], values = [0]} : f64
      %3 = extent {dim = n} : i32
      %4 = for %3, %2 (%5: i32, %6: f64) {
        %7 = if %1 {
          %8 = at %0, %5 : f64
          yield %8
        } else {
          yield %6
        } : f64
        yield %7
      } : f64
      return %4
    }`);
    const accesses = [...allEquations(optimised(fn).body)].filter(({ op }) => op === "at");
    expect(accesses.map(({ parameters }) => parameters)).toEqual([{}]);
  });
});

/** s = Σ_i Σ_j x[a i + b j + c], the index computed in doubles and tested as the reader does. */
function nest(a: number, b: number, c: number, stride: "number" | "length"): Fn {
  const builder = newBuilder();
  const x: Value = { type: arrayType("f64", [12]), name: "x" };
  const rows: Value = { type: scalarType("i32") };
  const columns: Value = { type: scalarType("i32") };
  const step: Value = { type: scalarType("f64") };
  const inner =
    (outer: Value) =>
    (b0: GraphBuilder, [j, s]: readonly Value[]) => {
      const factor = stride === "number" ? step : b0.constant(a);
      const left = b0.mul(b0.cast(outer, "f64"), factor);
      const right = b0.mul(b0.cast(j!, "f64"), b);
      const index = b0.add(b0.add(left, right), c);
      const whole = b0.cast(index, "i32");
      const exact = b0.binary("eq", b0.cast(whole, "f64"), index);
      const place = b0.select(exact, whole, -1);
      return [b0.add(s!, b0.at(x, [place]))];
    };
  const types = [scalarType("i32"), scalarType("f64")];
  const outer: Block = builder.block(types, (b0, [i, s]) =>
    b0.for(columns, [s!], b0.block(types, inner(i!))),
  );
  const [sum] = builder.for(rows, [builder.constant(0)], outer);
  const parameters = [x, rows, columns, step];
  return { name: "nest", body: { parameters, equations: builder.equations, results: [sum!] } };
}

type Outcome = readonly number[] | "fails";

function outcome(fn: Fn, inputs: readonly NdArray[]): Outcome {
  try {
    return interpret(fn, inputs).flatMap(({ data }) => [...data]);
  } catch (error) {
    if (error instanceof RangeError) return "fails";
    throw error;
  }
}

test("nests give the same results, and fail for the same inputs", () => {
  const x = ndarray(
    "f64",
    [12],
    Array.from({ length: 12 }, (_, k) => Math.sin(k)),
  );
  const small = fc.constantFrom(-2, -1, 0, 0.5, 1, 2, 3);
  const seen = { value: 0, fails: 0 };
  fc.assert(
    fc.property(
      fc.record({ a: small, b: small, c: fc.integer({ min: -2, max: 11 }), step: small }),
      fc.record({ rows: fc.nat(4), columns: fc.nat(4) }),
      fc.constantFrom("number" as const, "length" as const),
      ({ a, b, c, step }, { rows, columns }, stride) => {
        const fn = nest(a, b, c, stride);
        const faster = optimised(fn);
        expect(check(faster)).toEqual([]);
        const inputs = [x, scalar("i32", rows), scalar("i32", columns), scalar("f64", step)];
        const before = outcome(fn, inputs);
        expect(outcome(faster, inputs)).toEqual(before);
        seen[before === "fails" ? "fails" : "value"]++;
        // Nothing is checked inside the loops any more.
        const inside = [...allEquations(faster.body)].filter(({ op }) => op === "check_bounds");
        const outside = faster.body.equations.filter(({ op }) => op === "check_bounds");
        expect(inside).toEqual(outside);
      },
    ),
    { numRuns: 400 },
  );
  expect(Math.min(seen.value, seen.fails)).toBeGreaterThan(50);
});
