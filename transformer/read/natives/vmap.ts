/** `vmap(f, { inAxes, outAxes })(…args)`: `f` over an axis of its arguments. */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { type Dim, dimText, sameDim } from "../../../compiler/ir/dim.ts";
import { arrayType, scalarType, type Value } from "../../../compiler/ir/types.ts";
import { isStaticInteger, toDtype } from "../numbers.ts";
import {
  entriesOf,
  itemsOf,
  newDense,
  newList,
  newRecord,
  numberFrom,
  readField,
  toDense,
} from "../objects.ts";
import type { Reader } from "../reader.ts";
import { leafTypes, type Template } from "../join.ts";
import {
  describe,
  isBoolean,
  isNumber,
  type NativeCall,
  type ReaderValue,
  undefinedValue,
} from "../values.ts";
import { functionArgument } from "./language.ts";
import { type Callable, liftBody } from "./lift.ts";
import { emitCall } from "./transforms.ts";

/** What `f` is given of an argument: how to make it, and the values that it is made from. */
interface Slice {
  readonly leaves: readonly { readonly value: Value; readonly batched: boolean }[];
  readonly make: (parameters: Iterator<Value>) => ReaderValue;
}

interface Size {
  dim: Dim | undefined;
}

export function vmapNative(reader: Reader, outer: NativeCall): ReaderValue {
  const f = functionArgument(reader, "vmap", outer.arguments[0], outer.node);
  const options = outer.arguments[1];
  const option = (inner: Reader, name: string): ReaderValue =>
    options?.kind === "record"
      ? (readField(inner, options, name, outer.node) ?? undefinedValue)
      : undefinedValue;
  return {
    kind: "native",
    name: `vmap(${f.name})`,
    call: (inner, call) =>
      batched(inner, f, call, option(inner, "inAxes"), option(inner, "outAxes")),
  };
}

function batched(
  reader: Reader,
  f: Callable,
  call: NativeCall,
  inAxes: ReaderValue,
  outAxes: ReaderValue,
): ReaderValue {
  const { node } = call;
  const size: Size = { dim: undefined };
  const slices = call.arguments.map((value, k) =>
    sliceOf(reader, value, axisFor(reader, inAxes, k, node), size, node),
  );
  if (size.dim === undefined) {
    return reader.fail(
      messages.wrongAxes(
        { transform: "vmap", sentence: "no argument has an axis to map over" },
        reader.span(node),
      ),
    );
  }
  const leaves = slices.flatMap((slice) => slice.leaves);
  const parameters = leaves.map(({ value, batched: isBatched }): Value => {
    const { dtype, shape } = value.type;
    return { type: arrayType(dtype, isBatched ? shape.slice(1) : shape), name: value.name };
  });
  const values = parameters.values();
  const makeArguments = (): readonly ReaderValue[] => slices.map((slice) => slice.make(values));
  const asNumbers: Callable = {
    kind: "native",
    name: f.name,
    call: (inner, inside) => numbersAsFloats(inner, f, inside),
  };
  const body = liftBody(reader, asNumbers, call, parameters, makeArguments, "vmap");
  const outputs = emitCall(
    reader,
    {
      kind: "vmap",
      of: body.callee,
      batched: [...leaves.map((leaf) => leaf.batched), ...body.captured.map(() => false)],
      size: size.dim,
    },
    [...leaves.map((leaf) => leaf.value), ...body.captured],
    body.results.map((type) => arrayType(type.dtype, [size.dim as Dim, ...type.shape])),
    node,
  );
  const out = isStaticInteger(outAxes) ? outAxes.value : 0;
  const results = outputs.values();
  return stacked(reader, body.template, results, out, node);
}

/** Known numbers and integers among the results become f64, to be elements of an array. */
function numbersAsFloats(reader: Reader, f: Callable, call: NativeCall): ReaderValue {
  const { node } = call;
  const result =
    f.kind === "function" ? reader.call(f, call.arguments, node) : f.call?.(reader, call);
  const visit = (value: ReaderValue): ReaderValue => {
    if (isNumber(value)) return { kind: "scalar", value: toDtype(reader, value, "f64", node) };
    if (value.kind === "static" && isBoolean(value)) {
      return { kind: "scalar", value: toDtype(reader, value, "bool", node) };
    }
    if (value.kind === "record") {
      return newRecord(
        reader,
        entriesOf(reader, value, node).map(([name, field]) => [name, visit(field)] as const),
      );
    }
    const items = value.kind === "array" ? itemsOf(reader, value, node) : undefined;
    return items === undefined ? value : newList(reader, items.map(visit));
  };
  return visit(result ?? undefinedValue);
}

