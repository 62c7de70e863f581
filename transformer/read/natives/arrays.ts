/** Arrays of JavaScript: how they are made, and their methods. */

import type ts from "typescript";
import { holdTwice, newGroup } from "../alias.ts";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { symbol, type Dim } from "../../../compiler/ir/dim.ts";
import {
  type DType,
  isFloat,
  scalarType,
  type Shape,
  type Value,
} from "../../../compiler/ir/types.ts";
import { allEquations } from "../../../compiler/ir/walk.ts";
import { invoke } from "../expressions/calls.ts";
import { elementOf } from "../expressions/access.ts";
import { leafTypes, listAsArray, type Template, templateOf, templateText, widen } from "../join.ts";
import { countedLoop } from "../loop.ts";
import {
  asDim,
  compute,
  dimValue,
  fromTheEnd,
  integer,
  rangeOf,
  toIndex,
  toInteger,
  toWhole,
} from "../numbers.ts";
import {
  type ArrayKind,
  appendItem,
  beforeWrite,
  filled,
  itemsOf,
  kindOf,
  lengthOf,
  makeDense,
  newDense,
  newList,
  newRecord,
  numberFrom,
  plainArray,
  readField,
  store,
  toDense,
  toElement,
  writeElement,
} from "../objects.ts";
import { normal, type Reader } from "../reader.ts";
import { popItem } from "../stacks.ts";
import { columnsIn, mapColumns, newTable, shapeOf, sharedOf } from "../tables.ts";
import {
  type ArrayReference,
  type Columns,
  describe,
  fixed,
  isBoolean,
  isNumber,
  isStaticNumber,
  type NativeCall,
  type ReaderValue,
  scalar,
  undefinedValue,
  unset,
} from "../values.ts";
import { concatenated, reverse, reversed } from "./arrange.ts";
import { limits } from "./limits.ts";
import {
  every,
  includes,
  indexOf,
  indexWhere,
  notAFunction,
  overElements,
  some,
} from "./search.ts";

type Method = (reader: Reader, array: ArrayReference, call: NativeCall) => ReaderValue;

const methods: Readonly<Record<string, Method>> = {
  at: (reader, array, { arguments: [index], node }) => {
    const k = toWhole(reader, index ?? fixed(0), node);
    const place = fromTheEnd(reader, k, lengthOf(reader, array, node), node);
    return elementOf(reader, array, place, node);
  },
  concat: (reader, array, { arguments: others, node }) =>
    concatenated(reader, [array, ...others], node),
  every,
  fill: fill,
  findIndex: (reader, array, call) => indexWhere(reader, array, call, "first"),
  findLastIndex: (reader, array, call) => indexWhere(reader, array, call, "last"),
  forEach: (reader, array, call) => {
    overElements(reader, array, call, (value) => void value);
    return undefinedValue;
  },
  includes,
  indexOf: (reader, array, call) => indexOf(reader, array, call, "first"),
  lastIndexOf: (reader, array, call) => indexOf(reader, array, call, "last"),
  map: mapElements,
  pop: (reader, array, { node }) => popItem(reader, array, node),
  push: (reader, array, { arguments: values, node }) => {
    for (const value of values) appendItem(reader, array, value, node);
    // What a stack has grown to is known to the run alone, and nobody asks.
    const isStack = array.object.state.content.form === "stack";
    return isStack ? undefinedValue : lengthOf(reader, array, node);
  },
  reduce: reduceElements,
  reverse,
  slice: slice,
  some,
  toReversed: reversed,
};

const fillAndCount =
  "fill an array of the same length in a loop that counts what stays, and `slice` it";
const piecewise = "put parts together with `slice` and `concat`, or write the elements in a loop";
const byCounter = "loop with a counter";

/** What to write instead of the methods that are not compiled. */
const instead: Readonly<Record<string, string>> = {
  copyWithin: "write the elements in a loop",
  entries: byCounter,
  filter: fillAndCount,
  find: "use `findIndex`, and read the element where it is not -1",
  findLast: "use `findLastIndex`, and read the element where it is not -1",
  flat: "loop over the rows into an array of the whole length",
  flatMap: "loop over the rows into an array of the whole length",
  join: "text is not computed with: join the result outside",
  keys: byCounter,
  reduceRight: "loop with a counter that runs down",
  set: "write the elements in a loop",
  shift: piecewise,
  sort: "write the sort as a loop or a recursion, or sort outside and pass the order",
  splice: piecewise,
  subarray: "use `slice`, which copies",
  toSorted: "write the sort as a loop or a recursion, or sort outside and pass the order",
  toSpliced: piecewise,
  unshift: piecewise,
  values: "loop over the array itself",
  with: "copy the array with `slice`, and write the element",
};

