/** Element types of the results of elementwise ops, from those of their operands. */

import type { DType } from "../ir/types.ts";

const comparisons: ReadonlySet<string> = new Set(["eq", "ne", "lt", "le", "gt", "ge", "is_nan"]);

export function resultDtype(op: string, operand: DType): DType {
  if (comparisons.has(op)) return "bool";
  if (op === "to_int32") return "i32";
  return op === "to_uint32" ? "u32" : operand;
}

/** How many elements of a type a 128-bit vector holds; 1 where there are no vectors of it. */
export function vectorLanes(dtype: DType): 1 | 2 | 4 {
  switch (dtype) {
    case "f64":
      return 2;
    case "f32":
    case "f16":
    case "i32":
    case "u32":
    case "bool":
      return 4;
    case "u8":
      return 1;
  }
}
