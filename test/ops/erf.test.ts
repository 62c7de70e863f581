/** The error function against values of the Handbook of Mathematical Functions and its laws. */

import { expect, test } from "vitest";
import { erf } from "../../runtime/erf.ts";

/** Computed with 40 digits from the series. */
const known: readonly (readonly [number, number])[] = [
  [1e-10, 1.1283791670955126e-10],
  [0.1, 0.1124629160182849],
  [0.5, 0.5204998778130465],
  [0.999, 0.8422852702064969],
  [1, 0.8427007929497149],
  [1.5, 0.9661051464753108],
  [2, 0.9953222650189527],
  [3, 0.9999779095030014],
  [5, 0.9999999999984626],
];

test.each(known)("erf(%d)", (x, value) => {
  expect(Math.abs(erf(x) - value) / value).toBeLessThan(1e-15);
  expect(erf(-x)).toBe(-erf(x));
});

test("its ends", () => {
  expect(Object.is(erf(-0), -0)).toBe(true);
  expect(erf(Infinity)).toBe(1);
  expect(erf(-Infinity)).toBe(-1);
  expect(erf(NaN)).toBeNaN();
  expect(erf(7)).toBe(1);
});
