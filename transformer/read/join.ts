/**
 * What two paths have in common. A template says which values of the graph a thing of the code
 * needs to be carried out of a branch or around a loop, and how to rebuild the thing from them.
 */

import type ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Dim, dimText, sameShape } from "../../compiler/ir/dim.ts";
import {
  arrayType,
  type DType,
  type Shape,
  type Span,
  sameType,
  scalarType,
  type Value,
  type ValueType,
} from "../../compiler/ir/types.ts";
import { type From, join as joinGroup, olderOrigins } from "./alias.ts";
import { rangeOf, toDtype, toInteger } from "./numbers.ts";
import {
  type ArrayKind,
  newDense,
  newList,
  newRecord,
  readElement,
  readField,
  rename,
  toDense,
} from "./objects.ts";
import { openLength, type Reader } from "./reader.ts";
import { columnsIn, newTable, sharedOf } from "./tables.ts";
import {
  type Columns,
  describe,
  fixed,
  type Group,
  isBoolean,
  isNumber,
  type ReaderValue,
  scalar,
  type Shared,
} from "./values.ts";

/** `value` is the thing itself, where the template was made from one. */
export type Template = { readonly value?: ReaderValue | undefined } & (
  | { readonly kind: "fixed"; readonly value: ReaderValue }
  | { readonly kind: "scalar"; readonly dtype: DType }
  | { readonly kind: "integer"; readonly low: number; readonly high: number }
  | { readonly kind: "tensor"; readonly type: ValueType }
  | {
      readonly kind: "array";
      readonly type: ValueType;
      readonly array: ArrayKind;
      readonly from: From;
    }
  | { readonly kind: "list"; readonly items: readonly Template[]; readonly from: From }
  | {
      readonly kind: "table";
      readonly columns: Template;
      readonly length: Dim;
      readonly from: From;
    }
  | {
      readonly kind: "record";
      readonly fields: readonly (readonly [string, Template])[];
      readonly from: From;
    }
  | { readonly kind: "conflict"; readonly problem: Problem }
);

export type ArrayTemplate = Template & { readonly kind: "array" };

type Problem = (name: string, span: Span) => Diagnostic;

/** A thing opened up into what it is made of, as it is now. */
export function templateOf(reader: Reader, value: ReaderValue, depth = 0): Template {
  if (depth > 50) return reader.needsStatic("a record that contains itself", reader.here());
  switch (value.kind) {
    case "dim":
    case "integer": {
      const range = rangeOf(value);
      if (range === undefined) return { kind: "scalar", dtype: "f64", value };
      return { kind: "integer", low: range.low, high: range.high, value };
    }
    case "scalar":
      return { kind: "scalar", dtype: value.value.type.dtype, value };
    case "tensor":
      return { kind: "tensor", type: value.value.type, value };
    case "array": {
      const state = reader.heap.read(value.object.state);
      const { shared, typed, element } = value.object;
      const from = fromOne(shared);
      if (value.at !== undefined) return templateOfView(reader, value, depth);
      if (state.form === "table") {
        const columns = templateOf(reader, state.columns, depth + 1);
        return { kind: "table", columns, length: state.length, from, value };
      }
      if (state.form === "stack") {
        const problem: Problem = openLength;
        return { kind: "conflict", problem, value };
      }
      if (state.form === "dense") {
        const { dtype, shape } = state.value.type;
        const type = arrayType(dtype, shape.slice(value.path.length));
        return { kind: "array", type, array: { typed, element }, from, value };
      }
      const items = state.items.map((item) =>
        templateOf(reader, reader.heap.read(item), depth + 1),
      );
      return { kind: "list", items, from, value };
    }
    case "record": {
      if (value.at !== undefined) return templateOfView(reader, value, depth);
      const fields = [...reader.heap.read(value.object.fields)].map(
        ([name, place]) => [name, templateOf(reader, reader.heap.read(place), depth + 1)] as const,
      );
      return { kind: "record", fields, from: fromOne(value.object.shared), value };
    }
    default:
      return { kind: "fixed", value };
  }
}

