/** Convolutions and their transposes: sizes that fit no tile, strides, dilations, groups. */

import fc from "fast-check";
import { it } from "vitest";
import { runs } from "../random/runs.ts";
import { convolutions } from "./geometries.ts";
import { expectSame } from "./support.ts";

it("give what their definition gives", { timeout: 240_000 }, async () => {
  const property = fc.asyncProperty(convolutions, ({ fn, inputs }) => expectSame(fn, inputs));
  await fc.assert(property, runs(100, 5));
});