/** The way out for a property that arrays do not have here. */
export function insteadOf(name: string): string | undefined {
  return Object.hasOwn(instead, name) ? instead[name] : undefined;
}

export function arrayMember(
  reader: Reader,
  array: ArrayReference,
  name: string,
  node: ts.Node,
): ReaderValue | undefined {
  if (name === "length") return lengthOf(reader, array, node);
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined;
  if (method === undefined) return undefined;
  return { kind: "native", name, call: (inner, call) => method(inner, array, call) };
}

/** `new Float64Array(length)`, or of an array; `Float64Array.of(…)`. */
export function newTypedArray(
  reader: Reader,
  call: NativeCall,
  element: DType,
  from?: "items",
): ReaderValue {
  const { node } = call;
  const [first] = call.arguments;
  const kind: ArrayKind = { typed: true, element };
  if (from === "items") {
    return typedFrom(reader, newList(reader, call.arguments), kind, node);
  }
  if (first === undefined) return zeros(reader, fixed(0), kind, node);
  if (isNumber(first)) return zeros(reader, first, kind, node);
  if (first.kind === "array") return typedFrom(reader, first, kind, node);
  return reader.fail(
    messages.wrongArgument(
      { callee: "new", what: describe(first), position: 1 },
      reader.span(node),
    ),
  );
}

/** `new Array(n)`, `Array(n)`: only with `fill`, which gives it numbers. */
export function newArray(reader: Reader, call: NativeCall): ReaderValue {
  const [first, ...rest] = call.arguments;
  if (first === undefined || rest.length > 0 || !isNumber(first)) {
    return newList(reader, call.arguments);
  }
  if (isStaticNumber(first) && first.value <= 64) {
    return newList(reader, new Array<ReaderValue>(first.value).fill(unset));
  }
  return zeros(reader, first, plainArray, call.node);
}

/** `Array.from(array)`, `Array.from({ length: n }, (_, k) => …)`. */
export function arrayFrom(reader: Reader, call: NativeCall): ReaderValue {
  const { node } = call;
  const [source, each] = call.arguments;
  if (source?.kind === "array") {
    const copy = slice(reader, source, { ...call, arguments: [] });
    if (copy.kind !== "array") return copy;
    const plainCopy = isTypedArray(copy) ? untyped(reader, copy, node) : copy;
    return each === undefined
      ? plainCopy
      : mapElements(reader, plainCopy, { ...call, arguments: [each] });
  }
  const length = source?.kind === "record" ? readField(reader, source, "length", node) : undefined;
  if (length === undefined || !isNumber(length)) {
    return reader.fail(
      messages.wrongArgument(
        { callee: "Array.from", what: describe(source ?? undefinedValue), position: 1 },
        reader.span(node),
      ),
    );
  }
  if (isStaticNumber(length) && length.value <= 64) {
    const items = Array.from({ length: length.value }, (_, k) =>
      each === undefined
        ? undefinedValue
        : invoke(reader, each, { ...call, arguments: [undefinedValue, fixed(k)] }),
    );
    return newList(reader, items);
  }
  const dim = dimOf(reader, length, node);
  if (each === undefined) {
    return newDense(reader, filled(reader, [dim], fixed(0), "f64", node), plainArray);
  }
  const apply = (index: ReaderValue): ReaderValue =>
    invoke(reader, each, { ...call, arguments: [undefinedValue, index] });
  return tabulate(reader, dim, plainArray, apply, node);
}

/** A length as a dimension; a number known at run time is bound to a symbol. */
export function dimOf(reader: Reader, length: ReaderValue, node: ts.Node): Dim {
  const known = asDim(length);
  if (known !== undefined && (typeof known !== "number" || known >= 0)) return known;
  if (length.kind === "static") {
    return reader.fail(
      messages.wrongArgument(
        { callee: "new", what: `the length ${String(length.value)}`, position: 1 },
        reader.span(node),
      ),
    );
  }
  const source = length.kind === "scalar" || length.kind === "integer" ? length.value : undefined;
  const index = toIndex(reader, length, node);
  const name = reader.symbolFor(source ?? index, () =>
    bindFresh(reader, index, source?.name, node),
  );
  return symbol(name);
}