function templateOfView(reader: Reader, view: Columns, depth: number): Template {
  const shareds = sharedOf(view);
  const columns = templateOf(reader, { ...view, at: undefined }, depth + 1);
  const from = { sides: [shareds], origins: shareds };
  return { ...rowTemplate(columns, view.at?.indices.length ?? 0, from), value: view };
}

/** What stands at indices of columns, which are so many axes of each. */
function rowTemplate(column: Template, axes: number, from: From): Template {
  const part = (inner: Template): Template => rowTemplate(inner, axes, from);
  switch (column.kind) {
    case "record": {
      const fields = column.fields.map(([name, field]) => [name, part(field)] as const);
      return { kind: "record", fields, from };
    }
    case "list":
      return { kind: "list", items: column.items.map(part), from };
    case "table":
      return { kind: "table", columns: part(column.columns), length: column.length, from };
    case "array": {
      const { dtype, shape } = column.type;
      const type = arrayType(dtype, shape.slice(axes));
      if (shape.length > axes) return { ...column, value: undefined, type };
      if (dtype === "i32" || dtype === "u8")
        return { kind: "integer", low: -(2 ** 31), high: 2 ** 31 - 1 };
      return { kind: "scalar", dtype: dtype === "bool" ? "bool" : "f64" };
    }
    default:
      return column;
  }
}

/** The template of a thing that may change from turn to turn: numbers become f64. */
export function widen(template: Template): Template {
  switch (template.kind) {
    case "fixed":
      if (isNumber(template.value)) return { kind: "scalar", dtype: "f64" };
      if (isBoolean(template.value)) return { kind: "scalar", dtype: "bool" };
      return template;
    case "integer":
      return { kind: "scalar", dtype: "f64" };
    case "list":
      return { ...template, value: undefined, items: template.items.map(widen) };
    case "table":
      return { ...template, value: undefined, columns: widen(template.columns) };
    case "record":
      return {
        ...template,
        value: undefined,
        fields: template.fields.map(([name, field]) => [name, widen(field)] as const),
      };
    default:
      return { ...template, value: undefined };
  }
}

/** What stands on either of two paths. */
export function join(a: Template, b: Template): Template {
  if (a.kind === "conflict") return a;
  if (b.kind === "conflict") return b;
  if (a.value !== undefined && b.value !== undefined && identical(a.value, b.value)) {
    return { kind: "fixed", value: a.value };
  }
  for (const side of [a, b]) {
    const kind = side.value?.kind;
    if (kind === "faulty" || kind === "conflict") return side;
  }
  if (a.value?.kind === "unset") return anew(b);
  if (b.value?.kind === "unset") return anew(a);
  const differ: Template = {
    kind: "conflict",
    problem: (name, span) =>
      messages.pathsDiffer({ name, one: templateText(a), other: templateText(b) }, span),
  };
  const numbers = joinNumbers(a, b);
  if (numbers !== undefined) return numbers;
  switch (a.kind) {
    case "tensor":
      return b.kind === "tensor" && sameType(a.type, b.type)
        ? { kind: "tensor", type: a.type }
        : differ;
    case "array": {
      const other = b.kind === "list" ? listAsArray(b) : b;
      if (other?.kind !== "array" || !sameType(a.type, other.type)) return differ;
      if (a.array.typed !== other.array.typed) return differ;
      return { ...a, value: undefined, from: both(a.from, other.from) };
    }
    case "list": {
      if (b.kind === "array") return join(b, a);
      if (b.kind !== "list" || b.items.length !== a.items.length) return differ;
      const items = a.items.map((item, k) => join(item, b.items[k] as Template));
      return { kind: "list", items, from: both(a.from, b.from) };
    }
    case "table": {
      if (b.kind !== "table" || !sameDim(a.length, b.length)) return differ;
      const columns = join(a.columns, b.columns);
      return { kind: "table", columns, length: a.length, from: both(a.from, b.from) };
    }
    case "record": {
      if (b.kind !== "record") return differ;
      const others = new Map(b.fields);
      if (others.size !== a.fields.length) return differ;
      const fields: (readonly [string, Template])[] = [];
      for (const [name, field] of a.fields) {
        const other = others.get(name);
        if (other === undefined) return differ;
        fields.push([name, join(field, other)]);
      }
      return { kind: "record", fields, from: both(a.from, b.from) };
    }
    default:
      return differ;
  }
}

