/** Arrays and records of the code being read: making, reading and writing them. */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { sameShape } from "../../compiler/ir/dim.ts";
import { arrayType, type DType, type Shape, type Value } from "../../compiler/ir/types.ts";
import { heldTwice, hold, holdAll, type Making, newShared, possibleAliases } from "./alias.ts";
import { pushOnStack } from "./stacks.ts";
import { elementOfColumn, notNumbers, rowAt, tableOf, writeInRow, writeRow } from "./tables.ts";
import { dimValue, integer, isStaticInteger, toDtype, toIndex, toInt32 } from "./numbers.ts";
import type { Place } from "./heap.ts";
import { ofType } from "./lengths.ts";
import type { Reader } from "./reader.ts";
import {
  type ArrayObject,
  type ArrayReference,
  type ArrayState,
  describe,
  fixed,
  isBoolean,
  isNumber,
  isStaticNumber,
  type ReaderValue,
  type RecordObject,
  type RecordReference,
  RowsToken,
  scalar,
} from "./values.ts";

export interface ArrayKind {
  readonly typed: boolean;
  readonly element: DType;
}

/** `number[]`. */
export const plainArray: ArrayKind = { typed: false, element: "f64" };

export function newRecord(
  reader: Reader,
  fields: Iterable<readonly [string, ReaderValue]>,
  making: Making = {},
): RecordReference {
  const name = making.name ?? "the record";
  const places = new Map(
    [...fields].map(([field, value]) => [field, reader.heap.place(value, field)] as const),
  );
  const object: RecordObject = {
    name,
    fields: reader.heap.place(places, name),
    rows: reader.heap.place(new RowsToken(undefined), name),
    shared: newShared(reader, making),
  };
  return { kind: "record", object };
}

export function newList(
  reader: Reader,
  items: readonly ReaderValue[],
  making: Making = {},
): ArrayReference {
  const name = making.name ?? "the array";
  const places = items.map((item, k) => reader.heap.place(item, `${name}[${k}]`));
  const object: ArrayObject = {
    ...kindOfRows(items),
    name,
    state: reader.heap.place({ form: "list", items: places } as const, name),
    rows: reader.heap.place(new RowsToken(undefined), name),
    shared: newShared(reader, making),
  };
  return { kind: "array", object, path: [] };
}

/** A list of rows is of the kind of its rows, for when it is indexed by what the run tells. */
function kindOfRows(items: readonly ReaderValue[]): ArrayKind {
  const [first] = items;
  if (first?.kind !== "array") return plainArray;
  const { typed, element } = first.object;
  const same = items.every(
    (item) =>
      item.kind === "array" && item.object.typed === typed && item.object.element === element,
  );
  return same ? { typed, element } : plainArray;
}

export function newDense(
  reader: Reader,
  value: Value,
  kind: ArrayKind,
  making: Making = {},
): ArrayReference {
  const name = making.name ?? "the array";
  const object: ArrayObject = {
    ...kind,
    name,
    state: reader.heap.place({ form: "dense", value } as const, name),
    rows: reader.heap.place(new RowsToken(undefined), name),
    shared: newShared(reader, making),
  };
  return { kind: "array", object, path: [] };
}

/** Refuses an object that has been written under another name. */
export function checkUsable(
  reader: Reader,
  object: ArrayObject | RecordObject,
  node: ts.Node,
): void {
  const place = reader.heap.read(object.shared.stale);
  if (place === undefined) return;
  reader.fail(
    messages.twoNames({ name: nameIn(object, node) }, reader.span(node), [
      { message: "it may have been written here", span: place },
    ]),
  );
}

/** Refuses a row that is no longer in its array: another has been put in its place. */
export function checkRow(
  reader: Reader,
  { object, rows, at }: ArrayReference | RecordReference,
  node: ts.Node,
): void {
  checkUsable(reader, object, node);
  const now = rows === undefined ? undefined : reader.heap.read(object.rows);
  if (now?.replacedAt !== undefined && rows !== now) {
    reader.fail(
      messages.twoNames({ name: nameIn(object, node) }, reader.span(node), [
        { message: "a row is replaced here", span: now.replacedAt },
      ]),
    );
  }
  if (at !== undefined) checkRow(reader, at.table, node);
}

