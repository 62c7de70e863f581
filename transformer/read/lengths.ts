/** Arrays whose shapes must agree: compared where that is known, checked at run time where not. */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Dim, dimText, elementCount, sameDim, subtractDims } from "../../compiler/ir/dim.ts";
import type { Shape, Value, ValueType } from "../../compiler/ir/types.ts";
import type { Reader } from "./reader.ts";

/**
 * The value with another type, which its own must be at run time; numbers are converted. `what` says
 * in messages who asks for it. The number of axes is the same.
 */
export function ofType(
  reader: Reader,
  value: Value,
  { dtype, shape }: ValueType,
  what: string,
  node: ts.Node,
): Value {
  const sized = shape.reduce<Value>(
    (array, dim, axis) => withExtent(reader, array, axis, dim, value.name, what, node),
    value,
  );
  return reader.at(node).cast(sized, dtype);
}

/** The elements in another shape, which has as many; undefined where it cannot. */
export function reshaped(
  reader: Reader,
  value: Value,
  shape: Shape,
  what: string,
  node: ts.Node,
): Value | undefined {
  const builder = reader.at(node);
  const [own, wanted] = [elementCount(value.type.shape), elementCount(shape)];
  if (sameDim(own, wanted)) return builder.reshape(value, shape);
  if (typeof subtractDims(own, wanted) === "number") return undefined;
  const flat = builder.reshape(value, [own]);
  return builder.reshape(withExtent(reader, flat, 0, wanted, value.name, what, node), shape);
}

/** The array with an axis of this length, which it must have. */
function withExtent(
  reader: Reader,
  array: Value,
  axis: number,
  expected: Dim,
  name: string | undefined,
  what: string,
  node: ts.Node,
): Value {
  const found = array.type.shape[axis] as Dim;
  if (sameDim(found, expected)) return array;
  if (typeof subtractDims(found, expected) === "number") {
    const lengths = { what, one: dimText(expected), other: dimText(found) };
    return reader.fail(messages.lengthsDiffer(lengths, reader.span(node)));
  }
  const builder = reader.at(node);
  const lengths = [builder.extent(found), builder.extent(expected)];
  builder.emit("check_extent", lengths, { array: name ?? "" });
  const start = builder.constant(0, "i32");
  return builder.one("dynamic_slice", [array, start], { axis, size: expected });
}
