/** From an equation to the definition of its op. */

import type { Equation } from "../ir/types.ts";
import type { Op } from "./define.ts";
import { ops } from "./index.ts";

/** The definition of an equation's op. Region equations and calls have none: an error of ours. */
export function opOf(equation: Equation): Op {
  const op = ops[equation.op];
  if (op === undefined) throw new Error(`the op table has no ${equation.op}`);
  return op;
}
