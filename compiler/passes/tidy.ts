/** A function simplified, and unique again. */

import type { Fn, Value } from "../ir/types.ts";
import { repairUniqueness } from "./copies.ts";
import { cleanUp } from "./simplify.ts";

export function tidied(fn: Fn): Fn {
  const owned = (fn.moves ?? []).map(([from]) => fn.body.parameters[from] as Value);
  return { ...fn, body: repairUniqueness(cleanUp(fn.body), owned) };
}
