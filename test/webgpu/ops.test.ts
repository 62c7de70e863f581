/** Every sample of every op on graphics devices, against the op's reference meaning in f32. */

import { describe, it } from "vitest";
import { ops } from "../../compiler/ops/index.ts";
import { fnOfSamples } from "../ops/support.ts";
import { devices } from "./devices.ts";
import { expectSameOnDevice, here } from "./support.ts";

describe.each(devices)("%s", (target) => {
  for (const op of Object.values(ops)) {
    if (op.samples.length === 0) continue;
    it(op.name, async () => {
      const inputs = op.samples.flatMap((sample) => sample.inputs);
      await expectSameOnDevice(fnOfSamples(op, op.samples), inputs, here(target));
    });
  }
});
