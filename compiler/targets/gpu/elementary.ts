/** Elementary functions of singles for targets whose own are not good enough. */

import type { LoopFunction } from "../../kernel/loop.ts";
import { arcs } from "./elementary/arcs.ts";
import { exact } from "./elementary/exact.ts";
import { exponentials } from "./elementary/exponentials.ts";
import { logarithms } from "./elementary/logarithms.ts";
import { powers } from "./elementary/powers.ts";
import { trigonometric } from "./elementary/trigonometric.ts";

/** Functions of one f32, or two, by the name of the op in the op table; what one calls stands before it. */
export const elementary: Readonly<Record<string, LoopFunction>> = {
  ...exact,
  ...exponentials,
  ...logarithms,
  ...trigonometric,
  ...arcs,
  ...powers,
};
