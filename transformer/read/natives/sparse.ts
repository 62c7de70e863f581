/**
 * Products of a Jacobian with many directions, `jvps` and `vjps`, and the programs that patterns and
 * sparse matrices are made with.
 */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Callee } from "../../../compiler/autodiff/callee.ts";
import { type Dim, elementCount } from "../../../compiler/ir/dim.ts";
import {
  arrayType,
  isFloat,
  scalarType,
  type Value,
  type ValueType,
} from "../../../compiler/ir/types.ts";
import type { Tree } from "../../../runtime/manifest.ts";
import { maskType } from "../../../compiler/ops/support/masks.ts";
import { invoke } from "../expressions/calls.ts";
import { flatten, leafTypes, type Template, templateOf } from "../join.ts";
import { itemsOf, newDense, newList, newRecord, toDense } from "../objects.ts";
import type { Reader } from "../reader.ts";
import {
  describe,
  isNumber,
  type NativeCall,
  type NativeValue,
  type ReaderValue,
  undefinedValue,
} from "../values.ts";
import { functionArgument } from "./language.ts";
import { type Callable, type Lifted, lift } from "./lift.ts";
import { argumentOf, emitCall, gradient, leavesLike, sized } from "./transforms.ts";

/** What a sparse root is read as: a program of directions (or masks) and the arguments. */
export type SparseProgram = "masks" | "forward" | "reverse";

function native(name: string, call: NonNullable<NativeValue["call"]>): NativeValue {
  return { kind: "native", name, call };
}

/** Patterns and sparse matrices live on the host. */
export function onlyOutside(name: string): NativeValue {
  return native(name, refuseInside(name));
}

function refuseInside(name: string): NonNullable<NativeValue["call"]> {
  return (reader, { node }) => {
    const what = `\`${name}\` inside compiled code`;
    const wayOut = "call it outside of what is compiled, or use `jvps` and `vjps` here";
    return reader.fail(messages.notYetSupported({ what, wayOut }, reader.span(node)));
  };
}

/** `jvps(f)(directions, …args)` and `vjps(f)(directions, …args)`, as readable functions. */
export function directional(
  reader: Reader,
  transform: "jvps" | "vjps",
  outer: NativeCall,
): ReaderValue {
  const f = functionArgument(reader, transform, outer.arguments[0], outer.node);
  return native(`${transform}(${f.name})`, (inner, call) => {
    const [directions = undefinedValue, ...args] = call.arguments;
    const position = argumentOf(inner, transform, f, outer, { ...call, arguments: args });
    return products(inner, transform, f, position, directions, { ...call, arguments: args });
  });
}

/** The derivative along each of many directions: `jvp` or a pullback, mapped over them. */
function products(
  reader: Reader,
  transform: "jvps" | "vjps",
  f: Callable,
  position: number,
  directions: ReaderValue,
  call: NativeCall,
): ReaderValue {
  const lifted = lift(reader, f, call, [position], transform);
  return productsOf(reader, transform, lifted, directions, call);
}

function productsOf(
  reader: Reader,
  transform: "jvps" | "vjps",
  lifted: Lifted,
  directions: ReaderValue,
  call: NativeCall,
): ReaderValue {
  const { node } = call;
  const { inputs, results, active } = lifted;
  const isForward = transform === "jvps";
  const [input] = lifted.differentiated as [Template];
  const [given, wanted] = isForward ? [input, lifted.template] : [lifted.template, input];
  const rows = directionRows(reader, transform, given, directions, node);
  const [first] = rows;
  const size = first?.type.shape[0];
  if (first === undefined || size === undefined) {
    const what = describe(directions);
    const wrong = { callee: transform, what, position: 1 };
    return reader.fail(messages.wrongArgument(wrong, reader.span(node)));
  }
  const batched = (type: ValueType): ValueType => arrayType(type.dtype, [size, ...type.shape]);
  const along: Callee = { kind: isForward ? "jvp" : "vjp", of: lifted.callee, active };
  const gained = isForward
    ? results.filter((type) => isFloat(type.dtype))
    : inputs.filter((_, k) => active[k]).map(({ type }) => type);
  const outputs = emitCall(
    reader,
    {
      kind: "vmap",
      of: along,
      batched: [...inputs.map(() => false), ...rows.map(() => true)],
      size,
      // Operations on tensors take all directions at once; loops over numbers, one after the other.
      inTurn: !call.arguments.some(({ kind }) => kind === "tensor"),
    },
    [...inputs, ...rows],
    [...results, ...gained].map(batched),
    node,
  );
  const values = outputs.slice(results.length).values();
  return rowsOf(reader, wanted, size, () => values.next().value as Value, node);
}