function sameDim(a: Dim, b: Dim): boolean {
  return sameShape([a], [b]);
}

/** The template of a new thing of the same kind. */
function anew(template: Template): Template {
  return template.kind === "fixed" ? template : { ...template, value: undefined };
}

function fromOne(shared: Shared): From {
  return { sides: [[shared]], origins: [shared] };
}

/** What stands for one object on one path and for another on the other. */
function both(a: From, b: From): From {
  return {
    sides: [a.sides[0] ?? [], b.sides[0] ?? []],
    origins: [...new Set([...a.origins, ...b.origins])],
  };
}

/** A template whose objects stand only for what was there before the innermost recording. */
export function withOlderOrigins(reader: Reader, template: Template): Template {
  const older = (from: From): From => ({
    ...from,
    origins: from.origins.flatMap((origin) => olderOrigins(reader, origin)),
  });
  switch (template.kind) {
    case "array":
      return { ...template, from: older(template.from) };
    case "list":
      return {
        ...template,
        from: older(template.from),
        items: template.items.map((item) => withOlderOrigins(reader, item)),
      };
    case "table":
      return {
        ...template,
        from: older(template.from),
        columns: withOlderOrigins(reader, template.columns),
      };
    case "record":
      return {
        ...template,
        from: older(template.from),
        fields: template.fields.map(
          ([name, field]) => [name, withOlderOrigins(reader, field)] as const,
        ),
      };
    default:
      return template;
  }
}

/** The values of the graph that stand for `value` in a template, made in the current block. */
export function flatten(
  reader: Reader,
  template: Template,
  value: ReaderValue,
  node: ts.Node,
): readonly Value[] {
  if (template.kind === "fixed" || template.kind === "conflict") return [];
  if (value.kind === "unset") {
    return leafTypes(template).map((type) => reader.at(node).zerosOf(type));
  }
  switch (template.kind) {
    case "scalar":
      return [toDtype(reader, value, template.dtype, node)];
    case "integer":
      return [toInteger(reader, value, node)];
    case "tensor":
      return value.kind === "tensor" ? [value.value] : mismatch();
    case "array":
      return value.kind === "array" ? [toDense(reader, value, node)] : mismatch();
    case "table": {
      if (value.kind !== "array") return mismatch();
      const state = reader.heap.read(value.object.state);
      return state.form === "table"
        ? flatten(reader, template.columns, columnsIn(state, value), node)
        : mismatch();
    }
    case "list": {
      if (value.kind !== "array") return mismatch();
      const state = reader.heap.read(value.object.state);
      if (state.form === "table" || value.at !== undefined) {
        return template.items.flatMap((item, k) =>
          flatten(reader, item, readElement(reader, value, fixed(k), node), node),
        );
      }
      if (state.form === "dense") {
        if (state.value.type.shape[0] !== template.items.length) return mismatch();
        return template.items.flatMap((item, k) =>
          flatten(reader, item, readElement(reader, value, fixed(k), node), node),
        );
      }
      if (state.form === "stack") return mismatch();
      return template.items.flatMap((item, k) => {
        const place = state.items[k];
        return place === undefined ? [] : flatten(reader, item, reader.heap.read(place), node);
      });
    }
    case "record": {
      if (value.kind !== "record") return mismatch();
      if (value.at !== undefined) {
        return template.fields.flatMap(([name, field]) => {
          const own = readField(reader, value, name, node);
          return own === undefined ? [] : flatten(reader, field, own, node);
        });
      }
      const fields = reader.heap.read(value.object.fields);
      return template.fields.flatMap(([name, field]) => {
        const place = fields.get(name);
        return place === undefined ? [] : flatten(reader, field, reader.heap.read(place), node);
      });
    }
  }
}