/** Refuses a write to what is not the program's own; outdates the other names of the object. */
export function beforeWrite(
  reader: Reader,
  object: ArrayObject | RecordObject,
  node: ts.Node,
  how: WriteKind = "write",
): void {
  checkUsable(reader, object, node);
  if (how === "fill") return;
  const name = nameIn(object, node);
  if (object.shared.readOnly === "argument") {
    reader.fail(messages.parameterWritten({ name }, reader.span(node)));
  }
  if (object.shared.readOnly === "captured") {
    reader.fail(messages.capturedWrite({ name }, reader.span(node)));
  }
  const twice = how === "write" ? heldTwice(reader, object.shared) : undefined;
  if (twice !== undefined) {
    reader.fail(
      messages.twoNames({ name }, reader.span(node), [
        { message: "a row may stand in it twice since here", span: twice },
      ]),
    );
  }
  for (const alias of possibleAliases(object.shared, how === "slot")) {
    if (reader.heap.isDead(alias.stale as Place<unknown>)) continue;
    if (alias.readOnly !== undefined) {
      reader.fail(messages.parameterWritten({ name }, reader.span(node)));
    }
    if (reader.heap.read(alias.stale) === undefined) {
      reader.heap.write(alias.stale, reader.span(node));
    }
  }
}

/** The length of an array: known for lists, an extent for dense ones. */
export function lengthOf(reader: Reader, array: ArrayReference, node: ts.Node): ReaderValue {
  checkRow(reader, array, node);
  // Not recorded as read: writing elements does not change a length.
  const state = array.object.state.content;
  if (state.form === "list") return fixed(state.items.length);
  if (state.form === "table") return dimValue(state.length);
  if (state.form === "stack") return growing(reader, node, array.object.name);
  return dimValue(state.value.type.shape[array.path.length] ?? 0);
}

/** The items of a list, where the array is one. */
export function itemsOf(
  reader: Reader,
  array: ArrayReference,
  node: ts.Node,
): readonly ReaderValue[] | undefined {
  checkRow(reader, array, node);
  const state = reader.heap.read(array.object.state);
  if (state.form !== "list") return undefined;
  return state.items.map((item) => partOf(reader, array, item, node));
}

/** A field or an item: of a view, what stands at its place in the column. */
function partOf(
  reader: Reader,
  { at }: ArrayReference | RecordReference,
  place: Place<ReaderValue>,
  node: ts.Node,
): ReaderValue {
  const value = reader.heap.read(place);
  return at === undefined ? value : elementOfColumn(reader, value, at, node);
}

/** Refuses an index into a tuple of a table, and a write behind its end. */
function unknownItem(reader: Reader, node: ts.Node): never {
  const wayOut = "write the index as a literal, or use tuples of numbers alone";
  return reader.needsStatic("the index into a tuple", node, wayOut);
}

/** `array[index]`. */
export function readElement(
  reader: Reader,
  array: ArrayReference,
  index: ReaderValue,
  node: ts.Node,
): ReaderValue {
  checkRow(reader, array, node);
  let state = reader.heap.read(array.object.state);
  if (state.form === "list") {
    if (isStaticNumber(index)) {
      const item = state.items[index.value];
      return item === undefined ? fixed(undefined) : partOf(reader, array, item, node);
    }
    if (array.at !== undefined) return unknownItem(reader, node);
    state = makeStored(reader, array, node);
  }
  if (state.form === "stack") return growing(reader, node, array.object.name);
  if (state.form === "table") {
    const rows = reader.heap.read(array.object.rows);
    return rowAt(reader, state.columns, { ...array, rows }, toIndex(reader, index, node));
  }
  const path = [...array.path, toIndex(reader, index, node)];
  if (path.length < state.value.type.shape.length) {
    return { ...array, path, rows: reader.heap.read(array.object.rows) };
  }
  return numberFrom(reader, reader.at(node).at(state.value, path), node);
}