/** The floating-point leaves of directions: those of a template, with an axis more. */
function directionRows(
  reader: Reader,
  transform: string,
  template: Template,
  directions: ReaderValue,
  node: ts.Node,
): readonly Value[] {
  const wanted = leafTypes(template);
  const leaves = leavesLike(reader, withRows(template), directions, [transform, 1], node);
  const rows = leaves.filter((_, k) => isFloat((wanted[k] as ValueType).dtype));
  const types = wanted.filter(({ dtype }) => isFloat(dtype));
  return rows.map((row, k) => {
    const { dtype, shape } = types[k] as ValueType;
    const [size] = (rows[0] as Value).type.shape as readonly [Dim];
    return sized(reader, row, arrayType(dtype, [size, ...shape]), [transform, 1], node);
  });
}

/** The template of many things: an axis more for each array, an array for each number. */
function withRows(template: Template): Template {
  switch (template.kind) {
    case "list":
      return { ...template, value: undefined, items: template.items.map(withRows) };
    case "record":
      return {
        ...template,
        value: undefined,
        fields: template.fields.map(([name, field]) => [name, withRows(field)] as const),
      };
    case "scalar":
    case "integer": {
      const element = template.kind === "scalar" ? template.dtype : "i32";
      const array = { typed: true, element };
      return {
        kind: "array",
        type: arrayType(element, [0]),
        array,
        from: { sides: [], origins: [] },
      };
    }
    default:
      return template;
  }
}

/** Many things of the kind of a template, from their floating-point leaves in order. */
function rowsOf(
  reader: Reader,
  template: Template,
  size: Dim,
  next: () => Value,
  node: ts.Node,
): ReaderValue {
  // What is not floating point does not change, nor does what is known.
  const leaf = ({ dtype, shape }: ValueType): Value =>
    isFloat(dtype) ? next() : reader.at(node).zerosOf(arrayType(dtype, [size, ...shape]));
  switch (template.kind) {
    case "list":
      return newList(
        reader,
        template.items.map((item) => rowsOf(reader, item, size, next, node)),
      );
    case "record":
      return newRecord(
        reader,
        template.fields.map(
          ([name, field]) => [name, rowsOf(reader, field, size, next, node)] as const,
        ),
      );
    case "tensor":
      return { kind: "tensor", value: leaf(template.type) };
    case "array":
      return newDense(reader, leaf(template.type), template.array);
    case "scalar":
    case "integer": {
      const element = template.kind === "scalar" ? template.dtype : "i32";
      return newDense(reader, leaf(scalarType(element)), { typed: true, element });
    }
    case "table": {
      const what = "a product with directions of an array of records";
      const wayOut = "pass its fields as arrays";
      return reader.fail(messages.notYetSupported({ what, wayOut }, reader.span(node)));
    }
    case "fixed": {
      if (!isNumber(template.value)) return template.value;
      const zeros = reader.at(node).zerosOf(arrayType("f64", [size]));
      return newDense(reader, zeros, { typed: true, element: "f64" });
    }
    case "conflict":
      return { kind: "conflict", problem: template.problem };
  }
}

/** The function whose Jacobian a sparse root is about. A list of numbers that it returns is an array. */
export function sparseSubject(reader: Reader, root: string, outer: NativeCall): Callable {
  const f = functionArgument(reader, root, outer.arguments[0], outer.node);
  if (root === "hessianSparsity" || root === "sparseHessian") {
    return functionArgument(reader, root, gradient(reader, "grad", outer), outer.node);
  }
  const whole: NonNullable<NativeValue["call"]> = (inner, call) => {
    const result = invoke(inner, f, call);
    const items = result.kind === "array" ? itemsOf(inner, result, call.node) : undefined;
    if (result.kind !== "array" || items?.every(isNumber) !== true) return result;
    return newDense(inner, toDense(inner, result, call.node), { typed: false, element: "f64" });
  };
  return { kind: "native", name: f.name, call: whole };
}

