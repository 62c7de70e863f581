/**
 * Jacobians: the derivative along every basis vector at once. Rows are outputs, columns inputs; for
 * records and tuples each pair of an output and an input has a Jacobian of its own.
 */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { elementCount } from "../../../compiler/ir/dim.ts";
import type { Callee } from "../../../compiler/autodiff/callee.ts";
import {
  arrayType,
  type DType,
  isFloat,
  type Shape,
  type Value,
  type ValueType,
} from "../../../compiler/ir/types.ts";
import { leafTypes, type Template } from "../join.ts";
import { newDense, newList, newRecord } from "../objects.ts";
import type { Reader } from "../reader.ts";
import { describe, type ReaderValue, scalar, fixed } from "../values.ts";
import type { Lifted } from "./lift.ts";
import { emitCall } from "./transforms.ts";

export function jacobian(
  reader: Reader,
  transform: "jacfwd" | "jacrev",
  lifted: Lifted,
  position: number,
  node: ts.Node,
): ReaderValue {
  const wrong = lifted.results.find((type) => !isFloat(type.dtype));
  if (wrong !== undefined || lifted.results.length === 0) {
    return reader.fail(
      messages.notScalar(
        { transform, name: calleeName(lifted), what: describe(lifted.result) },
        reader.span(node),
      ),
    );
  }
  const input = lifted.templates[position] as Template;
  if ([input, lifted.template].some(holdsRecords)) {
    const what = "a Jacobian of an array of records";
    const wayOut = "pass its fields as arrays";
    return reader.fail(messages.notYetSupported({ what, wayOut }, reader.span(node)));
  }
  const table = transform === "jacfwd" ? columns(reader, lifted, node) : rows(reader, lifted, node);
  let row = 0;
  return overLeaves(reader, lifted.template, (output) => {
    const parts = table[row++] ?? [];
    let column = 0;
    return overLeaves(reader, input, (leaf) => thing(reader, parts[column++], output, leaf));
  });
}

/** True where some part is an array of records. */
function holdsRecords(template: Template): boolean {
  switch (template.kind) {
    case "table":
      return true;
    case "list":
      return template.items.some(holdsRecords);
    case "record":
      return template.fields.some(([, field]) => holdsRecords(field));
    default:
      return false;
  }
}

/** `table[output][input]`, each of shape `[…out, …in]`: forward, a basis of each input at a time. */
function columns(reader: Reader, lifted: Lifted, node: ts.Node): readonly (readonly Value[])[] {
  const { inputs, results } = lifted;
  const table: Value[][] = results.map(() => []);
  for (const [k, { type }] of inputs.entries()) {
    if (lifted.active[k] !== true) continue;
    const active = lifted.active.map((_, n) => n === k);
    const along: Callee = { kind: "jvp", of: lifted.callee, active };
    const given = [...inputs, undefined];
    const outputs = alongBasis(reader, along, given, type, [...results, ...results], node);
    for (const [i, result] of results.entries()) {
      const tangents = outputs[results.length + i] as Value;
      const split = reader.at(node).reshape(tangents, [...type.shape, ...result.shape]);
      const ins = type.shape.map((_, axis) => axis);
      const outs = result.shape.map((_, axis) => type.shape.length + axis);
      table[i]?.push(reader.at(node).transpose(split, [...outs, ...ins]));
    }
  }
  return table;
}

/** The same in reverse, a basis of each output at a time. */
function rows(reader: Reader, lifted: Lifted, node: ts.Node): readonly (readonly Value[])[] {
  const { inputs, results } = lifted;
  const active = inputs.filter((_, k) => lifted.active[k] === true).map(({ type }) => type);
  const back: Callee = { kind: "vjp", of: lifted.callee, active: lifted.active };
  return results.map((result, i) => {
    const cotangents = results.map((other, k) =>
      k === i ? undefined : reader.at(node).zerosOf(other),
    );
    const given = [...inputs, ...cotangents];
    const outputs = alongBasis(reader, back, given, result, [...results, ...active], node);
    return active.map((type, j) => {
      const gradient = outputs[results.length + j] as Value;
      return reader.at(node).reshape(gradient, [...result.shape, ...type.shape]);
    });
  });
}

/**
 * A call with each unit vector of a type where an input is undefined. Its results are of shape
 * `[n, …]`; for a number, which has one direction, as they are.
 */
function alongBasis(
  reader: Reader,
  of: Callee,
  inputs: readonly (Value | undefined)[],
  { shape, dtype }: ValueType,
  results: readonly ValueType[],
  node: ts.Node,
): readonly Value[] {
  const isNumber = shape.length === 0;
  const unit = isNumber ? reader.at(node).constant(1, dtype) : basis(reader, shape, dtype, node);
  const all = inputs.map((input) => input ?? unit);
  if (isNumber) return emitCall(reader, of, all, results, node);
  const size = elementCount(shape);
  const batched = inputs.map((input) => input === undefined);
  const types = results.map((type) => batchedType(type, size));
  return emitCall(reader, { kind: "vmap", of, batched, size }, all, types, node);
}

/** The unit vectors of a shape, one a row: `[n, …shape]`. */
function basis(reader: Reader, shape: Shape, dtype: DType, node: ts.Node): Value {
  const builder = reader.at(node);
  const n = elementCount(shape);
  const [row, column] = [builder.iota([n, n], 0), builder.iota([n, n], 1)];
  const unit = builder.cast(builder.binary("eq", row, column), dtype);
  return builder.reshape(unit, [n, ...shape]);
}

function batchedType(type: ValueType, size: ReturnType<typeof elementCount>): ValueType {
  return arrayType(type.dtype, [size, ...type.shape]);
}

/** A thing of the structure of a template, with `make` of each of its leaves. */
function overLeaves(
  reader: Reader,
  template: Template,
  make: (leaf: Template) => ReaderValue,
): ReaderValue {
  switch (template.kind) {
    case "list":
      return newList(
        reader,
        template.items.map((item) => overLeaves(reader, item, make)),
      );
    case "record":
      return newRecord(
        reader,
        template.fields.map(([name, field]) => [name, overLeaves(reader, field, make)] as const),
      );
    default:
      return leafTypes(template).length === 0 ? fixed(0) : make(template);
  }
}

/** A Jacobian as what its output and input are: numbers, arrays of rows, or a tensor. */
function thing(
  reader: Reader,
  value: Value | undefined,
  output: Template,
  input: Template,
): ReaderValue {
  if (value === undefined) throw new Error("the Jacobian has fewer parts than leaves");
  if (output.kind === "tensor" || input.kind === "tensor") return { kind: "tensor", value };
  if (input.kind === "array") return newDense(reader, value, input.array);
  if (output.kind === "array") return newDense(reader, value, output.array);
  return scalar(value);
}

function calleeName(lifted: Lifted): string {
  return lifted.callee.kind === "function" ? lifted.callee.name : "the function";
}
