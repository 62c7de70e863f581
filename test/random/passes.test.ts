/** Clean-up passes keep the meaning of random programs and of their derivatives. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { check } from "../../compiler/ops/check.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { equationCount } from "../../compiler/ir/walk.ts";
import type { Fn } from "../../compiler/ir/types.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";
import { cleanUp } from "../../compiler/passes/simplify.ts";
import { direction, identical } from "../ops/support.ts";
import { runs } from "./runs.ts";
import { programs } from "./programs.ts";

const many = runs(300, 24);

function cleaned(fn: Fn): Fn {
  return { ...fn, body: repairUniqueness(cleanUp(fn.body)) };
}

describe("cleaning up", () => {
  test("random programs give the same to the last bit", () => {
    let removed = 0;
    fc.assert(
      fc.property(programs(), ({ fn, inputs }) => {
        const after = cleaned(fn);
        expect(check(after)).toEqual([]);
        removed += equationCount(fn.body) - equationCount(after.body);
        const [left, right] = [interpret(fn, inputs), interpret(after, inputs)];
        left.forEach((x, k) => expect(identical(x, right[k]!)).toBe(true));
      }),
      many,
    );
    expect(removed).toBeGreaterThan(0);
  });

  test("so do their adjoints, cleaned before and after", () => {
    fc.assert(
      fc.property(programs({ smooth: true }), ({ fn, inputs, active }) => {
        const cotangents = interpret(fn, inputs).map((x, k) => direction(x, k));
        const given = [...inputs, ...cotangents];
        const plain = vjp(fn, active);
        const after = cleaned(vjp(cleaned(fn), active));
        expect(check(after)).toEqual([]);
        const [left, right] = [interpret(plain, given), interpret(after, given)];
        left.forEach((x, k) => {
          x.data.forEach((value, n) => {
            const other = right[k]?.data[n] as number;
            if (Number.isFinite(value)) {
              const scale = Math.max(1, Math.abs(value));
              expect(Math.abs(value - other) / scale).toBeLessThan(1e-9);
            }
          });
        });
      }),
      many,
    );
  });
});
