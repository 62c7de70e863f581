/**
 * Arrays that grow while the program runs: a list that a loop, a branch or a function that calls
 * itself pushes onto is a stack of the graph from there on.
 */

import type ts from "typescript";
import { sameShape } from "../../compiler/ir/dim.ts";
import { stackType, type Value, type ValueType } from "../../compiler/ir/types.ts";
import { link } from "./alias.ts";
import { toDtype } from "./numbers.ts";
import { beforeWrite, growing, newDense, numberFrom, toDense } from "./objects.ts";
import type { Reader } from "./reader.ts";
import {
  type ArrayReference,
  type ArrayState,
  fixed,
  isBoolean,
  isNumber,
  type ReaderValue,
  type StackItem,
} from "./values.ts";

export type StackState = ArrayState & { readonly form: "stack" };

/** Pushes onto an array whose length only the run tells. */
export function pushOnStack(
  reader: Reader,
  array: ArrayReference,
  value: ReaderValue,
  node: ts.Node,
): void {
  const state = reader.heap.read(array.object.state);
  // A loop of few turns is read turn by turn instead, and the list stays one.
  if (state.form !== "stack" && mayStayList(reader, array))
    return growing(reader, node, array.object.name);
  const item = state.form === "stack" ? state.item : itemOf(reader, value, node);
  const known = state.form === "stack" ? state.value.type : undefined;
  const pushed = asItem(reader, value, known, node);
  const { dtype, shape } = pushed.type;
  const stack = stackOf(reader, state, known ?? stackType(dtype, shape), node);
  const next = reader.at(node).push(stack, pushed);
  reader.heap.write(array.object.state, { form: "stack", value: next, item });
  if (value.kind === "array") link(array.object.shared, value.object.shared);
}

/** `array.pop()`; with `orZero`, `array.pop() ?? 0`, and zeros where the items are arrays. */
export function popItem(
  reader: Reader,
  array: ArrayReference,
  node: ts.Node,
  orZero = false,
): ReaderValue {
  beforeWrite(reader, array.object, node);
  const place = array.object.state;
  const state = reader.heap.read(place);
  if (state.form === "list" && !reader.heap.isOuter(place)) {
    const last = state.items.at(-1);
    if (last === undefined) return fixed(undefined);
    reader.heap.write(place, { form: "list", items: state.items.slice(0, -1) });
    return reader.heap.read(last);
  }
  if (state.form !== "stack" && mayStayList(reader, array))
    return growing(reader, node, array.object.name);
  const { value, item } = state.form === "stack" ? state : madeStack(reader, state, node);
  const builder = reader.at(node);
  const [rest, top] = orZero ? builder.popOrZero(value) : builder.pop(value);
  reader.heap.write(place, { form: "stack", value: rest, item });
  if (item.kind === "tensor") return { kind: "tensor", value: top };
  if (item.kind === "scalar") return numberFrom(reader, top, node);
  const popped = newDense(reader, top, { typed: item.typed, element: item.element });
  link(array.object.shared, popped.object.shared);
  return popped;
}

/** True where the list is older than a loop that can be read turn by turn. */
function mayStayList(reader: Reader, { object }: ArrayReference): boolean {
  return reader.unrollable > 0 && object.state.birth < reader.unrollableSince;
}

/** A list of known items, as a stack of the kind of the first. */
function madeStack(reader: Reader, state: ArrayState, node: ts.Node): StackState {
  const [first] = state.form === "list" ? state.items : [];
  if (first === undefined) return growing(reader, node);
  const value = reader.heap.read(first);
  const item = itemOf(reader, value, node);
  const { dtype, shape } = asItem(reader, value, undefined, node).type;
  const made = stackOf(reader, state, stackType(dtype, shape), node);
  return { form: "stack", value: made, item };
}

/** The stack that a state is; a list is pushed item by item, here. */
export function stackOf(reader: Reader, state: ArrayState, type: ValueType, node: ts.Node): Value {
  if (state.form === "stack") return state.value;
  if (state.form !== "list") return growing(reader, node);
  let stack = reader.at(node).stackNew(type.dtype, type.shape);
  for (const place of state.items) {
    const value = asItem(reader, reader.heap.read(place), type, node);
    stack = reader.at(node).push(stack, value);
  }
  return stack;
}

function itemOf(reader: Reader, value: ReaderValue, node: ts.Node): StackItem {
  if (isNumber(value) || isBoolean(value)) return { kind: "scalar" };
  if (value.kind === "tensor") return { kind: "tensor" };
  if (value.kind !== "array") return growing(reader, node);
  const { typed, element } = value.object;
  return { kind: "array", typed, element };
}

/** A value as it is pushed onto a stack of a type; a number where there is none yet is an f64. */
function asItem(
  reader: Reader,
  value: ReaderValue,
  type: ValueType | undefined,
  node: ts.Node,
): Value {
  if (isBoolean(value) && (type === undefined || type.dtype === "bool")) {
    return toDtype(reader, value, "bool", node);
  }
  if (isNumber(value) && (type === undefined || isNumbers(type))) {
    return toDtype(reader, value, "f64", node);
  }
  const made =
    value.kind === "tensor"
      ? value.value
      : value.kind === "array"
        ? toDense(reader, value, node)
        : growing(reader, node);
  const fits =
    type === undefined ||
    (made.type.dtype === type.dtype && sameShape(made.type.shape, type.shape));
  return fits ? made : growing(reader, node);
}

function isNumbers(type: ValueType): boolean {
  return type.dtype === "f64" && type.shape.length === 0;
}