/** How many elements a side of a Jacobian has, as the host sees it. */
export function sizeOfTree(tree: Tree): Dim {
  if (tree.kind === "leaf") return elementCount(tree.shape);
  return tree.kind === "tuple" ? tree.items.length : 0;
}

/** The element count of the one array that a side of a Jacobian is. */
export function arraySize(types: readonly ValueType[]): Dim | undefined {
  const [type, ...others] = types;
  if (type === undefined || others.length > 0 || !isFloat(type.dtype)) return undefined;
  return elementCount(type.shape);
}

/**
 * The body of a sparse program. `directions` are `[n]` masks for "masks", and `[k, n]` doubles
 * else; the result is the masks of all elements, or the products one after the other.
 */
export function sparseProgram(
  reader: Reader,
  kind: SparseProgram,
  root: string,
  f: Callable,
  position: number,
  directions: Value,
  call: NativeCall,
): ReaderValue {
  const { node } = call;
  if (kind === "masks") return masks(reader, root, f, position, directions, call);
  const lifted = lift(reader, f, call, [position], root);
  const template = kind === "forward" ? (lifted.templates[position] as Template) : lifted.template;
  checkArrays(reader, root, f, lifted.templates[position] as Template, lifted.template, node);
  const transform = kind === "forward" ? "jvps" : "vjps";
  const rows = rowsLike(reader, template, directions, node);
  const given = productsOf(reader, transform, lifted, rows, call);
  const [leaf] = flatten(reader, templateOf(reader, given), given, node) as [Value];
  const builder = reader.at(node);
  const flat = builder.reshape(builder.cast(leaf, "f64"), [elementCount(leaf.type.shape)]);
  return newDense(reader, flat, { typed: true, element: "f64" });
}

/** The masks of the result. */
function masks(
  reader: Reader,
  root: string,
  f: Callable,
  position: number,
  seeds: Value,
  call: NativeCall,
): ReaderValue {
  const { node } = call;
  const lifted = lift(reader, f, call, [position], root);
  checkArrays(reader, root, f, lifted.templates[position] as Template, lifted.template, node);
  const [input] = lifted.inputs.filter((_, k) => lifted.active[k] === true) as [Value];
  const [result] = lifted.results as [ValueType];
  const builder = reader.at(node);
  const touched = lifted.active.map(() => false);
  const outputs = emitCall(
    reader,
    { kind: "dependence", of: lifted.callee, active: lifted.active, touched },
    [...lifted.inputs, builder.reshape(seeds, input.type.shape)],
    [result, maskType(result)],
    node,
  );
  const flat = builder.reshape(outputs[1] as Value, [elementCount(result.shape)]);
  return newDense(reader, flat, { typed: true, element: "i32" });
}

/** A sparse matrix has the elements of one array as columns and those of another as rows. */
function checkArrays(
  reader: Reader,
  root: string,
  f: Callable,
  input: Template,
  output: Template,
  node: ts.Node,
): void {
  const refuse = (what: string): never =>
    reader.fail(messages.notOneArray({ transform: root, name: f.name, what }, reader.span(node)));
  const said = ({ value, kind }: Template): string =>
    kind === "list" || value === undefined ? `a ${kind}` : describe(value);
  if (!isOneArray(input)) refuse(`is asked for the derivative by ${said(input)}`);
  if (!isOneArray(output)) refuse(`returns ${said(output)}`);
}

function isOneArray(template: Template): boolean {
  const isWhole = ["array", "tensor", "scalar"].includes(template.kind);
  return isWhole && arraySize(leafTypes(template)) !== undefined;
}

/** Rows of numbers, `[k, n]`, as an array of things of the kind of a template. */
function rowsLike(reader: Reader, template: Template, rows: Value, node: ts.Node): ReaderValue {
  const [type] = leafTypes(template) as [ValueType];
  const builder = reader.at(node);
  const [count] = rows.type.shape as readonly [Dim, Dim];
  const value = builder.reshape(builder.cast(rows, type.dtype), [count, ...type.shape]);
  if (template.kind === "tensor") return { kind: "tensor", value };
  if (template.kind === "array") return newDense(reader, value, template.array);
  return newDense(reader, value, { typed: true, element: type.dtype });
}
