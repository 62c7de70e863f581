/** Random array programs on every target against the interpreter. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { NdArray } from "../../compiler/ir/ndarray.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { runs } from "../random/runs.ts";
import { arrayInputs, arrayPrograms } from "./arrayPrograms.ts";
import {
  compileFn,
  expectClose,
  expectSame,
  type TargetName,
  targetNames,
  toArray,
  toTensor,
} from "./support.ts";

describe.each(targetNames)("%s", (target: TargetName) => {
  it("computes random array programs", { timeout: 240_000 }, async () => {
    const property = fc.asyncProperty(arrayPrograms, (fn) => expectSame(fn, arrayInputs, [target]));
    await fc.assert(property, runs(150, 7));
  });

  it("writes results in place of arguments that it may take", { timeout: 240_000 }, async () => {
    let inPlace = 0;
    const property = fc.asyncProperty(arrayPrograms, async (fn) => {
      const expected = interpret(fn, arrayInputs);
      const program = await compileFn(fn, target, {
        donated: [0, 1, 2],
        onLayout: (layout) => (inPlace += layout.inPlace.length),
      });
      const tensors = arrayInputs.map(toTensor);
      program(...tensors).forEach((result, k) => {
        expectClose(toArray(result), expected[k] as NdArray, target);
      });
      for (const taken of tensors.slice(0, 3))
        expect(() => taken.dataSync()).toThrow("donated to `f`");
    });
    await fc.assert(property, runs(150, 8));
    expect(inPlace).toBeGreaterThan(20);
  });
});