function bindFresh(reader: Reader, index: Value, name: string | undefined, node: ts.Node): string {
  const fresh = reader.freshName(name ?? "length");
  reader.at(node).emit("bind", [index], { symbol: fresh });
  return fresh;
}

function zeros(reader: Reader, length: ReaderValue, kind: ArrayKind, node: ts.Node): ReaderValue {
  const dim = dimOf(reader, length, node);
  return newDense(reader, filled(reader, [dim], fixed(0), kind.element, node), kind);
}

function typedFrom(
  reader: Reader,
  array: ArrayReference,
  kind: ArrayKind,
  node: ts.Node,
): ReaderValue {
  const items = itemsOf(reader, array, node);
  const values = items?.map((item) => (isStaticNumber(item) ? item.value : undefined));
  if (values?.every((value) => value !== undefined) === true && kind.element !== "i32") {
    if (kind.element !== "u8") {
      return newDense(reader, reader.at(node).array(values, kind.element), kind);
    }
  }
  const dense = toDense(reader, array, node);
  if (dense.type.shape.length !== 1) {
    return reader.fail(
      messages.wrongArgument(
        { callee: "new", what: "an array of arrays", position: 1 },
        reader.span(node),
      ),
    );
  }
  if (dense.type.dtype === kind.element) {
    return newDense(reader, reader.at(node).one("copy", [dense]), kind);
  }
  if (isFloat(kind.element)) {
    return newDense(reader, reader.at(node).cast(dense, kind.element), kind);
  }
  const source = newDense(reader, dense, kindOf(array));
  const dim = dense.type.shape[0] ?? 0;
  return tabulate(reader, dim, kind, (k) => elementOf(reader, source, k, node), node);
}

/**
 * A new array whose element `k` is `apply(k)`: a number, or a row. A row may be as long as a number
 * says that is there before: it is bound once, for all rows.
 */
function tabulate(
  reader: Reader,
  dim: Dim,
  wanted: ArrayKind,
  apply: (index: ReaderValue) => ReaderValue,
  node: ts.Node,
): ArrayReference {
  const first = readRow(reader, apply, node);
  const lengths = new Map(
    first.outer.map((length) => [length, rowLength(reader, dim, length, node)]),
  );
  return reader.withLengths(lengths, () => {
    const { row, escapes } = lengths.size === 0 ? first : readRow(reader, apply, node);
    if (escapes) reader.fail(messages.lengthEscapes({ name: "the row" }, reader.span(node)));
    return filledBy(reader, dim, row, wanted, apply, node);
  });
}

/** The extent of rows that are as long as a number says. Where there are no rows, it is not asked. */
function rowLength(reader: Reader, dim: Dim, length: Value, node: ts.Node): string {
  const number = length.type.dtype === "i32" ? integer(length, 0, 2 ** 31 - 1) : scalar(length);
  const index = toIndex(reader, number, node);
  const builder = reader.at(node);
  const hasRows = builder.binary("gt", builder.extent(dim), builder.constant(0, "i32"));
  const size = builder.select(hasRows, index, builder.constant(0, "i32"));
  return reader.symbolFor(size, () => bindFresh(reader, size, length.name, node));
}

function filledBy(
  reader: Reader,
  dim: Dim,
  row: RowTemplate | undefined,
  wanted: ArrayKind,
  apply: (index: ReaderValue) => ReaderValue,
  node: ts.Node,
): ArrayReference {
  const result = emptyArray(reader, dim, row, wanted, node);
  const high = (rangeOf(dimValue(dim))?.high ?? 2 ** 31 - 1) - 1;
  const exit = countedLoop(reader, {
    node,
    guess: row === undefined || row.kind === "array" ? [result.object.state] : [],
    breakTarget: reader.newTarget(),
    continueTarget: reader.newTarget(),
    count: toInteger(reader, dimValue(dim), node),
    body: (turn) => {
      const index = integer(turn, 0, Math.max(0, high));
      writeElement(reader, result, index, apply(index), node, "fill");
      return normal;
    },
  });
  if (exit === undefined) throw new Error("the loop leaves early");
  return result;
}

type RowTemplate = Template & { readonly kind: "array" | "record" | "list" | "table" };

function isRow(template: Template): template is RowTemplate {
  return ["array", "record", "list", "table"].includes(template.kind);
}

