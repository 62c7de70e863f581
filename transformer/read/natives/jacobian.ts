/**
 * Jacobians: the derivative along every basis vector at once. Rows are outputs, columns inputs; for
 * records and tuples each pair of an output and an input has a Jacobian of its own.
 */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { elementCount } from "../../../compiler/ir/dim.ts";
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
  const table = transform === "jacfwd" ? columns(reader, lifted, node) : rows(reader, lifted, node);
  let row = 0;
  return overLeaves(reader, lifted.template, (output) => {
    const parts = table[row++] ?? [];
    let column = 0;
    return overLeaves(reader, input, (leaf) => thing(reader, parts[column++], output, leaf));
  });
}

/** `table[output][input]`, each of shape `[…out, …in]`: forward, a basis of each input at a time. */
function columns(reader: Reader, lifted: Lifted, node: ts.Node): readonly (readonly Value[])[] {
  const active = lifted.inputs.filter((_, k) => lifted.active[k] === true);
  const table: Value[][] = lifted.results.map(() => []);
  for (const [j, input] of active.entries()) {
    const { shape, dtype } = input.type;
    const size = elementCount(shape);
    const directions = active.map((other, k) => {
      if (k !== j) return reader.at(node).zerosOf(other.type);
      return basis(reader, shape, dtype, node);
    });
    const outputs = emitCall(
      reader,
      {
        kind: "vmap",
        of: { kind: "jvp", of: lifted.callee, active: lifted.active },
        batched: [...lifted.inputs.map(() => false), ...active.map((_, k) => k === j)],
        size,
      },
      [...lifted.inputs, ...directions],
      [...lifted.results, ...lifted.results].map((type) => batchedType(type, size)),
      node,
    );
    for (const [i, type] of lifted.results.entries()) {
      const tangents = outputs[lifted.results.length + i] as Value;
      const split = reader.at(node).reshape(tangents, [...shape, ...type.shape]);
      const ins = shape.map((_, axis) => axis);
      const outs = type.shape.map((_, axis) => shape.length + axis);
      table[i]?.push(reader.at(node).transpose(split, [...outs, ...ins]));
    }
  }
  return table;
}

/** The same in reverse, a basis of each output at a time. */
function rows(reader: Reader, lifted: Lifted, node: ts.Node): readonly (readonly Value[])[] {
  const active = lifted.inputs.filter((_, k) => lifted.active[k] === true);
  return lifted.results.map((result, i) => {
    const size = elementCount(result.shape);
    const cotangents = lifted.results.map((other, k) => {
      if (k !== i) return reader.at(node).zerosOf(other);
      return basis(reader, result.shape, result.dtype, node);
    });
    const outputs = emitCall(
      reader,
      {
        kind: "vmap",
        of: { kind: "vjp", of: lifted.callee, active: lifted.active },
        batched: [...lifted.inputs.map(() => false), ...cotangents.map((_, k) => k === i)],
        size,
      },
      [...lifted.inputs, ...cotangents],
      [...lifted.results, ...active.map(({ type }) => type)].map((type) => batchedType(type, size)),
      node,
    );
    return active.map(({ type }, j) => {
      const gradient = outputs[lifted.results.length + j] as Value;
      return reader.at(node).reshape(gradient, [...result.shape, ...type.shape]);
    });
  });
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