function mismatch(): never {
  throw new Error("a value does not fit its template");
}

export function leafTypes(template: Template): readonly ValueType[] {
  switch (template.kind) {
    case "fixed":
    case "conflict":
      return [];
    case "scalar":
      return [scalarType(template.dtype)];
    case "integer":
      return [scalarType("i32")];
    case "tensor":
    case "array":
      return [template.type];
    case "list":
      return template.items.flatMap(leafTypes);
    case "table":
      return leafTypes(template.columns);
    case "record":
      return template.fields.flatMap(([, field]) => leafTypes(field));
  }
}

/** The thing that a template describes, from values taken in order. */
export function rebuild(
  reader: Reader,
  template: Template,
  values: Iterator<Value>,
  name: string,
  group?: Group,
): ReaderValue {
  const next = (): Value => {
    const { value, done } = values.next();
    if (done === true) throw new Error("a template has fewer values than leaves");
    const taken = value as Value;
    return rename(taken, name);
  };
  const making = group === undefined ? { name } : { name, group };
  const stand = <T extends { readonly object: { readonly shared: Shared } }>(
    made: T,
    from: From,
  ): T => {
    if (group !== undefined) joinGroup(group, made.object.shared, from);
    return made;
  };
  switch (template.kind) {
    case "fixed":
      return template.value;
    case "conflict":
      return { kind: "conflict", problem: template.problem };
    case "scalar":
      return scalar(next());
    case "integer":
      return { kind: "integer", value: next(), low: template.low, high: template.high };
    case "tensor":
      return { kind: "tensor", value: next() };
    case "array":
      return stand(newDense(reader, next(), template.array, making), template.from);
    case "list": {
      const items = template.items.map((item, k) =>
        rebuild(reader, item, values, `${name}[${k}]`, group),
      );
      return stand(newList(reader, items, making), template.from);
    }
    case "table": {
      const columns = rebuild(reader, template.columns, values, name, group);
      if (columns.kind !== "record" && columns.kind !== "array") return mismatch();
      return stand(newTable(reader, columns, template.length, making), template.from);
    }
    case "record": {
      const fields = template.fields.map(
        ([field, inner]) => [field, rebuild(reader, inner, values, field, group)] as const,
      );
      return stand(newRecord(reader, fields, making), template.from);
    }
  }
}

/** True where the second template adds nothing to the first. */
export function sameTemplate(a: Template, b: Template): boolean {
  if (a.kind !== b.kind) return false;
  switch (a.kind) {
    case "fixed":
      return b.kind === "fixed" && identical(a.value, b.value);
    case "conflict":
      return true;
    case "scalar":
      return b.kind === "scalar" && a.dtype === b.dtype;
    case "integer":
      return b.kind === "integer" && a.low === b.low && a.high === b.high;
    case "tensor":
    case "array":
      return b.kind === a.kind && sameType(a.type, b.type);
    case "list":
      return (
        b.kind === "list" &&
        a.items.length === b.items.length &&
        a.items.every((item, k) => sameTemplate(item, b.items[k] as Template))
      );
    case "table":
      return (
        b.kind === "table" && sameDim(a.length, b.length) && sameTemplate(a.columns, b.columns)
      );
    case "record":
      return (
        b.kind === "record" &&
        a.fields.length === b.fields.length &&
        a.fields.every(([name, field], k) => {
          const other = b.fields[k];
          return other !== undefined && other[0] === name && sameTemplate(field, other[1]);
        })
      );
  }
}

