/** Random programs, and their adjoints, on graphics devices against the interpreter in f32. */

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import type { NdArray } from "../../compiler/ir/ndarray.ts";
import type { Fn } from "../../compiler/ir/types.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";
import { cleanUp } from "../../compiler/passes/simplify.ts";
import { arrayInputs, arrayPrograms } from "../kernel/arrayPrograms.ts";
import { direction } from "../ops/support.ts";
import { programs } from "../random/programs.ts";
import { runs } from "../random/runs.ts";
import { devices } from "./devices.ts";
import { type Count, expectSameIfRun, here } from "./support.ts";

function cleaned(fn: Fn): Fn {
  return { ...fn, body: repairUniqueness(cleanUp(fn.body)) };
}

describe.each(devices)("%s", (target) => {
  // A context in another process compiles and answers more slowly.
  const some = (usual: number): number => (target === "webgl" ? usual / 4 : usual);
  const count: Count = { ran: 0, refused: 0 };
  const compare = (fn: Fn, inputs: readonly NdArray[]): Promise<void> =>
    expectSameIfRun(fn, inputs, count, here(target));

  it("computes random array programs", { timeout: 240_000 }, async () => {
    const property = fc.asyncProperty(arrayPrograms, (fn) => compare(fn, arrayInputs));
    await fc.assert(property, runs(some(40), 7));
  });

  it.each([true, false])("computes random programs, smooth: %s", async (smooth) => {
    const property = fc.asyncProperty(programs({ smooth }), ({ fn, inputs }) =>
      compare(fn, inputs),
    );
    await fc.assert(property, runs(some(60), 25));
  });

  it("computes adjoints of random programs", async () => {
    const property = fc.asyncProperty(programs({ smooth: true }), ({ fn, inputs, active }) => {
      const cotangents = interpret(fn, inputs).map((x, k) => direction(x, k));
      return compare(cleaned(vjp(fn, active)), [...inputs, ...cotangents]);
    });
    await fc.assert(property, runs(some(60), 26));
  });

  afterAll(() => {
    expect(count.ran).toBeGreaterThan(3 * count.refused);
  });
});