/** What the elements are, where they are arrays or records. */
interface ReadRow {
  readonly row: RowTemplate | undefined;
  /** It has a length that is computed with the row, */
  readonly escapes: boolean;
  /** from these numbers, which were there before. */
  readonly outer: readonly Value[];
}

/** Reads an element, and forgets it. */
function readRow(
  reader: Reader,
  apply: (index: ReaderValue) => ReaderValue,
  node: ts.Node,
): ReadRow {
  return reader.heap.record(() =>
    reader.inBlock((): ReadRow => {
      const index: Value = { type: scalarType("i32") };
      const value = apply(integer(index, 0, 2 ** 30));
      if (value.kind !== "array" && value.kind !== "record") {
        return { row: undefined, escapes: false, outer: [] };
      }
      const isNumbers = value.kind === "array" && shapeOf(reader, value, node) !== undefined;
      const template = widen(
        isNumbers
          ? templateOf(reader, newDense(reader, toDense(reader, value, node), kindOf(value)))
          : templateOf(reader, value),
      );
      const row = isRow(template) ? template : undefined;
      const lengths = leafTypes(template).flatMap((type) => reader.lengthsBoundHere(type));
      const { equations } = reader.at(node);
      const own = new Set([
        index,
        ...[...allEquations({ parameters: [], equations, results: [] })].flatMap((one) => [
          ...one.outputs,
          ...one.regions.flatMap(({ parameters }) => parameters),
        ]),
      ]);
      const outer = lengths.filter((length) => !own.has(length));
      return { row, escapes: lengths.length > 0, outer: [...new Set(outer)] };
    }),
  ).result.result;
}

/** An array of zeros: of numbers, of rows, of records or tuples. */
function emptyArray(
  reader: Reader,
  dim: Dim,
  row: RowTemplate | undefined,
  wanted: ArrayKind,
  node: ts.Node,
): ArrayReference {
  // Columns of one table are never each other, whatever records they were made of.
  const group = newGroup();
  const zerosOf = (shape: Shape, kind: ArrayKind): ArrayReference =>
    newDense(reader, filled(reader, [dim, ...shape], fixed(0), kind.element, node), kind, {
      group,
    });
  const column = (template: Template): ReaderValue => {
    switch (template.kind) {
      case "fixed":
        return template.value;
      case "scalar":
        return zerosOf([], { typed: false, element: template.dtype === "bool" ? "bool" : "f64" });
      case "integer":
        return zerosOf([], plainArray);
      case "array":
        return zerosOf(template.type.shape, template.array);
      case "list": {
        const dense = listAsArray(template);
        return dense === undefined ? newList(reader, template.items.map(column)) : column(dense);
      }
      case "table":
        return newTable(reader, column(template.columns) as Columns, template.length);
      case "record":
        return newRecord(
          reader,
          template.fields.map(([name, field]) => [name, column(field)] as const),
        );
      default:
    }
    return reader.needsStatic(`the length of an array of ${templateText(template)}`, node);
  };
  if (row === undefined) return zerosOf([], wanted);
  const columns = column(row) as Columns;
  const isDense = columns.kind === "array" && columns.object.state.content.form === "dense";
  return isDense ? columns : newTable(reader, columns, dim);
}

/** Scalar functions that write nothing become a `map`; all others a loop. */
function mapElements(reader: Reader, array: ArrayReference, call: NativeCall): ReaderValue {
  const { node } = call;
  const [each] = call.arguments;
  if (each === undefined) return notAFunction(reader, node);
  const items = itemsOf(reader, array, node);
  if (items !== undefined) {
    const results = items.map((item, k) =>
      invoke(reader, each, { ...call, arguments: [item, fixed(k), array] }),
    );
    return newList(reader, results);
  }
  const elementAt = (k: ReaderValue): ReaderValue =>
    invoke(reader, each, { ...call, arguments: [elementOf(reader, array, k, node), k, array] });
  const state = reader.heap.read(array.object.state);
  if (state.form === "table") return tabulate(reader, state.length, plainArray, elementAt, node);
  const dense = toDense(reader, array, node);
  const kind = kindOf(array);
  if (dense.type.shape.length === 1) {
    const mapped = asMap(reader, array, dense, kind, each, call);
    if (mapped !== undefined) return mapped;
  }
  const dim = dense.type.shape[0] ?? 0;
  // A map over rows that gives numbers gives an ordinary array of them.
  return tabulate(reader, dim, dense.type.shape.length > 1 ? plainArray : kind, elementAt, node);
}

