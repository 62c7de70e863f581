/** Every target computes what the interpreter computes, on random programs and their adjoints. */

import fc from "fast-check";
import { describe, test } from "vitest";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { cleanUp } from "../../compiler/passes/simplify.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";
import { compileFn, expectClose, targetNames, toArray, toTensor } from "../kernel/support.ts";
import type { NdArray } from "../../compiler/ir/ndarray.ts";
import type { Fn } from "../../compiler/ir/types.ts";
import { direction } from "../ops/support.ts";
import { programs } from "./programs.ts";
import { runs } from "./runs.ts";

async function compare(fn: Fn, inputs: readonly NdArray[], target: (typeof targetNames)[number]) {
  const expected = interpret(fn, inputs);
  // Numbers that grow out of hand amplify the last bit of the elementary functions.
  fc.pre(expected.every((x) => x.data.every((value) => Math.abs(value) < 1e6)));
  const program = await compileFn(fn, target);
  const results = program(...inputs.map(toTensor)).map(toArray);
  results.forEach((result, k) => expectClose(result, expected[k] as NdArray, `result ${k}`));
}

function cleaned(fn: Fn): Fn {
  return { ...fn, body: repairUniqueness(cleanUp(fn.body)) };
}

describe.each(targetNames)("%s", (target) => {
  test.each([true, false])("random programs, smooth: %s", async (smooth) => {
    await fc.assert(
      fc.asyncProperty(programs({ smooth }), ({ fn, inputs }) => compare(fn, inputs, target)),
      runs(250, 25),
    );
  });

  test("cleaned adjoints of random programs", async () => {
    await fc.assert(
      fc.asyncProperty(programs({ smooth: true }), ({ fn, inputs, active }) => {
        const cotangents = interpret(fn, inputs).map((x, k) => direction(x, k));
        return compare(cleaned(vjp(fn, active)), [...inputs, ...cotangents], target);
      }),
      runs(250, 26),
    );
  });
});
