/** Loops that find the greatest or least of many numbers, and the one number that it depends on. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jvp } from "../../compiler/autodiff/jvp.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { symbol } from "../../compiler/ir/dim.ts";
import { ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { arrayType, type Fn, scalarType, type Value } from "../../compiler/ir/types.ts";
import { allEquations } from "../../compiler/ir/walk.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { check } from "../../compiler/ops/check.ts";
import { newBuilder } from "../../compiler/ops/index.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { tidied } from "../../compiler/passes/tidy.ts";

const f64 = scalarType("f64");
const i32 = scalarType("i32");

interface Form {
  readonly op: "max" | "min";
  /** The best so far is the second operand. */
  readonly swapped: boolean;
  readonly number: "x[i]" | "x[i] * w" | "x[n-1-i] + i";
  readonly nested: boolean;
}

/** `for i { m = max(m, e(i)) }` from `start`, once or for each row of a loop around it. */
function extreme({ op, swapped, number, nested }: Form): Fn {
  const length = symbol("n");
  const builder = newBuilder();
  const parameters: Value[] = [
    { type: arrayType("f64", [length]), name: "x" },
    { type: f64, name: "w" },
    { type: f64, name: "start" },
  ];
  const [x, w, start] = parameters as [Value, Value, Value];
  const find = (outer: GraphBuilder, from: Value): Value => {
    const count = outer.extent(length);
    const body = outer.block([i32, f64], (b, [i, best]) => {
      const own = { "x[i]": i, "x[i] * w": i, "x[n-1-i] + i": undefined }[number];
      const place = own ?? b.sub(b.sub(count, 1), i as Value);
      const element = b.at(x, [place]);
      const value = {
        "x[i]": () => element,
        "x[i] * w": () => b.mul(element, w),
        "x[n-1-i] + i": () => b.add(element, b.cast(i as Value, "f64")),
      }[number]();
      const operands: [Value, Value] = swapped ? [value, best as Value] : [best as Value, value];
      return [b.binary(op, ...operands)];
    });
    return outer.for(count, [from], body)[0] as Value;
  };
  const result = nested
    ? builder.for(
        builder.constant(3, "i32"),
        [builder.constant(0)],
        builder.block([i32, f64], (b, [, sum]) => {
          const best = find(b, b.add(start, b.mul(sum as Value, 0.25)));
          return [b.add(sum as Value, b.mul(best, best))];
        }),
      )
    : [find(builder, start)];
  return { name: "extreme", body: { parameters, equations: builder.equations, results: result } };
}

const forms: readonly Form[] = (["max", "min"] as const).flatMap((op) =>
  [false, true].flatMap((swapped) =>
    (["x[i]", "x[i] * w", "x[n-1-i] + i"] as const).flatMap((number) =>
      [false, true].map((nested) => ({ op, swapped, number, nested })),
    ),
  ),
);
const name = ({ op, swapped, number, nested }: Form): string =>
  `${op}(${swapped ? `${number}, m` : `m, ${number}`})${nested ? " in a loop" : ""}`;

const active = [true, true, true];
// Small numbers, so that there are ties, and zeros of both signs.
const value = fc.constantFrom(-2, -1, -0.5, -0, 0, 0.5, 1, 2);

describe.each(forms.map((form) => [name(form), form] as const))("%s", (_name, form) => {
  const fn = extreme(form);
  const reverse = tidied(vjp(fn, active));
  const forward = tidied(jvp(fn, active));

  test("has the same value, and the gradient that forward mode has, ties too", () => {
    expect(check(reverse)).toEqual([]);
    fc.assert(
      fc.property(fc.array(value, { maxLength: 6 }), value, value, (data, w, start) => {
        const inputs = [
          ndarray("f64", [data.length], data),
          scalar("f64", w),
          scalar("f64", start),
        ];
        const [expected] = interpret(fn, inputs);
        const [result, dx, dw, dstart] = interpret(reverse, [...inputs, scalar("f64", 1)]);
        expect(result?.data).toEqual(expected?.data);
        const gradient = [...(dx?.data ?? []), dw?.data[0], dstart?.data[0]];
        gradient.forEach((slope, k) => {
          const unit = Array.from(gradient, (_, j) => (j === k ? 1 : 0));
          const tangents = [
            ndarray("f64", [data.length], unit.slice(0, data.length)),
            scalar("f64", unit[data.length] as number),
            scalar("f64", unit[data.length + 1] as number),
          ];
          const along = interpret(forward, [...inputs, ...tangents])[1]?.data[0] as number;
          expect(Math.abs((slope as number) - along)).toBeLessThan(1e-12 * (1 + Math.abs(along)));
        });
      }),
      { numRuns: 150, seed: 11 },
    );
  });

  test("second derivatives agree, reverse over reverse and forward over reverse", () => {
    const again = tidied(vjp(reverse, [true, true, true, false]));
    const along = tidied(jvp(reverse, [true, true, true, false]));
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), (data) => {
        const inputs = [
          ndarray("f64", [data.length], data),
          scalar("f64", 1.5),
          scalar("f64", 0.25),
          scalar("f64", 1),
        ];
        const zeros = ndarray("f64", [data.length], new Float64Array(data.length));
        // The derivative of the slope in w along w, in both ways.
        const seeds = [scalar("f64", 0), zeros, scalar("f64", 1), scalar("f64", 0)];
        const back = interpret(again, [...inputs, ...seeds]);
        const tangents = [zeros, scalar("f64", 1), scalar("f64", 0)];
        const ahead = interpret(along, [...inputs, ...tangents]);
        const reversed = back[5]?.data[0] as number;
        const forwarded = ahead[6]?.data[0] as number;
        expect(Math.abs(reversed - forwarded)).toBeLessThan(1e-12 * (1 + Math.abs(forwarded)));
      }),
      { numRuns: 40, seed: 12 },
    );
  });

  test("NaN stays, and has no derivative", () => {
    const inputs = [
      ndarray("f64", [3], [1, NaN, 2]),
      scalar("f64", 1),
      scalar("f64", 0),
      scalar("f64", 1),
    ];
    expect(interpret(reverse, inputs)[0]?.data[0]).toBeNaN();
  });
});

test("the adjoint keeps nothing", () => {
  const fn = extreme({ op: "max", swapped: false, number: "x[i]", nested: false });
  const names = [...allEquations(tidied(vjp(fn, active)).body)].map(({ op }) => op);
  expect(names).not.toContain("push");
  expect(names.filter((op) => op === "for")).toHaveLength(1);
});