/**
 * A `slot` of an array is given another row, which changes no row. A new array is filled before anyone
 * can see it: that outdates no other name.
 */
export type WriteKind = "write" | "slot" | "fill";

function kindOfWrite({ path, at }: ArrayReference, value: ReaderValue): WriteKind {
  const isRow = value.kind === "array" || value.kind === "record";
  return isRow && path.length === 0 && at === undefined ? "slot" : "write";
}

/** `array[index] = value`. */
export function writeElement(
  reader: Reader,
  array: ArrayReference,
  index: ReaderValue,
  value: ReaderValue,
  node: ts.Node,
  how: WriteKind = kindOfWrite(array, value),
): void {
  checkRow(reader, array, node);
  beforeWrite(reader, array.object, node, how);
  const state = reader.heap.read(array.object.state);
  if (state.form === "list") {
    const item = isStaticNumber(index) ? state.items[index.value] : undefined;
    if (array.at !== undefined) {
      if (item === undefined) return unknownItem(reader, node);
      return writeInRow(reader, array.at, item, value, node, how);
    }
    if (isStaticNumber(index)) {
      if (item === undefined) {
        // JavaScript lengthens the array; only the next element is meant by anyone.
        if (index.value !== state.items.length) reader.needsLength(array.object.name, node);
        return appendItem(reader, array, value, node);
      }
      return reader.heap.write(item, value);
    }
    makeStored(reader, array, node);
  }
  const stored = reader.heap.read(array.object.state);
  if (stored.form === "stack") return growing(reader, node, array.object.name);
  if (stored.form === "table") {
    const row = rowAt(reader, stored.columns, array, toIndex(reader, index, node));
    writeRow(reader, row, value, node, how);
    return rowReplaced(reader, array.object, how, node);
  }
  const dense = denseState(reader, array.object);
  const path = [...array.path, toIndex(reader, index, node)];
  const rank = dense.type.shape.length;
  if (path.length === rank) {
    const element = toElement(reader, value, array.object.element, node);
    return store(reader, array.object, reader.at(node).update(dense, element, path));
  }
  if (value.kind !== "array") {
    return reader.fail(
      messages.wrongOperand({ operator: "=", operand: describe(value) }, reader.span(node)),
    );
  }
  const given = toDense(reader, value, node);
  const wanted = dense.type.shape.slice(path.length);
  if (given.type.shape.length !== wanted.length) {
    const what = { operator: "=", operand: describe(value) };
    return reader.fail(messages.wrongOperand(what, reader.span(node)));
  }
  const row = ofType(reader, given, { ...given.type, shape: wanted }, "writing a row", node);
  store(reader, array.object, reader.at(node).update(dense, row, path));
  rowReplaced(reader, array.object, how, node);
  // The row that was given and the row of the array are one object from here on.
  hold(reader, array.object.shared, value.object.shared, reader.span(node));
}

/** Another row stands in the array: those that were taken from it before are no longer in it. */
export function rowReplaced(
  reader: Reader,
  { rows }: ArrayObject | RecordObject,
  how: WriteKind,
  node: ts.Node,
): void {
  if (how !== "fill") reader.heap.write(rows, new RowsToken(reader.span(node)));
}

/** `array.push(value)`. */
export function appendItem(
  reader: Reader,
  array: ArrayReference,
  value: ReaderValue,
  node: ts.Node,
): void {
  beforeWrite(reader, array.object, node);
  if (array.at !== undefined) return growing(reader, node);
  const state = reader.heap.read(array.object.state);
  if (state.form !== "list" || reader.heap.isOuter(array.object.state)) {
    return pushOnStack(reader, array, value, node);
  }
  const name = `${array.object.name}[${state.items.length}]`;
  const items = [...state.items, reader.heap.place(value, name)];
  reader.heap.write(array.object.state, { form: "list", items });
}

