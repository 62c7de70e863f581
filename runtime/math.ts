/** Functions that programs import and that `Math` lacks. */

import { erf } from "./erf.ts";
import { type Functions, namedFunctions } from "./functions.ts";
import { fromHalf, roundHalf, toHalf } from "./half.ts";

export const pow = (x: number, y: number): number => x ** y;
export const rem = (x: number, y: number): number => x % y;
export const toInt32 = (x: number): number => x | 0;
export const saturateI32 = (x: number): number =>
  Math.max(-2147483648, Math.min(2147483647, Math.trunc(x))) | 0;
export const saturateU32 = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.max(0, Math.min(4294967295, Math.trunc(x))) | 0;
export const saturateU8 = (x: number): number =>
  Number.isNaN(x) ? 0 : Math.max(0, Math.min(255, Math.trunc(x)));

/** Each needs nothing around it: their texts are given to other threads. */
export const ownFunctions = {
  pow,
  rem,
  to_int32: toInt32,
  saturate_i32: saturateI32,
  saturate_u32: saturateU32,
  saturate_u8: saturateU8,
  erf,
};

/** Those, and what runs on one thread. */
export const allFunctions = {
  ...ownFunctions,
  from_half: fromHalf,
  to_half: toHalf,
  round_half: roundHalf,
};

export function mathFunctions(names: readonly string[]): Functions {
  return namedFunctions(names, allFunctions);
}
