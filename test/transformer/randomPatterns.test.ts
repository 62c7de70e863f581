/** Patterns of random functions: other values take other branches, and none leaves the pattern. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { PatternFault } from "../../compiler/autodiff/dependence.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { comparison, maskPattern, slopes } from "../autodiff/pattern.ts";
import { runs } from "../random/runs.ts";
import { randomFunction } from "./randomPrograms.ts";
import { readFunction } from "./readFunction.ts";

const active = [true, true, true];
const points: readonly (readonly NdArray[])[] = [
  [0.75, -1.25, 2, -1],
  [-3, 2.5, 0.5, 0.25],
  [0.1, 4, -2, -3],
  [-0.6, -0.7, 1.5, 6],
].map(([x = 0, y = 0, ...a]) => [scalar("f64", x), scalar("f64", y), ndarray("f64", [2], a)]);

test("random functions", () => {
  const total = { needed: 0, spare: 0, refused: 0 };
  fc.assert(
    fc.property(randomFunction(), (text) => {
      const { fn } = readFunction(text);
      try {
        const [first = []] = points;
        const pattern = maskPattern(fn, first, active);
        for (const point of points) {
          expect(maskPattern(fn, point, active), text).toEqual(pattern);
          const { missed, needed, spare } = comparison(pattern, slopes(fn, point, active));
          expect({ missed, text }).toEqual({ missed: 0, text });
          total.needed += needed;
          total.spare += spare;
        }
      } catch (error) {
        if (!(error instanceof PatternFault)) throw error;
        total.refused++;
      }
    }),
    { ...runs(200, 43), endOnFailure: true },
  );
  expect(total.needed).toBeGreaterThan(500);
});
