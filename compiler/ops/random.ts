/** Random bits from a key: a pure function, so that recomputing it gives the same numbers. */

import { shapeText } from "../ir/dim.ts";
import { arrayType } from "../ir/types.ts";
import { defineOp, fault } from "./define.ts";
import { byLoop } from "./support/batching.ts";
import { dimensions } from "./support/parameters.ts";
import { fill, outputOf } from "./support/reference.ts";
import { u32 } from "./support/samples.ts";
import { threefry } from "./support/threefry.ts";
import { expectExtent, one } from "./support/types.ts";

export const random_bits = defineOp({
  name: "random_bits",
  summary: "32 random bits for each element, from a key of two words",
  laws: { costly: true },
  type: (inputs, parameters) => {
    const key = one(inputs);
    const shape = dimensions(parameters, "shape");
    if (key.dtype !== "u32" || shapeText(key.shape) !== "[2]") {
      fault(`a random key is two unsigned 32-bit words, not ${key.dtype}${shapeText(key.shape)}`);
    }
    for (const dim of shape) expectExtent(dim, "an extent");
    return [arrayType("u32", shape)];
  },
  // Block b encrypts the counters (b, b + half); first words first, then second words.
  reference: (inputs, _, context) =>
    fill(outputOf(context), (out) => {
      const [k0, k1] = one(inputs).data as unknown as readonly [number, number];
      const half = Math.ceil(out.length / 2);
      for (let b = 0; b < half; b++) {
        const [first, second] = threefry(k0, k1, b, b + half);
        out[b] = first;
        if (b + half < out.length) out[b + half] = second;
      }
    }),
  derivative: { kind: "zero" },
  batch: (context, inputs, batched) => byLoop(context, inputs, batched),
  lower: { kind: "schedule" },
  samples: [
    { inputs: [u32([0, 0])], parameters: { shape: [4] } },
    { inputs: [u32([1, 4294967295])], parameters: { shape: [3, 3] } },
    { inputs: [u32([42, 7])], parameters: { shape: [] } },
    { inputs: [u32([42, 7])], parameters: { shape: [0] } },
  ],
});
