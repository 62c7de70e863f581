/** Every sample of every op, on every target, against the op's reference meaning. */

import { describe, it } from "vitest";
import type { NdArray } from "../../compiler/ir/ndarray.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { arrayType, type Fn, type Value } from "../../compiler/ir/types.ts";
import { newBuilder, ops } from "../../compiler/ops/index.ts";
import type { Op, Sample } from "../../compiler/ops/define.ts";
import { compileFn, expectClose, targetNames, toArray, toTensor } from "../kernel/support.ts";

/** One function that computes all samples of an op. */
function fnOfSamples(op: Op, samples: readonly Sample[]): Fn {
  const types = samples.flatMap(({ inputs }) =>
    inputs.map(({ dtype, shape }) => arrayType(dtype, shape)),
  );
  const body = newBuilder().block(types, (b, parameters) => {
    let next = 0;
    return samples.flatMap(({ inputs, parameters: fixed }) => {
      const operands = inputs.map((_, k) => {
        const input = parameters[next++] as Value;
        return op.laws.consumes?.includes(k) === true ? b.one("copy", [input]) : input;
      });
      return b.emit(op.name, operands, fixed ?? {});
    });
  });
  return { name: op.name, body };
}

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
