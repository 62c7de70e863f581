/** Masks: what the elements of a value depend on, as bits. */

import type { Value, ValueType } from "../../ir/types.ts";
import type { GraphBuilder } from "../builder.ts";

/** The type of the mask of a value. */
export function maskType(type: ValueType): ValueType {
  return { ...type, dtype: "i32" };
}

/** The mask of a value; without one it depends on nothing. */
export function maskOf(builder: GraphBuilder, value: Value, mask: Value | undefined): Value {
  return mask ?? builder.zerosOf(maskType(value.type));
}

/** The mask `old` with the bits of `added` at leading indices. */
export function orAt(
  builder: GraphBuilder,
  old: Value,
  added: Value,
  indices: readonly Value[],
): Value {
  const both = builder.binary("bit_or", builder.at(old, indices), added);
  return builder.update(old, both, indices);
}
