/**
 * Elementary functions of singles for targets whose own are not good enough: functions of the loop IR,
 * with the special values and signs of zero that JavaScript's have.
 *
 * Errors are at most these, in units in the last place, as measured beside `Math` in double precision
 * at up to 33 million singles of all exponents and both signs, at those around points where formulas
 * meet and those closest to multiples of π/2, and at two million pairs and more. The first number is
 * for quotients and roots that are rounded correctly, with products and sums contracted or not; the
 * second for such that are off by two units more. Where denormal numbers are taken for zeros, a result
 * may be off by the least normal number besides. Results of `rem`, `round`, `sign`, `max` and `min` are
 * exact.
 *
 * | exp   | 1.1 | 1.1 |
 * | expm1 | 1.8 | 1.8 |
 * | log   | 0.9 | 1.0 |
 * | log1p | 1.5 | 1.6 |
 * | log2  | 1.9 | 1.9 |
 * | log10 | 2.1 | 2.1 |
 * | sin   | 2.4 | 2.4 |
 * | cos   | 2.5 | 2.5 |
 * | tan   | 3.4 | 5.4 |
 * | asin  | 2.5 | 4.8 |
 * | acos  | 1.2 | 3.5 |
 * | atan  | 1.3 | 2.6 |
 * | sinh  | 1.7 | 1.8 |
 * | cosh  | 1.5 | 1.5 |
 * | tanh  | 1.4 | 2.3 |
 * | asinh | 1.8 | 2.4 |
 * | acosh | 2.3 | 4.9 |
 * | atanh | 1.9 | 2.6 |
 * | cbrt  | 0.9 | 2.3 |
 * | erf   | 2.0 | 2.0 |
 * | pow   | 1.2 | 1.2 |
 * | atan2 | 1.9 | 5.6 |
 * | hypot | 1.3 | 3.4 |
 */

import type { LoopFunction } from "../../kernel/loop.ts";
import { arcs } from "./elementary/arcs.ts";
import { exact } from "./elementary/exact.ts";
import { exponentials } from "./elementary/exponentials.ts";
import { logarithms } from "./elementary/logarithms.ts";
import { powers } from "./elementary/powers.ts";
import { trigonometric } from "./elementary/trigonometric.ts";

/**
 * Functions of one f32, or two, by the name of the op in the op table; what one calls stands before
 * it. Their locals are f32 and i32 and have different names; conditions are not kept in locals.
 */
export const elementary: Readonly<Record<string, LoopFunction>> = {
  ...exact,
  ...exponentials,
  ...logarithms,
  ...trigonometric,
  ...arcs,
  ...powers,
};
