/** Methods of arrays that put elements in another order, or arrays end to end. */

import type ts from "typescript";
import { addDims, type Dim } from "../../../compiler/ir/dim.ts";
import { arrayType, type Value } from "../../../compiler/ir/types.ts";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { identical } from "../join.ts";
import { ofType } from "../lengths.ts";
import { toDtype } from "../numbers.ts";
import {
  type ArrayKind,
  beforeWrite,
  entriesOf,
  itemsOf,
  kindOf,
  newDense,
  newList,
  newRecord,
  plainArray,
  replace,
  rowReplaced,
  toDense,
  writeElement,
} from "../objects.ts";
import type { Reader } from "../reader.ts";
import { columnsIn, mapColumns, newTable, notNumbers, tableOf } from "../tables.ts";
import {
  type ArrayReference,
  type Columns,
  fixed,
  isNumber,
  type NativeCall,
  type ReaderValue,
} from "../values.ts";

/** `a.toReversed()`: a copy. */
export function reversed(
  reader: Reader,
  array: ArrayReference,
  { node }: NativeCall,
): ArrayReference {
  const items = itemsOf(reader, array, node);
  if (items !== undefined) return newList(reader, items.toReversed());
  const flipped = (column: ArrayReference): ArrayReference =>
    newDense(reader, backwards(reader, column, node), kindOf(column));
  const state = reader.heap.read(array.object.state);
  if (state.form !== "table") return flipped(array);
  const columns = mapColumns(reader, columnsIn(state, array), flipped, node);
  return newTable(reader, columns as Columns, state.length);
}

/** `a.reverse()`: the array itself. */
export function reverse(
  reader: Reader,
  array: ArrayReference,
  { node }: NativeCall,
): ArrayReference {
  const items = itemsOf(reader, array, node);
  if (items !== undefined) {
    for (const [k, item] of items.toReversed().entries()) {
      writeElement(reader, array, fixed(k), item, node);
    }
    return array;
  }
  const isWhole = array.path.length === 0 && array.at === undefined;
  const how = isWhole ? "slot" : "write";
  const flip = (column: ArrayReference): ArrayReference => {
    replace(reader, column, backwards(reader, column, node), node, how);
    return column;
  };
  const state = reader.heap.read(array.object.state);
  if (state.form === "table") {
    beforeWrite(reader, array.object, node, how);
    mapColumns(reader, columnsIn(state, array), flip, node);
  } else flip(array);
  rowReplaced(reader, array.object, how, node);
  return array;
}

function backwards(reader: Reader, array: ArrayReference, node: ts.Node): Value {
  return reader.at(node).one("reverse", [toDense(reader, array, node)], { axes: [0] });
}

/** `a.concat(b, …)`, and the spread of arrays: a number among them is an element. */
export function concatenated(
  reader: Reader,
  parts: readonly ReaderValue[],
  node: ts.Node,
): ArrayReference {
  const lists = parts.map((part) => (part.kind === "array" ? itemsOf(reader, part, node) : [part]));
  if (lists.every((list) => list !== undefined)) return newList(reader, lists.flat());
  const isTable = (part: ReaderValue): boolean =>
    part.kind === "array" && reader.heap.read(part.object.state).form === "table";
  if (parts.some(isTable)) return concatenatedTables(reader, parts, node);
  const values = parts.map((part) => {
    if (part.kind === "array") return toDense(reader, part, node);
    if (!isNumber(part)) return notNumbers(reader, node);
    return reader.at(node).reshape(toDtype(reader, part, "f64", node), [1]);
  });
  const first = parts.find((part) => part.kind === "array") as ArrayReference;
  return endToEnd(reader, values, kindOf(first), node);
}

/** Arrays of one kind end to end; numbers of several kinds are doubles. Rows are of one length. */
function endToEnd(
  reader: Reader,
  values: readonly Value[],
  kind: ArrayKind,
  node: ts.Node,
): ArrayReference {
  const [first] = values as readonly [Value];
  const { dtype, shape } = first.type;
  const [, ...row] = shape;
  const isOne = values.every(({ type }) => type.dtype === dtype);
  const wanted = isOne ? dtype : "f64";
  const fitting = values.map((value, k) => {
    const [length, ...own] = value.type.shape;
    if (length === undefined || own.length !== row.length) {
      const what = `an array of ${own.length + 1} axes`;
      const wrong = { callee: "concat", what, position: Math.max(1, k) };
      return reader.fail(messages.wrongArgument(wrong, reader.span(node)));
    }
    return ofType(reader, value, arrayType(wanted, [length, ...row]), "`concat`", node);
  });
  const whole = reader.at(node).concat(fitting, 0);
  return newDense(reader, whole, isOne ? kind : plainArray);
}

function concatenatedTables(
  reader: Reader,
  parts: readonly ReaderValue[],
  node: ts.Node,
): ArrayReference {
  const tables = parts.map((part) => {
    if (part.kind !== "array") return notNumbers(reader, node);
    const state = reader.heap.read(part.object.state);
    if (state.form === "table") return { columns: columnsIn(state, part), length: state.length };
    const made = tableOf(reader, itemsOf(reader, part, node) ?? [], node);
    return made ?? reader.needsStatic("the length of the array", node);
  });
  const columns = joined(
    reader,
    tables.map((table) => table.columns),
    node,
  );
  const length = tables.reduce<Dim>((sum, table) => addDims(sum, table.length), 0);
  return newTable(reader, columns as Columns, length);
}

/** Columns of one structure, each end to end. */
function joined(reader: Reader, parts: readonly ReaderValue[], node: ts.Node): ReaderValue {
  const [first] = parts as readonly [ReaderValue];
  const differ = (): never =>
    reader.needsStatic("the structure of the elements", node, "give them all the same fields");
  if (first.kind === "record") {
    const fields = parts.map((part) =>
      part.kind === "record" ? new Map(entriesOf(reader, part, node)) : differ(),
    );
    return newRecord(
      reader,
      [...(fields[0]?.keys() ?? [])].map((name) => {
        const columns = fields.map((map) => map.get(name) ?? differ());
        return [name, joined(reader, columns, node)] as const;
      }),
    );
  }
  if (first.kind !== "array") {
    return parts.every((part) => identical(part, first)) ? first : differ();
  }
  const arrays = parts.map((part) => (part.kind === "array" ? part : differ()));
  const lists = arrays.map((array) => itemsOf(reader, array, node));
  const [items] = lists;
  if (items !== undefined) {
    const columns = items.map((_, k) => lists.map((list) => list?.[k] ?? differ()));
    return newList(
      reader,
      columns.map((column) => joined(reader, column, node)),
    );
  }
  const states = arrays.map((array) => reader.heap.read(array.object.state));
  const [state] = states;
  if (state?.form === "table") {
    const inner = arrays.map((array, k) => {
      const other = states[k];
      return other?.form === "table" ? columnsIn(other, array) : differ();
    });
    return newTable(reader, joined(reader, inner, node) as Columns, state.length);
  }
  const values = arrays.map((array) => toDense(reader, array, node));
  return endToEnd(reader, values, kindOf(first), node);
}