function asMap(
  reader: Reader,
  array: ArrayReference,
  dense: Value,
  kind: ArrayKind,
  each: ReaderValue,
  call: NativeCall,
): ReaderValue | undefined {
  const { node } = call;
  const { shape } = dense.type;
  const element: Value = { type: scalarType(dense.type.dtype) };
  const index: Value = { type: scalarType("i32") };
  const high = (rangeOf(dimValue(shape[0] ?? 0))?.high ?? 2 ** 31 - 1) - 1;
  let result: Value | undefined;
  const { result: block, changes } = reader.heap.record(() =>
    reader.inBlock(() => {
      const value = invoke(reader, each, {
        ...call,
        arguments: [numberFrom(reader, element, node), integer(index, 0, Math.max(0, high)), array],
      });
      if (isNumber(value) || isBoolean(value)) {
        result = isBoolean(value)
          ? undefined
          : toElement(reader, value, kind.typed ? kind.element : "f64", node);
      }
    }),
  );
  if (changes.size > 0 || result === undefined) return undefined;
  const { equations } = block.builder;
  const scalars = equations.every(({ outputs }) =>
    outputs.every(({ type }) => type.shape.length === 0 && !type.stack),
  );
  if (!scalars) return undefined;
  const usesIndex = JSON.stringify(equations.map(({ inputs }) => inputs.includes(index))).includes(
    "true",
  );
  const nested = equations.some(({ regions }) => regions.length > 0);
  const withIndex = usesIndex || nested || result === index;
  const builder = reader.at(node);
  const inputs = withIndex ? [dense, builder.iota(shape, 0)] : [dense];
  const parameters = withIndex ? [element, index] : [element];
  const [output] = builder.map(shape, inputs, { parameters, equations, results: [result] });
  return newDense(reader, output as Value, kind);
}

export function reduceElements(
  reader: Reader,
  array: ArrayReference,
  call: NativeCall,
): ReaderValue {
  const { node } = call;
  const [each, initial] = call.arguments;
  if (each === undefined) return notAFunction(reader, node);
  const items = itemsOf(reader, array, node);
  if (items !== undefined) {
    const all = initial === undefined ? items : [initial, ...items];
    const [first, ...rest] = all;
    if (first === undefined) return reader.needsStatic("the first element", node);
    const offset = initial === undefined ? 1 : 0;
    return rest.reduce<ReaderValue>(
      (sum, item, k) =>
        invoke(reader, each, { ...call, arguments: [sum, item, fixed(k + offset), array] }),
      first,
    );
  }
  const start = initial ?? elementOf(reader, array, fixed(0), node);
  const place = reader.heap.place<ReaderValue>(start, "the accumulator");
  const skip = initial === undefined ? 1 : 0;
  const length = lengthOf(reader, array, node);
  const turns = compute(reader, "sub", length, fixed(skip), node);
  countedLoop(reader, {
    node,
    guess: [place],
    breakTarget: reader.newTarget(),
    continueTarget: reader.newTarget(),
    count: toInteger(reader, turns, node),
    body: (turn) => {
      const high = (rangeOf(turns)?.high ?? 2 ** 31 - 2) - 1;
      const k = compute(reader, "add", integer(turn, 0, Math.max(0, high)), fixed(skip), node);
      const item = elementOf(reader, array, k, node);
      const args = [reader.heap.read(place), item, k, array];
      reader.heap.write(place, invoke(reader, each, { ...call, arguments: args }));
      return normal;
    },
  });
  return reader.heap.read(place);
}

