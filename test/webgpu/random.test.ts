/** Random programs, and their adjoints, on a WebGPU device against the interpreter in f32. */

import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import type { NdArray } from "../../compiler/ir/ndarray.ts";
import { printFunction } from "../../compiler/ir/print.ts";
import { type Fn, rootOf } from "../../compiler/ir/types.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";
import { cleanUp } from "../../compiler/passes/simplify.ts";
import { inSinglePrecision } from "../../compiler/passes/singlePrecision.ts";
import { NotOnDevice } from "../../compiler/targets/gpu/split.ts";
import { arrayInputs, arrayPrograms } from "../kernel/arrayPrograms.ts";
import { graphOf } from "../kernel/support.ts";
import { direction } from "../ops/support.ts";
import { programs } from "../random/programs.ts";
import { runs } from "../random/runs.ts";
import { compileForDevice, expectNear, rounded } from "./support.ts";

/** Programs that ran, and those that no device can run. */
const count = { ran: 0, refused: 0 };

async function compare(fn: Fn, inputs: readonly NdArray[]): Promise<void> {
  const single = rootOf(inSinglePrecision(graphOf(fn)));
  const expected = interpret(single, inputs.map(rounded));
  // Numbers that grow out of hand amplify the last bit of each operation.
  fc.pre(expected.every(({ data }) => data.every((value) => Math.abs(value) < 1e4)));
  let program;
  try {
    program = await compileForDevice(graphOf(fn));
  } catch (error) {
    if (!(error instanceof NotOnDevice)) throw error;
    count.refused++;
    return;
  }
  const results = await program(...inputs);
  count.ran++;
  // Halves have eleven digits, of which the last one may differ.
  const tolerance = printFunction(fn).includes("f16") ? 4e-3 : 1e-3;
  results.forEach((result, k) => {
    expectNear(result, expected[k] as NdArray, tolerance, `result ${k}`);
  });
}

function cleaned(fn: Fn): Fn {
  return { ...fn, body: repairUniqueness(cleanUp(fn.body)) };
}

describe("webgpu", () => {
  it("computes random array programs", { timeout: 240_000 }, async () => {
    const property = fc.asyncProperty(arrayPrograms, (fn) => compare(fn, arrayInputs));
    await fc.assert(property, runs(40, 7));
  });

  it.each([true, false])("computes random programs, smooth: %s", async (smooth) => {
    const property = fc.asyncProperty(programs({ smooth }), ({ fn, inputs }) =>
      compare(fn, inputs),
    );
    await fc.assert(property, runs(60, 25));
  });

  it("computes adjoints of random programs", async () => {
    const property = fc.asyncProperty(programs({ smooth: true }), ({ fn, inputs, active }) => {
      const cotangents = interpret(fn, inputs).map((x, k) => direction(x, k));
      return compare(cleaned(vjp(fn, active)), [...inputs, ...cotangents]);
    });
    await fc.assert(property, runs(60, 26));
  });

  afterAll(() => {
    expect(count.ran).toBeGreaterThan(3 * count.refused);
  });
});
