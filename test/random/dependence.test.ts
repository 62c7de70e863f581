/** What masks say of random programs contains what is not zero in their derivatives. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PatternFault } from "../../compiler/autodiff/dependence.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import type { NdArray } from "../../compiler/ir/ndarray.ts";
import { cleanUp } from "../../compiler/passes/simplify.ts";
import { comparison, maskPattern, slopes } from "../autodiff/pattern.ts";
import { direction } from "../ops/support.ts";
import { runs } from "./runs.ts";
import { programs, type RandomProgram } from "./programs.ts";

const many = runs(300, 29);

/** The pullback, as a program in the inputs, with some cotangents. */
function adjoint({ fn, inputs, active }: RandomProgram): RandomProgram {
  const cotangents = interpret(fn, inputs).map((x, k) => direction(x, k));
  return {
    fn: vjp({ ...fn, body: cleanUp(fn.body) }, active),
    inputs: [...inputs, ...cotangents],
    active: [...active, ...cotangents.map(() => false)],
  };
}

/** Counts over many programs; what is missed fails at once. */
function compared(smooth: boolean, make: (program: RandomProgram) => RandomProgram) {
  const total = { needed: 0, spare: 0, refused: 0 };
  fc.assert(
    fc.property(programs({ smooth }), (program) => {
      const { fn, inputs, active } = make(program);
      try {
        const pattern = maskPattern(fn, inputs, active);
        // Other values take other branches; the pattern is the same.
        const other = inputs.map((x, k): NdArray => {
          const turn = (value: number, n: number): number => 1.5 * Math.cos(2 * n + k) - value / 2;
          return active[k] ? { ...x, data: x.data.map(turn) } : x;
        });
        expect(maskPattern(fn, other, active)).toEqual(pattern);
        for (const point of [inputs, other]) {
          const { missed, needed, spare } = comparison(pattern, slopes(fn, point, active));
          expect(missed).toBe(0);
          total.needed += needed;
          total.spare += spare;
        }
      } catch (error) {
        if (!(error instanceof PatternFault)) throw error;
        total.refused++;
      }
    }),
    many,
  );
  return total;
}

describe("masks contain every derivative that is not zero", () => {
  test("of smooth programs, all of which have a pattern", () => {
    const { needed, spare, refused } = compared(true, (program) => program);
    expect(refused).toBe(0);
    expect(needed).toBeGreaterThan(10 * spare);
  });

  test("of programs with kinks, and branches that the inputs decide", () => {
    const { needed, spare, refused } = compared(false, (program) => program);
    expect(needed).toBeGreaterThan(5 * spare);
    expect(refused).toBeLessThan(many.numRuns / 20);
  });

  test.each([true, false])("of adjoints, as for Hessians: smooth %s", (smooth) => {
    const { needed, spare, refused } = compared(smooth, adjoint);
    expect(needed).toBeGreaterThan(3 * spare);
    expect(refused).toBeLessThan(many.numRuns / 20);
  });
});
