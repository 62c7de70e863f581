/**
 * Products of a Jacobian with many directions, `jvps` and `vjps`, and the programs that patterns and
 * sparse matrices are made with.
 */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { type Dim, elementCount } from "../../../compiler/ir/dim.ts";
import { isFloat, type Value, type ValueType } from "../../../compiler/ir/types.ts";
import { maskType } from "../../../compiler/ops/support/masks.ts";
import { flatten, leafTypes, type Template, templateOf } from "../join.ts";
import { itemsOf, newDense, newList } from "../objects.ts";
import type { Reader } from "../reader.ts";
import {
  describe,
  fixed,
  type NativeCall,
  type NativeValue,
  type ReaderValue,
  undefinedValue,
} from "../values.ts";
import { functionArgument } from "./language.ts";
import { type Callable, lift } from "./lift.ts";
import { argumentOf, emitCall, gradient, pushForward, reverse } from "./transforms.ts";
import { batched } from "./vmap.ts";

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
  const { node } = call;
  const one = native(f.name, (inner, { arguments: [direction = undefinedValue, ...args] }) => {
    const inside = { ...call, arguments: args };
    if (transform === "jvps") {
      return pushForward(inner, lift(inner, f, inside, [position], "jvps"), [direction], node)[1];
    }
    const pair = reverse(inner, "vjps", f, inside, [position]);
    const items = pair.kind === "array" ? itemsOf(inner, pair, node) : undefined;
    const pullback = items?.[1] as NativeValue;
    const gradients = pullback.call?.(inner, { ...call, arguments: [direction] });
    const [only] = gradients?.kind === "array" ? (itemsOf(inner, gradients, node) ?? []) : [];
    return only ?? undefinedValue;
  });
  const axes = [fixed(0), ...call.arguments.map(() => fixed(null))];
  const mapped = { ...call, arguments: [directions, ...call.arguments] };
  // Operations on tensors take all directions at once; loops over numbers, one after the other.
  const inTurn = !call.arguments.some(({ kind }) => kind === "tensor");
  return batched(reader, one as Callable, mapped, newList(reader, axes), undefinedValue, inTurn);
}

/** The function whose Jacobian a sparse root is about. */
export function sparseSubject(reader: Reader, root: string, outer: NativeCall): Callable {
  const f = functionArgument(reader, root, outer.arguments[0], outer.node);
  if (!root.startsWith("hessian") && root !== "sparseHessian") return f;
  return functionArgument(reader, root, gradient(reader, "grad", outer), outer.node);
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
  const given = products(reader, transform, f, position, rows, call);
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
    value === undefined ? `a ${kind}` : describe(value);
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