/** True when two things cannot be told apart. */
export function identical(a: ReaderValue, b: ReaderValue): boolean {
  if (a === b) return true;
  switch (a.kind) {
    case "static":
      return b.kind === "static" && Object.is(a.value, b.value);
    case "dim":
      return b.kind === "dim" && dimText(a.dim) === dimText(b.dim);
    case "integer":
    case "scalar":
    case "tensor":
      return b.kind === a.kind && b.value === a.value;
    case "array":
      return (
        b.kind === "array" &&
        b.object === a.object &&
        sameIndices(a.path, b.path) &&
        sameIndices(a.at?.indices ?? [], b.at?.indices ?? [])
      );
    case "record":
      return (
        b.kind === "record" &&
        b.object === a.object &&
        sameIndices(a.at?.indices ?? [], b.at?.indices ?? [])
      );
    case "function":
      return b.kind === "function" && b.declaration === a.declaration && b.scope === a.scope;
    case "unset":
    case "faulty":
      return b.kind === a.kind;
    case "native":
    case "conflict":
      return false;
  }
}

function sameIndices(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((index, k) => index === b[k]);
}

/** Numbers meet in the narrowest kind that holds both; a literal takes the type of the other. */
function joinNumbers(x: Template, y: Template): Template | undefined {
  const [a, b] = [numberKind(x), numberKind(y)];
  if (a === undefined || b === undefined) return undefined;
  if (a === "bool" || b === "bool") return a === b ? { kind: "scalar", dtype: "bool" } : undefined;
  if (x.kind === "scalar" && y.kind === "scalar" && x.dtype === y.dtype) {
    return { kind: "scalar", dtype: x.dtype };
  }
  for (const dtype of ["f32", "f16"] as const) {
    const meets = [x, y].some((side) => side.kind === "scalar" && side.dtype === dtype);
    if (meets) return { kind: "scalar", dtype };
  }
  const [r, s] = [rangeOfTemplate(x), rangeOfTemplate(y)];
  if (r !== undefined && s !== undefined) {
    return { kind: "integer", low: Math.min(r.low, s.low), high: Math.max(r.high, s.high) };
  }
  return { kind: "scalar", dtype: "f64" };
}

function numberKind(template: Template): "number" | "bool" | undefined {
  switch (template.kind) {
    case "integer":
      return "number";
    case "scalar":
      return template.dtype === "bool" ? "bool" : "number";
    case "fixed":
      if (isNumber(template.value)) return "number";
      return isBoolean(template.value) ? "bool" : undefined;
    default:
      return undefined;
  }
}

function rangeOfTemplate(
  template: Template,
): { readonly low: number; readonly high: number } | undefined {
  if (template.kind === "integer") return template;
  return template.kind === "fixed" ? rangeOf(template.value) : undefined;
}

/** A list of numbers, or of arrays of numbers of one shape, seen as an array, to meet one. */
export function listAsArray(list: Template & { readonly kind: "list" }): ArrayTemplate | undefined {
  const shapes = list.items.map(shapeOfNumbers);
  const [first = []] = shapes;
  if (!shapes.every((shape) => shape !== undefined && sameShape(shape, first))) return undefined;
  const type = arrayType("f64", [list.items.length, ...first]);
  return { kind: "array", type, array: { typed: false, element: "f64" }, from: list.from };
}

function shapeOfNumbers(template: Template): Shape | undefined {
  if (numberKind(template) === "number") return [];
  const array = template.kind === "list" ? listAsArray(template) : template;
  const isPlain = array?.kind === "array" && !array.array.typed && array.array.element === "f64";
  return isPlain ? array.type.shape : undefined;
}

export function templateText(template: Template): string {
  switch (template.kind) {
    case "fixed":
      return describe(template.value);
    case "scalar":
      return template.dtype === "bool" ? "a boolean" : "a number";
    case "integer":
      return "a number";
    case "tensor":
      return `a tensor of shape [${template.type.shape.map(dimText).join(", ")}]`;
    case "array":
      return `an array of ${template.type.shape.map(dimText).join(" by ")} elements`;
    case "list":
      return `an array of ${template.items.length} elements`;
    case "table":
      return `an array of ${dimText(template.length)} records`;
    case "record":
      return `a record of ${template.fields.map(([name]) => `\`${name}\``).join(", ")}`;
    case "conflict":
      return "a value that cannot be compiled";
  }
}