/** The value of an array as the graph has it. A list is made into one. */
export function toDense(reader: Reader, array: ArrayReference, node: ts.Node): Value {
  const items = itemsOf(reader, array, node);
  if (items !== undefined) return stackItems(reader, items, node);
  const state = reader.heap.read(array.object.state);
  if (state.form === "list" || state.form === "table") return notNumbers(reader, node);
  if (state.form === "stack") return growing(reader, node, array.object.name);
  if (array.path.length === 0) return state.value;
  return reader.at(node).at(state.value, array.path);
}

/** Turns a list into what can be indexed by a number known at run time, for good. */
function makeStored(
  reader: Reader,
  array: ArrayReference,
  node: ts.Node,
): Exclude<ArrayState, { readonly form: "list" }> {
  const state = reader.heap.read(array.object.state);
  if (state.form !== "list") return state;
  const items = state.items.map((item) => reader.heap.read(item));
  const table = tableOf(reader, items, node);
  if (table === undefined) return { form: "dense", value: makeDense(reader, array, node) };
  reader.heap.write(array.object.state, table);
  return table;
}

/** Turns a list into a dense array, for good: it is indexed by what is known at run time. */
export function makeDense(reader: Reader, array: ArrayReference, node: ts.Node): Value {
  const state = reader.heap.read(array.object.state);
  if (state.form === "dense") return state.value;
  if (state.form === "table") return notNumbers(reader, node);
  if (state.form === "stack") return growing(reader, node, array.object.name);
  if (array.at !== undefined) return unknownItem(reader, node);
  const items = state.items.map((item) => reader.heap.read(item));
  const value = stackItems(reader, items, node);
  reader.heap.write(array.object.state, { form: "dense", value });
  const rows = items.flatMap((item) => (item.kind === "array" ? [item.object.shared] : []));
  holdAll(reader, array.object.shared, rows, reader.span(node));
  return value;
}

/** New contents for an array, or for a row of one. */
export function replace(
  reader: Reader,
  array: ArrayReference,
  written: Value,
  node: ts.Node,
  how: WriteKind = "write",
): void {
  beforeWrite(reader, array.object, node, array.path.length === 0 ? how : "write");
  if (array.path.length === 0) return store(reader, array.object, written);
  const whole = makeDense(reader, array, node);
  store(reader, array.object, reader.at(node).update(whole, written, array.path));
}

/** Refuses what asks for the length of an array that grows while the program runs. */
export function growing(reader: Reader, node: ts.Node, name?: string): never {
  return reader.needsLength(name, node);
}

/** Numbers, or arrays of one shape, as one array. */
export function stackItems(reader: Reader, items: readonly ReaderValue[], node: ts.Node): Value {
  const builder = reader.at(node);
  if (items.every(isStaticNumber)) {
    return builder.array(
      items.map((item) => item.value),
      "f64",
    );
  }
  if (items.every(isNumber)) {
    const parts = items.map((item) =>
      reader.at(node).reshape(toDtype(reader, item, "f64", node), [1]),
    );
    return reader.at(node).concat(parts, 0);
  }
  const rows = items.map((item) => {
    if (item.kind !== "array") {
      return reader.needsStatic(`the index into an array that holds ${describe(item)}`, node);
    }
    return toDense(reader, item, node);
  });
  const [first] = rows;
  const shape = first?.type.shape ?? [];
  for (const row of rows) {
    if (!sameShape(row.type.shape, shape)) {
      reader.needsStatic("the index into an array of arrays of several lengths", node);
    }
  }
  const parts = rows.map((row) => reader.at(node).reshape(row, [1, ...shape]));
  return reader.at(node).concat(parts, 0);
}

/** An element of an array, as a number of JavaScript. */
export function numberFrom(reader: Reader, value: Value, node: ts.Node): ReaderValue {
  switch (value.type.dtype) {
    case "i32":
      return integer(value);
    case "u8":
      return integer(reader.at(node).cast(value, "i32"), 0, 255);
    case "bool":
    case "f64":
      return scalar(value);
    default:
      return scalar(reader.at(node).cast(value, "f64"));
  }
}

