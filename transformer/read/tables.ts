/**
 * Arrays of records and tuples, nested as one likes: each part is an array of its own, a column. An
 * element is a view of the columns at an index; a part of it that is not a number or an array of
 * numbers is a view again, of fewer columns at the same index.
 */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Dim, dimText, sameDim, sameShape } from "../../compiler/ir/dim.ts";
import type { Shape, Value } from "../../compiler/ir/types.ts";
import { hold, holdAll, holdTwice, type Making, newGroup, newShared } from "./alias.ts";
import type { Place } from "./heap.ts";
import { identical } from "./join.ts";
import { integer, toDtype } from "./numbers.ts";
import {
  checkRow,
  entriesOf,
  itemsOf,
  lengthOf,
  newDense,
  newList,
  newRecord,
  plainArray,
  readElement,
  readField,
  rowReplaced,
  stackItems,
  writeElement,
  type WriteKind,
} from "./objects.ts";
import type { Reader } from "./reader.ts";
import {
  type ArrayObject,
  type ArrayReference,
  type ArrayState,
  type Columns,
  describe,
  fixed,
  type Group,
  isBoolean,
  isNumber,
  isStaticNumber,
  type ReaderValue,
  type RecordReference,
  type RowPosition,
  RowsToken,
  type Shared,
} from "./values.ts";

type TableState = ArrayState & { readonly form: "table" };

