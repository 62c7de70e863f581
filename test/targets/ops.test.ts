/** Every sample of every op, on every target, against the op's reference meaning. */

import { describe, it } from "vitest";
import type { NdArray } from "../../compiler/ir/ndarray.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { ops } from "../../compiler/ops/index.ts";
import { fnOfSamples } from "../ops/support.ts";
import { compileFn, expectClose, targetNames, toArray, toTensor } from "../kernel/support.ts";

describe.each(targetNames)("%s", (target) => {
  for (const op of Object.values(ops)) {
    if (op.samples.length === 0) continue;
    it(op.name, async () => {
      const fn = fnOfSamples(op, op.samples);
      const inputs: NdArray[] = op.samples.flatMap((sample) => sample.inputs);
      const expected = interpret(fn, inputs);
      const program = await compileFn(fn, target);
      const results = program(...inputs.map(toTensor)).map(toArray);
      results.forEach((result, k) => expectClose(result, expected[k] as NdArray, `result ${k}`));
    });
  }
});
