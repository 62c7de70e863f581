/** `tensor(data, shape?, dtype?)` in compiled code. */

import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Dim } from "../../../compiler/ir/dim.ts";
import { type DType, dtypes, type Value } from "../../../compiler/ir/types.ts";
import { reshaped } from "../lengths.ts";
import { asDim } from "../numbers.ts";
import { itemsOf, kindOf, toDense } from "../objects.ts";
import { toDtype } from "../numbers.ts";
import { isTypedArray } from "./arrays.ts";
import type { Reader } from "../reader.ts";
import { describe, isNumber, type NativeCall, type ReaderValue } from "../values.ts";

export function tensorLiteral(reader: Reader, call: NativeCall): ReaderValue {
  const { node } = call;
  const [data, shape, dtypeName] = call.arguments;
  const dtype = dtypeOf(dtypeName, data);
  if (data === undefined || dtype === undefined) return wrong(reader, call, 1);
  let value: Value;
  if (isNumber(data)) value = toDtype(reader, data, dtype, node);
  else if (data.kind === "array") {
    value = reader.at(node).cast(toDense(reader, data, node), dtype);
  } else if (data.kind === "tensor") value = reader.at(node).cast(data.value, dtype);
  else return wrong(reader, call, 1);
  if (shape === undefined || (shape.kind === "static" && shape.value === undefined)) {
    return { kind: "tensor", value };
  }
  const dims = shape.kind === "array" ? itemsOf(reader, shape, node)?.map(asDim) : undefined;
  if (dims === undefined || dims.some((dim) => dim === undefined)) return wrong(reader, call, 2);
  const wanted = dims as readonly Dim[];
  const whole = reshaped(reader, value, wanted, "`tensor`", node);
  return whole === undefined ? wrong(reader, call, 2) : { kind: "tensor", value: whole };
}

/** What is said; else that of an array of integers or halves, and f32 of all others. */
function dtypeOf(value: ReaderValue | undefined, data: ReaderValue | undefined): DType | undefined {
  if (value === undefined || (value.kind === "static" && value.value === undefined)) {
    const own = data?.kind === "array" && isTypedArray(data) ? kindOf(data).element : "f64";
    return own === "f64" ? "f32" : own;
  }
  return dtypes.find((dtype) => value.kind === "static" && value.value === dtype);
}

function wrong(reader: Reader, call: NativeCall, position: number): never {
  const given = call.arguments[position - 1];
  const what = given === undefined ? "nothing" : describe(given);
  return reader.fail(
    messages.wrongArgument({ callee: "tensor", what, position }, reader.span(call.node)),
  );
}
