/** Every target computes what the interpreter computes, on random programs. */

import fc from "fast-check";
import { describe, test } from "vitest";
import { interpret } from "../../compiler/ops/interpret.ts";
import { compileFn, expectClose, targetNames, toArray, toTensor } from "../kernel/support.ts";
import type { NdArray } from "../../compiler/ir/ndarray.ts";
import type { Fn } from "../../compiler/ir/types.ts";
import { programs } from "./programs.ts";

async function compare(fn: Fn, inputs: readonly NdArray[], target: (typeof targetNames)[number]) {
  const expected = interpret(fn, inputs);
  // Numbers that grow out of hand amplify the last bit of the elementary functions.
  fc.pre(expected.every((x) => x.data.every((value) => Math.abs(value) < 1e6)));
  const program = await compileFn(fn, target);
  const results = program(...inputs.map(toTensor)).map(toArray);
  results.forEach((result, k) => expectClose(result, expected[k] as NdArray, `result ${k}`));
}

describe.each(targetNames)("%s", (target) => {
  test.each([true, false])("random programs, smooth: %s", async (smooth) => {
    await fc.assert(
      fc.asyncProperty(programs({ smooth }), ({ fn, inputs }) => compare(fn, inputs, target)),
      { numRuns: 60, seed: 25 },
    );
  });
});