function axisFor(
  reader: Reader,
  inAxes: ReaderValue,
  position: number,
  node: ts.Node,
): number | null {
  const items = inAxes.kind === "array" ? itemsOf(reader, inAxes, node) : undefined;
  const axis = items === undefined ? inAxes : (items[position] ?? undefinedValue);
  if (axis.kind === "static" && axis.value === undefined) return 0;
  if (axis.kind === "static" && axis.value === null) return null;
  if (isStaticInteger(axis)) return axis.value;
  return reader.needsStatic("`inAxes` of `vmap`", node);
}

function sliceOf(
  reader: Reader,
  value: ReaderValue,
  axis: number | null,
  size: Size,
  node: ts.Node,
): Slice {
  if (value.kind === "record") {
    const fields = entriesOf(reader, value, node).map(
      ([name, field]) => [name, sliceOf(reader, field, axis, size, node)] as const,
    );
    return {
      leaves: fields.flatMap(([, slice]) => slice.leaves),
      make: (parameters) =>
        newRecord(
          reader,
          fields.map(([name, slice]) => [name, slice.make(parameters)] as const),
        ),
    };
  }
  if (axis === null) return whole(value);
  if (value.kind === "tensor") {
    const moved = front(reader, value.value, axis, size, node);
    return {
      leaves: [{ value: moved, batched: true }],
      make: (parameters) => ({ kind: "tensor", value: parameters.next().value as Value }),
    };
  }
  if (value.kind === "array") {
    const dense = front(reader, toDense(reader, value, node), axis, size, node);
    const kind = { typed: value.object.typed, element: value.object.element };
    return {
      leaves: [{ value: dense, batched: true }],
      make: (parameters) => {
        const element = parameters.next().value as Value;
        if (element.type.shape.length === 0) return numberFrom(reader, element, node);
        return newDense(reader, element, kind);
      },
    };
  }
  return reader.fail(
    messages.wrongAxes(
      { transform: "vmap", sentence: `${describe(value)} has no axis ${axis}` },
      reader.span(node),
    ),
  );
}

/** An argument that all calls are given as it is. */
function whole(value: ReaderValue): Slice {
  const keep: Slice = { leaves: [], make: () => value };
  if (value.kind === "tensor") {
    return {
      leaves: [{ value: value.value, batched: false }],
      make: (parameters) => ({ kind: "tensor", value: parameters.next().value as Value }),
    };
  }
  // Everything else is captured by the body as it is read.
  return keep;
}

/** The mapped axis first; all mapped axes have one size. */
function front(reader: Reader, value: Value, axis: number, size: Size, node: ts.Node): Value {
  const { shape } = value.type;
  const k = axis < 0 ? axis + shape.length : axis;
  const dim = shape[k];
  const fail = (sentence: string): never =>
    reader.fail(messages.wrongAxes({ transform: "vmap", sentence }, reader.span(node)));
  if (dim === undefined) return fail(`an argument of ${shape.length} axes has no axis ${axis}`);
  if (size.dim === undefined) size.dim = dim;
  else if (!sameDim(size.dim, dim)) {
    return fail(`the mapped axes have ${dimText(size.dim)} and ${dimText(dim)} elements`);
  }
  const rest = shape.flatMap((_, other) => (other === k ? [] : [other]));
  return reader.at(node).transpose(value, [k, ...rest]);
}

function stacked(
  reader: Reader,
  template: Template,
  outputs: Iterator<Value>,
  axis: number,
  node: ts.Node,
): ReaderValue {
  switch (template.kind) {
    case "record":
      return newRecord(
        reader,
        template.fields.map(
          ([name, field]) => [name, stacked(reader, field, outputs, axis, node)] as const,
        ),
      );
    case "list":
      return newList(
        reader,
        template.items.map((item) => stacked(reader, item, outputs, axis, node)),
      );
    case "fixed":
    case "conflict":
      return template.value ?? undefinedValue;
    default: {
      const value = outputs.next().value as Value;
      const [type = scalarType("f64")] = leafTypes(template);
      const rank = type.shape.length;
      const to = axis < 0 ? axis + rank + 1 : axis;
      const order = Array.from({ length: rank + 1 }, (_, k) => (k === to ? 0 : k < to ? k + 1 : k));
      const moved = reader.at(node).transpose(value, order);
      if (template.kind === "tensor") return { kind: "tensor", value: moved };
      if (template.kind === "array") return newDense(reader, moved, template.array);
      const element = type.dtype === "bool" ? "u8" : type.dtype;
      const numbers = reader.at(node).cast(moved, element);
      return newDense(reader, numbers, { typed: true, element });
    }
  }
}