/** `a.fill(value, start?, end?)`. */
function fill(reader: Reader, array: ArrayReference, call: NativeCall): ReaderValue {
  const { node } = call;
  const [value = undefinedValue, ...bounds] = call.arguments;
  const [start, end] = bounds.map(given);
  beforeWrite(reader, array.object, node);
  const items = itemsOf(reader, array, node);
  const isWhole = start === undefined && end === undefined;
  if (items !== undefined && isWhole) {
    for (const k of items.keys()) writeElement(reader, array, fixed(k), value, node);
    return array;
  }
  const dense = makeDense(reader, array, node);
  if (isWhole && array.path.length === 0) {
    const { shape } = dense.type;
    if (shape.length !== 1) {
      return reader.fail(
        messages.wrongArgument(
          { callee: "fill", what: describe(value), position: 1 },
          reader.span(node),
        ),
      );
    }
    store(reader, array.object, filled(reader, shape, value, array.object.element, node));
    return array;
  }
  const length = lengthOf(reader, array, node);
  const [from, to] = limits(reader, length, start, end, node);
  countedLoop(reader, {
    node,
    guess: [array.object.state],
    breakTarget: reader.newTarget(),
    continueTarget: reader.newTarget(),
    count: toIndex(reader, compute(reader, "sub", to, from, node), node),
    body: (turn) => {
      const k = compute(reader, "add", from, integer(turn, 0, 2 ** 30), node);
      writeElement(reader, array, k, value, node);
      return normal;
    },
  });
  return array;
}

/**
 * `a.slice(start?, end?)`: a copy. Rows and records are the same ones in both, so that neither may
 * be written through one of them.
 */
function slice(reader: Reader, array: ArrayReference, call: NativeCall): ReaderValue {
  const copy = sliced(reader, array, call);
  if (copy.kind === "array" && holdsObjects(reader, copy)) {
    const span = reader.span(call.node);
    for (const shared of [array, copy].flatMap(sharedOf)) holdTwice(reader, shared, span);
  }
  return copy;
}

/** True where elements are arrays or records that stand in the array's own memory. */
function holdsObjects(reader: Reader, { object, path }: ArrayReference): boolean {
  const state = reader.heap.read(object.state);
  if (state.form === "table") return true;
  return state.form === "dense" && state.value.type.shape.length - path.length > 1;
}

function sliced(reader: Reader, array: ArrayReference, call: NativeCall): ReaderValue {
  const { node } = call;
  const [start, end] = call.arguments.map(given);
  const items = itemsOf(reader, array, node);
  const known = [start, end].every((limit) => limit === undefined || isStaticNumber(limit));
  if (items !== undefined && known) {
    const [from, to] = [start, end].map((limit) =>
      limit !== undefined && isStaticNumber(limit) ? limit.value : undefined,
    );
    return newList(reader, items.slice(from, to));
  }
  const state = reader.heap.read(array.object.state);
  if (state.form === "table") return sliceTable(reader, columnsIn(state, array), call);
  const dense = toDense(reader, array, node);
  const kind = kindOf(array);
  if (start === undefined && end === undefined) {
    return newDense(reader, reader.at(node).one("copy", [dense]), kind);
  }
  const length = lengthOf(reader, array, node);
  const [from, to] = limits(reader, length, start, end, node);
  const size = dimOf(reader, compute(reader, "sub", to, from, node), node);
  const first = asDim(from);
  const { shape } = dense.type;
  if (first !== undefined && asDim(to) !== undefined) {
    const lows = shape.map((_, axis): Dim => (axis === 0 ? first : 0));
    const highs = shape.map((dim, axis) => (axis === 0 ? (asDim(to) ?? dim) : dim));
    return newDense(reader, reader.at(node).slice(dense, lows, highs), kind);
  }
  const at = toIndex(reader, from, node);
  const part = reader.at(node).one("dynamic_slice", [dense, at], { axis: 0, size });
  return newDense(reader, part, kind);
}

/** A copy of a part of an array of records: of each column. */
function sliceTable(reader: Reader, columns: Columns, call: NativeCall): ReaderValue {
  const parts = mapColumns(reader, columns, (column) => sliced(reader, column, call), call.node);
  const length = leafTypes(templateOf(reader, parts))[0]?.shape[0];
  if (length === undefined) throw new Error("a table has columns");
  return newTable(reader, parts as Columns, length);
}

/** The elements of a typed array as an array of numbers. */
export function untyped(reader: Reader, array: ArrayReference, node: ts.Node): ArrayReference {
  const numbers = reader.at(node).cast(toDense(reader, array, node), "f64");
  return newDense(reader, numbers, plainArray);
}

/** An argument; one that is `undefined` is not given. */
function given(value: ReaderValue): ReaderValue | undefined {
  return value.kind === "static" && value.value === undefined ? undefined : value;
}

/** True for typed arrays, and not for arrays of them. */
export function isTypedArray({ object, path }: ArrayReference): boolean {
  const state = object.state.content;
  if (!object.typed || state.form !== "dense") return false;
  return state.value.type.shape.length - path.length === 1;
}