/** A number as an element of an array, converted as JavaScript does on a write. */
export function toElement(
  reader: Reader,
  value: ReaderValue,
  element: DType,
  node: ts.Node,
): Value {
  if (!isNumber(value) && !isBoolean(value)) {
    return reader.fail(
      messages.wrongOperand({ operator: "=", operand: describe(value) }, reader.span(node)),
    );
  }
  switch (element) {
    case "i32":
      return toInt32(reader, value, node);
    case "u8": {
      if (isStaticInteger(value)) return reader.at(node).constant(value.value & 255, "u8");
      const bits = toInt32(reader, value, node);
      const builder = reader.at(node);
      return builder.cast(builder.binary("bit_and", bits, builder.constant(255, "i32")), "u8");
    }
    default:
      return toDtype(reader, value, element, node);
  }
}

/** An array of one number. */
export function filled(
  reader: Reader,
  shape: Shape,
  value: ReaderValue,
  element: DType,
  node: ts.Node,
): Value {
  const one = toElement(reader, value, element, node);
  return reader.at(node).broadcastTo(one, shape);
}

export function kindOf({ object }: ArrayReference): ArrayKind {
  return { typed: object.typed, element: object.element };
}

export function denseType(value: Value, path: readonly Value[]): ReturnType<typeof arrayType> {
  return arrayType(value.type.dtype, value.type.shape.slice(path.length));
}

function denseState(reader: Reader, object: ArrayObject): Value {
  const state = reader.heap.read(object.state);
  if (state.form !== "dense") throw new Error(`the array is a ${state.form}`);
  return state.value;
}

export function store(reader: Reader, object: ArrayObject, value: Value): void {
  const named: Value = value.name === undefined ? rename(value, object.name) : value;
  reader.heap.write(object.state, { form: "dense", value: named });
}

/** `the first turn` → `firstTurn`, `a[0]` → `a_0`. */
function identifierOf(name: string): string {
  const words = name
    .replace(/^the /, "")
    .replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
  return words.replaceAll(/\W+/g, "_").replaceAll(/^_|_$/g, "") || "value";
}

/** Names a value after the user's variable; values are known by identity, so in place. */
export function rename(value: Value, name: string): Value {
  if (value.name === undefined) (value as { name?: string }).name = identifierOf(name);
  return value;
}

export function readField(
  reader: Reader,
  record: RecordReference,
  name: string,
  node: ts.Node,
): ReaderValue | undefined {
  checkRow(reader, record, node);
  const place = reader.heap.read(record.object.fields).get(name);
  return place && partOf(reader, record, place, node);
}

export function writeField(
  reader: Reader,
  record: RecordReference,
  name: string,
  value: ReaderValue,
  node: ts.Node,
): void {
  const fields = reader.heap.read(record.object.fields);
  const place = fields.get(name);
  if (record.at !== undefined) {
    checkRow(reader, record, node);
    if (place === undefined) {
      return reader.needsStatic(`the fields of the record with \`${name}\``, node);
    }
    return writeInRow(reader, record.at, place, value, node, "write");
  }
  beforeWrite(reader, record.object, node);
  if (place !== undefined) return reader.heap.write(place, value);
  const added = new Map(fields).set(name, reader.heap.place(value, name));
  reader.heap.write(record.object.fields, added);
}

/** Fields and their values, in order. */
export function entriesOf(
  reader: Reader,
  record: RecordReference,
  node: ts.Node,
): readonly (readonly [string, ReaderValue])[] {
  checkRow(reader, record, node);
  return [...reader.heap.read(record.object.fields)].map(
    ([name, place]) => [name, partOf(reader, record, place, node)] as const,
  );
}

/** What the user calls the object at this place. */
function nameIn(object: ArrayObject | RecordObject, node: ts.Node): string {
  if (!object.name.startsWith("the ")) return object.name;
  return node.getText().split(/[[.(=\s]/)[0] ?? object.name;
}