export function newTable(
  reader: Reader,
  columns: Columns,
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

/** The element of a table at an index. */
export function rowAt(
  reader: Reader,
  columns: Columns,
  table: ArrayReference,
  index: Value,
): Columns {
  return viewOf(reader, columns, { indices: [...(table.at?.indices ?? []), index], table });
}

function viewOf(reader: Reader, columns: Columns, at: RowPosition): Columns {
  return { ...columns, at, rows: reader.heap.read(columns.object.rows) };
}

/** What several columns make; undefined for a column, and for what is the same everywhere. */
function asColumns(reader: Reader, value: ReaderValue): Columns | undefined {
  if (value.kind === "record") return value;
  const several = value.kind === "array" && reader.heap.read(value.object.state).form !== "dense";
  return several ? value : undefined;
}

/** The columns of a table; where it is in a table itself, at its place. */
export function columnsIn({ columns }: TableState, { at }: ArrayReference): Columns {
  return at === undefined ? columns : { ...columns, at };
}

/** What stands at a position of a column: a number, a row, a view, or what all share. */
export function elementOfColumn(
  reader: Reader,
  column: ReaderValue,
  at: RowPosition,
  node: ts.Node,
): ReaderValue {
  checkRow(reader, at.table, node);
  const several = asColumns(reader, column);
  if (several !== undefined) return viewOf(reader, several, at);
  if (column.kind !== "array") return column;
  return at.indices.reduce<ReaderValue>(
    (part, index) => readElement(reader, part as ArrayReference, integer(index), node),
    column,
  );
}

/** `points[i].name = value`: what stands at a position of the column in a place. */
export function writeInRow(
  reader: Reader,
  at: RowPosition,
  place: Place<ReaderValue>,
  value: ReaderValue,
  node: ts.Node,
  how: WriteKind,
): void {
  checkRow(reader, at.table, node);
  const column = reader.heap.read(place);
  const several = asColumns(reader, column);
  if (several !== undefined) {
    writeRow(reader, viewOf(reader, several, at), value, node, how);
    return rowReplaced(reader, several.object, how, node);
  }
  if (column.kind === "array") {
    const path = at.indices.slice(0, -1);
    const index = integer(at.indices.at(-1) as Value);
    return writeElement(reader, { ...column, path }, index, value, node, how);
  }
  if (!identical(column, value)) reader.needsStatic(`the field \`${place.name}\``, node);
}

/** `points[i] = value`: part by part. */
export function writeRow(
  reader: Reader,
  row: Columns,
  value: ReaderValue,
  node: ts.Node,
  how: WriteKind,
): void {
  const at = row.at as RowPosition;
  for (const [place, part] of partsLike(reader, row, value, node)) {
    writeInRow(reader, at, place, part, node, how);
  }
  if (value.kind !== "record" && value.kind !== "array") return;
  // The object that was given and the one of the array are one from here on.
  const span = reader.span(node);
  const given = value.at === undefined ? [value.object.shared] : sharedOf(value);
  for (const shared of sharedOf(row)) {
    if (value.object === row.object) holdTwice(reader, shared, span);
    else for (const other of given) hold(reader, shared, other, span);
  }
}

/** The places of columns, each with the part of a value that belongs there. */
function partsLike(
  reader: Reader,
  row: Columns,
  value: ReaderValue,
  node: ts.Node,
): readonly (readonly [Place<ReaderValue>, ReaderValue])[] {
  if (value.kind !== row.kind) {
    return reader.fail(
      messages.wrongOperand({ operator: "=", operand: describe(value) }, reader.span(node)),
    );
  }
  if (row.kind === "record") {
    const given = new Map(entriesOf(reader, value as RecordReference, node));
    return [...reader.heap.read(row.object.fields)].map(([name, place]) => {
      const field = given.get(name);
      return [place, field ?? reader.needsStatic(`the field \`${name}\``, node)] as const;
    });
  }
  const array = value as ArrayReference;
  const state = reader.heap.read(row.object.state);
  if (state.form === "list") {
    const items = knownItems(reader, array, node);
    if (items?.length !== state.items.length) {
      return reader.needsStatic("the length of the array", node);
    }
    return state.items.map((place, k) => [place, items[k] as ReaderValue] as const);
  }
  const given = tableState(reader, array, node);
  const table = state as TableState;
  if (!sameDim(given.length, table.length)) {
    const lengths = {
      what: "writing a row",
      one: dimText(table.length),
      other: dimText(given.length),
    };
    return reader.fail(messages.lengthsDiffer(lengths, reader.span(node)));
  }
  return partsLike(reader, table.columns, columnsIn(given, array), node);
}

/** The items of an array whose length is known. */
function knownItems(
  reader: Reader,
  array: ArrayReference,
  node: ts.Node,
): readonly ReaderValue[] | undefined {
  const items = itemsOf(reader, array, node);
  if (items !== undefined) return items;
  const length = lengthOf(reader, array, node);
  if (!isStaticNumber(length)) return undefined;
  return Array.from({ length: length.value }, (_, k) => readElement(reader, array, fixed(k), node));
}

/** An array as a table: it is one, or a list of what makes one. */
function tableState(reader: Reader, array: ArrayReference, node: ts.Node): TableState {
  const state = reader.heap.read(array.object.state);
  if (state.form === "table") return state;
  const items = itemsOf(reader, array, node);
  const made = items === undefined ? undefined : tableOf(reader, items, node);
  return made ?? reader.needsStatic("the length of the array", node);
}

/** A table of things that are known one by one; undefined where they are numbers or arrays of them. */
export function tableOf(
  reader: Reader,
  items: readonly ReaderValue[],
  node: ts.Node,
): TableState | undefined {
  const structured = (item: ReaderValue): boolean =>
    asColumns(reader, item) !== undefined && shapeOf(reader, item, node) === undefined;
  if (items.length === 0 || !items.every(structured)) return undefined;
  // Columns of one table are never each other, whatever they were made of.
  const columns = columnOf(reader, items, newGroup(), node);
  return { form: "table", columns: columns as Columns, length: items.length };
}

function columnOf(
  reader: Reader,
  values: readonly ReaderValue[],
  group: Group,
  node: ts.Node,
): ReaderValue {
  const [first] = values;
  if (values.every((value) => value.kind === "record")) {
    return linked(reader, columnsOf(reader, values, group, node), values, node);
  }
  if (values.every(isBoolean)) {
    const parts = values.map((value) =>
      reader.at(node).reshape(toDtype(reader, value, "bool", node), [1]),
    );
    const whole = reader.at(node).concat(parts, 0);
    return newDense(reader, whole, { typed: false, element: "bool" }, { group });
  }
  if (values.every(isNumber)) {
    return newDense(reader, stackItems(reader, values, node), plainArray, { group });
  }
  if (values.every((value) => value.kind === "array")) {
    return linked(reader, columnOfArrays(reader, values, group, node), values, node);
  }
  const same = first !== undefined && values.every((value) => identical(value, first));
  if (same && first.kind === "static") return first;
  const what = values.find((value) => value.kind !== first?.kind) ?? first;
  return reader.needsStatic(
    `the index into an array of records that hold ${what === undefined ? "nothing" : describe(what)}`,
    node,
  );
}

/** Writing the columns outdates what they were made of, and the other way round. */
function linked<T extends Columns>(
  reader: Reader,
  column: T,
  values: readonly Columns[],
  node: ts.Node,
): T {
  const parts = values.map((value) => value.object.shared);
  for (const shared of sharedOf(column)) holdAll(reader, shared, parts, reader.span(node));
  return column;
}

function columnsOf(
  reader: Reader,
  items: readonly RecordReference[],
  group: Group,
  node: ts.Node,
): RecordReference {
  const [first] = items;
  const names = first === undefined ? [] : entriesOf(reader, first, node).map(([name]) => name);
  return newRecord(
    reader,
    names.map((name) => {
      const values = items.map((item) => {
        const value = readField(reader, item, name, node);
        return value ?? reader.needsStatic(`the field \`${name}\``, node);
      });
      return [name, columnOf(reader, values, group, node)] as const;
    }),
  );
}

/** Arrays of numbers of one shape are one array; tuples and tables are columns. */
function columnOfArrays(
  reader: Reader,
  values: readonly ArrayReference[],
  group: Group,
  node: ts.Node,
): ArrayReference {
  const [first] = values as readonly [ArrayReference];
  if (values.every((value) => shapeOf(reader, value, node) !== undefined)) {
    const { typed, element } = first.object;
    return newDense(reader, stackItems(reader, values, node), { typed, element }, { group });
  }
  const lists = values.map((value) => itemsOf(reader, value, node));
  const [items] = lists;
  if (items !== undefined && lists.every((list) => list?.length === items.length)) {
    const columns = items.map((_, k) => {
      const parts = lists.map((list) => list?.[k] as ReaderValue);
      return columnOf(reader, parts, group, node);
    });
    return newList(reader, columns);
  }
  const state = reader.heap.read(first.object.state);
  const rows = values.map((value) => {
    const other = reader.heap.read(value.object.state);
    const fits =
      state.form === "table" && other.form === "table" && sameDim(other.length, state.length);
    if (fits) return columnsIn(other, value);
    return reader.needsStatic("the index into an array of arrays of several lengths", node);
  });
  const { length } = state as TableState;
  return newTable(reader, columnOf(reader, rows, group, node) as Columns, length);
}

/** The shape of an array of numbers, nested as it may be; undefined for all else. */
export function shapeOf(reader: Reader, value: ReaderValue, node: ts.Node): Shape | undefined {
  if (isNumber(value)) return [];
  if (value.kind !== "array") return undefined;
  const state = reader.heap.read(value.object.state);
  if (state.form === "dense") return state.value.type.shape.slice(value.path.length);
  const items = itemsOf(reader, value, node);
  if (items === undefined) return undefined;
  const shapes = items.map((item) => shapeOf(reader, item, node));
  const [first] = shapes;
  if (items.length === 0) return [0];
  const same = shapes.every(
    (shape) => shape !== undefined && first !== undefined && sameShape(shape, first),
  );
  return same && first !== undefined ? [items.length, ...first] : undefined;
}

/** The same structure over other columns. */
export function mapColumns<T extends ReaderValue>(
  reader: Reader,
  columns: T,
  each: (column: ArrayReference) => ReaderValue,
  node: ts.Node,
): ReaderValue {
  const inner = (value: ReaderValue): ReaderValue => mapColumns(reader, value, each, node);
  if (columns.kind === "record") {
    const fields = entriesOf(reader, columns, node);
    return newRecord(
      reader,
      fields.map(([name, field]) => [name, inner(field)] as const),
    );
  }
  if (columns.kind !== "array") return columns;
  const state = reader.heap.read(columns.object.state);
  if (state.form === "table") {
    const mapped = inner(columnsIn(state, columns)) as Columns;
    return newTable(reader, mapped, state.length);
  }
  const items = itemsOf(reader, columns, node);
  return items === undefined ? each(columns) : newList(reader, items.map(inner));
}

/** The columns, each as what it shares memory with. */
export function sharedOf(columns: ReaderValue): readonly Shared[] {
  if (columns.kind === "record") {
    return [...columns.object.fields.content.values()].flatMap(({ content }) => sharedOf(content));
  }
  if (columns.kind !== "array") return [];
  const state = columns.object.state.content;
  if (state.form === "table") return sharedOf(state.columns);
  if (state.form === "list") return state.items.flatMap(({ content }) => sharedOf(content));
  return [columns.object.shared];
}

export function notNumbers(reader: Reader, node: ts.Node): never {
  return reader.fail(
    messages.wrongOperand(
      { operator: node.getText().split("(")[0] ?? "", operand: "an array of records" },
      reader.span(node),
    ),
  );
}
