/** A tangent or cotangent times a partial derivative. */

import type { GraphBuilder } from "../ops/builder.ts";
import type { Value } from "../ir/types.ts";

/** `partial · direction`; a mask lets it through or stops it. */
export function scaled(builder: GraphBuilder, partial: Value, direction: Value): Value {
  return partial.type.dtype === "bool"
    ? builder.select(partial, direction, 0)
    : builder.mul(partial, direction);
}
