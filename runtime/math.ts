/** Functions that programs import: those of `Math`, and the few that it lacks. */

import { erf } from "./erf.ts";
import { fromHalf, roundHalf, toHalf } from "./half.ts";

type Function = (x: number, y: number) => number;

/** Each needs nothing around it: their texts are given to other threads. */
export const ownFunctions: Readonly<Record<string, Function>> = {
  pow: (x, y) => x ** y,
  rem: (x, y) => x % y,
  to_int32: (x) => x | 0,
  saturate_i32: (x) => Math.max(-2147483648, Math.min(2147483647, Math.trunc(x))) | 0,
  saturate_u32: (x) => (Number.isNaN(x) ? 0 : Math.max(0, Math.min(4294967295, Math.trunc(x))) | 0),
  saturate_u8: (x) => (Number.isNaN(x) ? 0 : Math.max(0, Math.min(255, Math.trunc(x)))),
  erf,
};

/** For what runs on one thread. */
const halves: Readonly<Record<string, Function>> = {
  from_half: fromHalf,
  to_half: toHalf,
  round_half: roundHalf,
};

/** The functions that a program names in its manifest. */
export function mathFunctions(names: readonly string[]): Record<string, Function> {
  const functions: Record<string, Function> = {};
  for (const name of names) {
    const found =
      ownFunctions[name] ??
      halves[name] ??
      (Math as unknown as Readonly<Record<string, Function | undefined>>)[name];
    if (found === undefined) throw new Error(`the program needs a function ${name}`);
    functions[name] = found;
  }
  return functions;
}
