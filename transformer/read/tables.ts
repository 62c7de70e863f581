/** Arrays of records: each field is an array of its own, and a record in it is a view. */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import type { Dim } from "../../compiler/ir/dim.ts";
import type { Value } from "../../compiler/ir/types.ts";
import { link, type Making, newGroup, newShared } from "./alias.ts";
import type { Place } from "./heap.ts";
import { identical } from "./join.ts";
import { integer, toDtype } from "./numbers.ts";
import {
  checkRow,
  entriesOf,
  newDense,
  newRecord,
  plainArray,
  readElement,
  readField,
  stackItems,
  writeElement,
} from "./objects.ts";
import type { Reader } from "./reader.ts";
import {
  type ArrayObject,
  type ArrayReference,
  describe,
  type Group,
  isBoolean,
  isNumber,
  type ReaderValue,
  type RecordReference,
  type RowPosition,
  RowsToken,
  type Shared,
} from "./values.ts";

export function newTable(
  reader: Reader,
  columns: RecordReference,
  length: Dim,
  making: Making = {},
): ArrayReference {
  const name = making.name ?? "the array";
  const object: ArrayObject = {
    ...plainArray,
    name,
    state: reader.heap.place({ form: "table", columns, length } as const, name),
    rows: reader.heap.place(new RowsToken(undefined), name),
    shared: newShared(reader, making),
  };
  return { kind: "array", object, path: [] };
}

/** The record at an index of a table. */
export function rowAt(
  columns: RecordReference,
  index: Value,
  table: ArrayReference,
): RecordReference {
  return { ...columns, at: { index, table } };
}

/** What stands at an index of a column: a number, a row, a record of such, or what all share. */
export function elementOfColumn(
  reader: Reader,
  column: ReaderValue,
  at: RowPosition,
  node: ts.Node,
): ReaderValue {
  checkRow(reader, at.table, node);
  if (column.kind === "array") return readElement(reader, column, integer(at.index), node);
  return column.kind === "record" ? { ...column, at } : column;
}

/** `points[i].name = value`. */
export function writeInRow(
  reader: Reader,
  at: RowPosition,
  place: Place<ReaderValue> | undefined,
  name: string,
  value: ReaderValue,
  node: ts.Node,
): void {
  checkRow(reader, at.table, node);
  if (place === undefined)
    return reader.needsStatic(`the fields of the record with \`${name}\``, node);
  const column = reader.heap.read(place);
  if (column.kind === "array") {
    return writeElement(reader, column, integer(at.index), value, node);
  }
  if (column.kind === "record") return writeRow(reader, { ...column, at }, value, node);
  if (!identical(column, value)) reader.needsStatic(`the field \`${name}\``, node);
}

/** `points[i] = value`: field by field. */
export function writeRow(
  reader: Reader,
  row: RecordReference,
  value: ReaderValue,
  node: ts.Node,
): void {
  if (value.kind !== "record") {
    return reader.fail(
      messages.wrongOperand({ operator: "=", operand: describe(value) }, reader.span(node)),
    );
  }
  const given = new Map(entriesOf(reader, value, node));
  for (const [name, place] of reader.heap.read(row.object.fields)) {
    const field = given.get(name);
    if (field === undefined) return reader.needsStatic(`the field \`${name}\``, node);
    writeInRow(reader, row.at as RowPosition, place, name, field, node);
  }
  if (row.at === undefined || value.at !== undefined) return;
  // The record that was given and the one of the array are one object from here on.
  for (const shared of sharedOf(row)) link(shared, value.object.shared);
}

/** The columns of records that are known one by one. */
export function columnsOf(
  reader: Reader,
  items: readonly RecordReference[],
  node: ts.Node,
  // Columns of one table are never each other, whatever records they were made of.
  group: Group = newGroup(),
): RecordReference {
  const [first] = items;
  const names = first === undefined ? [] : entriesOf(reader, first, node).map(([name]) => name);
  const columns = newRecord(
    reader,
    names.map((name) => {
      const values = items.map((item) => {
        const value = readField(reader, item, name, node);
        return value ?? reader.needsStatic(`the field \`${name}\``, node);
      });
      return [name, columnOf(reader, values, group, node)] as const;
    }),
  );
  for (const shared of sharedOf(columns)) {
    for (const item of items) link(shared, item.object.shared);
  }
  return columns;
}

function columnOf(
  reader: Reader,
  values: readonly ReaderValue[],
  group: Group,
  node: ts.Node,
): ReaderValue {
  const [first] = values;
  if (values.every((value) => value.kind === "record"))
    return columnsOf(reader, values, node, group);
  if (values.every(isBoolean)) {
    const parts = values.map((value) =>
      reader.at(node).reshape(toDtype(reader, value, "bool", node), [1]),
    );
    return newDense(
      reader,
      reader.at(node).concat(parts, 0),
      { typed: false, element: "bool" },
      { group },
    );
  }
  if (values.every(isNumber))
    return newDense(reader, stackItems(reader, values, node), plainArray, { group });
  if (values.every((value) => value.kind === "array")) {
    const [{ object }] = values as [ArrayReference];
    const { typed, element } = object;
    const column = newDense(
      reader,
      stackItems(reader, values, node),
      { typed, element },
      { group },
    );
    for (const value of values) link(column.object.shared, value.object.shared);
    return column;
  }
  const same = first !== undefined && values.every((value) => identical(value, first));
  if (same && first.kind === "static") return first;
  const what = values.find((value) => value.kind !== first?.kind) ?? first;
  return reader.needsStatic(
    `the index into an array of records that hold ${what === undefined ? "nothing" : describe(what)}`,
    node,
  );
}

/** The columns, each as what it shares memory with. */
export function sharedOf(columns: RecordReference): readonly Shared[] {
  return [...columns.object.fields.content.values()].flatMap(({ content }) => {
    if (content.kind === "record") return sharedOf(content);
    return content.kind === "array" ? [content.object.shared] : [];
  });
}

export function notNumbers(reader: Reader, node: ts.Node): never {
  return reader.fail(
    messages.wrongOperand(
      { operator: node.getText().split("(")[0] ?? "", operand: "an array of records" },
      reader.span(node),
    ),
  );
}
