/**
 * The roots inside compiled code: `grad`, `vjp`, `vmap`, … A function that is transformed becomes a
 * function of the graph, with what it captures as trailing parameters, and a `call` says how.
 */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { type Callee, encodeCallee } from "../../../compiler/autodiff/callee.ts";
import { isFloat, type Value } from "../../../compiler/ir/types.ts";
import { flatten, leafTypes, rebuild, type Template, templateOf } from "../join.ts";
import { isStaticInteger, toFloat } from "../numbers.ts";
import { ofType } from "../lengths.ts";
import { itemsOf, newList, readField } from "../objects.ts";
import type { Reader } from "../reader.ts";
import {
  describe,
  fixed,
  isNumber,
  type NativeCall,
  type NativeValue,
  type ReaderValue,
  scalar,
  undefinedValue,
} from "../values.ts";
import { functionArgument } from "./language.ts";
import { customNatives } from "./custom.ts";
import { type Callable, type Lifted, lift } from "./lift.ts";
import { jacobian } from "./jacobian.ts";
import { directional, onlyOutside } from "./sparse.ts";
import { vmapNative } from "./vmap.ts";

export const transforms: Readonly<Record<string, NativeValue>> = {
  compile: native("compile", (reader, call) =>
    functionArgument(reader, "compile", call.arguments[0], call.node),
  ),
  grad: native("grad", (reader, call) => gradient(reader, "grad", call)),
  valueAndGrad: native("valueAndGrad", (reader, call) => gradient(reader, "valueAndGrad", call)),
  jvp: native("jvp", forward),
  vjp: native("vjp", reverse),
  linearize: native("linearize", linearize),
  hvp: native("hvp", hessianVector),
  jacfwd: native("jacfwd", (reader, call) => jacobianOf(reader, "jacfwd", call)),
  jacrev: native("jacrev", (reader, call) => jacobianOf(reader, "jacrev", call)),
  hessian: native("hessian", hessian),
  jvps: native("jvps", (reader, call) => directional(reader, "jvps", call)),
  vjps: native("vjps", (reader, call) => directional(reader, "vjps", call)),
  sparsity: onlyOutside("sparsity"),
  hessianSparsity: onlyOutside("hessianSparsity"),
  sparseJacobian: onlyOutside("sparseJacobian"),
  sparseJacfwd: onlyOutside("sparseJacfwd"),
  sparseJacrev: onlyOutside("sparseJacrev"),
  sparseHessian: onlyOutside("sparseHessian"),
  vmap: native("vmap", vmapNative),
  stopGradient: native("stopGradient", stopGradient),
  ...customNatives,
};

function native(name: string, call: NonNullable<NativeValue["call"]>): NativeValue {
  return { kind: "native", name, call };
}

/** Options of a transform, where they are known. */
function option(reader: Reader, call: NativeCall, name: string): ReaderValue {
  const options = call.arguments[1];
  if (options?.kind !== "record") return undefinedValue;
  return readField(reader, options, name, call.node) ?? undefinedValue;
}

/** The one argument to differentiate, of a transform that takes one. */
export function argumentOf(
  reader: Reader,
  transform: string,
  f: Callable,
  outer: NativeCall,
  call: NativeCall,
): number {
  const argnums = argnumsOf(reader, transform, outer);
  checkArgnums(reader, transform, nameOf(f), argnums, call);
  return argnums.positions[0] ?? 0;
}

interface Argnums {
  readonly positions: readonly number[];
  /** A single position: the gradient is not a tuple. */
  readonly single: boolean;
}

function argnumsOf(reader: Reader, transform: string, call: NativeCall): Argnums {
  const value = option(reader, call, "argnums");
  if (value.kind === "static" && value.value === undefined) return { positions: [0], single: true };
  if (isStaticInteger(value)) return { positions: [value.value], single: true };
  const items = value.kind === "array" ? itemsOf(reader, value, call.node) : undefined;
  if (items?.every(isStaticInteger) === true) {
    return { positions: items.map((item) => item.value), single: false };
  }
  return reader.needsStatic(`\`argnums\` of \`${transform}\``, call.node);
}

/**
 * `grad(f)(…args)` and `valueAndGrad(f)(…args)`: the pullback of 1.
 */
export function gradient(
  reader: Reader,
  transform: "grad" | "valueAndGrad",
  outer: NativeCall,
): ReaderValue {
  const f = functionArgument(reader, transform, outer.arguments[0], outer.node);
  const argnums = argnumsOf(reader, transform, outer);
  const aux = option(reader, outer, "hasAux");
  const hasAux = aux.kind === "static" && aux.value === true;
  return native(`${transform}(${nameOf(f)})`, (inner, call) => {
    const { node } = call;
    checkArgnums(inner, transform, nameOf(f), argnums, call);
    const lifted = lift(inner, f, call, argnums.positions, transform, (result) =>
      withFloat(inner, result, hasAux, node),
    );
    const [first] = lifted.results;
    const scalarAt = hasAux ? listTemplates(lifted.template)?.[0] : lifted.template;
    const isScalar =
      scalarAt !== undefined &&
      leafTypes(scalarAt).length === 1 &&
      first !== undefined &&
      first.shape.length === 0 &&
      isFloat(first.dtype);
    if (!isScalar) {
      return inner.fail(
        messages.notScalar(
          { transform, name: nameOf(f), what: describe(lifted.result) },
          inner.span(node),
        ),
      );
    }
    const cotangents = lifted.results
      .filter((type) => isFloat(type.dtype))
      .map((type, k) => {
        const builder = inner.at(node);
        return k === 0 ? builder.constant(1, type.dtype) : builder.zerosOf(type);
      });
    const outputs = callVjp(inner, lifted, cotangents, node);
    const value = restore(inner, lifted.template, outputs.slice(0, lifted.results.length));
    const gradients = gradientsOf(inner, lifted, outputs.slice(lifted.results.length));
    const grads = argnums.single ? (gradients[0] ?? undefinedValue) : newList(inner, gradients);
    if (transform === "valueAndGrad") return newList(inner, [value, grads]);
    if (!hasAux) return grads;
    const items = value.kind === "array" ? itemsOf(inner, value, node) : undefined;
    return newList(inner, [grads, items?.[1] ?? undefinedValue]);
  });
}

/** A result that is a known number, or an integer, as a number like any other. */
function withFloat(
  reader: Reader,
  result: ReaderValue,
  hasAux: boolean,
  node: ts.Node,
): ReaderValue {
  if (hasAux) {
    const items = result.kind === "array" ? itemsOf(reader, result, node) : undefined;
    const [value, ...aux] = items ?? [];
    return value === undefined
      ? result
      : newList(reader, [withFloat(reader, value, false, node), ...aux]);
  }
  const isPlain = result.kind !== "scalar" && isNumber(result);
  return isPlain ? scalar(toFloat(reader, result, node)) : result;
}

/** `jvp(f, primals, tangents)` is `[y, dy]`. */
function forward(reader: Reader, call: NativeCall): ReaderValue {
  const { node } = call;
  const f = functionArgument(reader, "jvp", call.arguments[0], node);
  const primals = tupleOf(reader, "jvp", call.arguments[1], node, 2);
  const tangents = tupleOf(reader, "jvp", call.arguments[2], node, 3);
  const lifted = lift(reader, f, { ...call, arguments: primals }, all(primals), "jvp");
  const results = pushForward(reader, "jvp", lifted, tangents, node);
  return newList(reader, results);
}

/** Who asks for a tangent, and which of its arguments the direction is. */
type PushForward = keyof typeof directionAt;
const directionAt = { jvp: 3, hvp: 2, "the pushforward": 1 } as const;

/** The value, and the tangent of the result along tangents of the arguments. */
export function pushForward(
  reader: Reader,
  transform: PushForward,
  lifted: Lifted,
  tangents: readonly ReaderValue[],
  node: ts.Node,
): readonly [ReaderValue, ReaderValue] {
  const directions = tangentLeaves(reader, transform, lifted, tangents, node);
  const outputs = emitCall(
    reader,
    { kind: "jvp", of: lifted.callee, active: lifted.active },
    [...lifted.inputs, ...directions],
    [...lifted.results, ...lifted.results.filter((type) => isFloat(type.dtype))],
    node,
  );
  const value = restore(reader, lifted.template, outputs.slice(0, lifted.results.length));
  const change = restoreTangent(reader, lifted, outputs.slice(lifted.results.length), node);
  return [value, change];
}

/** `vjp(f, …primals)` is `[y, pullback]`. */
function reverse(reader: Reader, call: NativeCall): ReaderValue {
  const { node } = call;
  const f = functionArgument(reader, "vjp", call.arguments[0], node);
  const primals = call.arguments.slice(1);
  const lifted = lift(reader, f, { ...call, arguments: primals }, all(primals), "vjp");
  const value = restore(reader, lifted.template, emitPlain(reader, lifted, node));
  const pullback = native("pullback", (inner, { arguments: [w = undefinedValue], node: at }) => {
    const cotangents = cotangentLeaves(inner, lifted, w, at);
    const outputs = callVjp(inner, lifted, cotangents, at);
    return newList(inner, gradientsOf(inner, lifted, outputs.slice(lifted.results.length)));
  });
  return newList(reader, [value, pullback]);
}

function linearize(reader: Reader, call: NativeCall): ReaderValue {
  const { node } = call;
  const f = functionArgument(reader, "linearize", call.arguments[0], node);
  const primals = call.arguments.slice(1);
  const lifted = lift(reader, f, { ...call, arguments: primals }, all(primals), "linearize");
  const value = restore(reader, lifted.template, emitPlain(reader, lifted, node));
  const push = native(
    "pushforward",
    (inner, { arguments: tangents, node: at }) =>
      pushForward(inner, "the pushforward", lifted, tangents, at)[1],
  );
  return newList(reader, [value, push]);
}

/** `hvp(f)(x, v)`: forward over reverse. */
function hessianVector(reader: Reader, outer: NativeCall): ReaderValue {
  const f = functionArgument(reader, "hvp", outer.arguments[0], outer.node);
  const gradientFunction = gradient(reader, "grad", { ...outer, arguments: [f] });
  return native(`hvp(${nameOf(f)})`, (inner, call) => {
    const [x = undefinedValue, v = undefinedValue] = call.arguments;
    const g = functionArgument(inner, "hvp", gradientFunction, call.node);
    const lifted = lift(inner, g, { ...call, arguments: [x] }, [0], "hvp");
    return pushForward(inner, "hvp", lifted, [v], call.node)[1];
  });
}

function jacobianOf(
  reader: Reader,
  transform: "jacfwd" | "jacrev",
  outer: NativeCall,
): ReaderValue {
  const f = functionArgument(reader, transform, outer.arguments[0], outer.node);
  const argnums = argnumsOf(reader, transform, outer);
  return native(`${transform}(${nameOf(f)})`, (inner, call) => {
    checkArgnums(inner, transform, nameOf(f), argnums, call);
    const [position = 0] = argnums.positions;
    const lifted = lift(inner, f, call, [position], transform);
    return jacobian(inner, transform, lifted, position, call.node);
  });
}

/** `hessian(f)`: the Jacobian, forward, of the gradient. */
function hessian(reader: Reader, outer: NativeCall): ReaderValue {
  const f = functionArgument(reader, "hessian", outer.arguments[0], outer.node);
  const argnums = argnumsOf(reader, "hessian", outer);
  const gradientFunction = gradient(reader, "grad", outer);
  return native(`hessian(${nameOf(f)})`, (inner, call) => {
    const [position = 0] = argnums.positions;
    const g = functionArgument(inner, "hessian", gradientFunction, call.node);
    const lifted = lift(inner, g, call, [position], "hessian");
    return jacobian(inner, "jacfwd", lifted, position, call.node);
  });
}

function stopGradient(reader: Reader, call: NativeCall): ReaderValue {
  const { node } = call;
  const [value = undefinedValue] = call.arguments;
  const template = templateOf(reader, value);
  const stopped = flatten(reader, template, value, node).map((leaf) =>
    isFloat(leaf.type.dtype) ? reader.at(node).unary("stop_gradient", leaf) : leaf,
  );
  return restore(reader, template, stopped);
}

/** A thing from its leaves. */
export function restore(reader: Reader, template: Template, leaves: readonly Value[]): ReaderValue {
  return rebuild(reader, template, leaves.values(), "the result");
}

export function emitCall(
  reader: Reader,
  callee: Callee,
  inputs: readonly Value[],
  types: readonly Value["type"][],
  node: ts.Node,
): readonly Value[] {
  return reader.at(node).append("call", inputs, { callee: encodeCallee(callee) }, [], types);
}

function emitPlain(reader: Reader, lifted: Lifted, node: ts.Node): readonly Value[] {
  return emitCall(reader, lifted.callee, lifted.inputs, lifted.results, node);
}

/** Results, then the cotangents of the active inputs. */
function callVjp(
  reader: Reader,
  lifted: Lifted,
  cotangents: readonly Value[],
  node: ts.Node,
): readonly Value[] {
  const active = lifted.inputs.filter((_, k) => lifted.active[k] === true);
  return emitCall(
    reader,
    { kind: "vjp", of: lifted.callee, active: lifted.active },
    [...lifted.inputs, ...cotangents],
    [...lifted.results, ...active.map(({ type }) => type)],
    node,
  );
}

/** For each differentiated argument its gradient, with the structure of the argument. */
function gradientsOf(
  reader: Reader,
  lifted: Lifted,
  leaves: readonly Value[],
): readonly ReaderValue[] {
  const values = leaves.values();
  return lifted.differentiated.map((template) => rebuild(reader, template, values, "the gradient"));
}

/** Tangents of the active leaves, from things of the structure of the arguments. */
function tangentLeaves(
  reader: Reader,
  transform: PushForward,
  lifted: Lifted,
  tangents: readonly ReaderValue[],
  node: ts.Node,
): readonly Value[] {
  const position = directionAt[transform];
  if (tangents.length > lifted.differentiated.length) {
    const what = `${tangents.length} directions for ${lifted.differentiated.length}`;
    const wrong = { callee: transform, what, position };
    return reader.fail(messages.wrongArgument(wrong, reader.span(node)));
  }
  return lifted.differentiated.flatMap((template, k) =>
    fitted(reader, template, tangents[k] ?? undefinedValue, [transform, position], node),
  );
}

function cotangentLeaves(
  reader: Reader,
  lifted: Lifted,
  cotangent: ReaderValue,
  node: ts.Node,
): readonly Value[] {
  const leaves = fitted(reader, lifted.template, cotangent, ["the pullback", 1], node);
  return leaves.filter((leaf) => isFloat(leaf.type.dtype));
}

/** Leaves of a thing that must have the structure of a template, and its lengths. */
export function fitted(
  reader: Reader,
  template: Template,
  value: ReaderValue,
  asked: readonly [name: string, position: number],
  node: ts.Node,
): readonly Value[] {
  const types = leafTypes(template);
  return leavesLike(reader, template, value, asked, node).map((leaf, k) =>
    sized(reader, leaf, types[k] as Value["type"], asked, node),
  );
}

/** A direction with the type of what it is a direction of: checked, at run time where need be. */
export function sized(
  reader: Reader,
  leaf: Value,
  wanted: Value["type"],
  [callee, position]: readonly [name: string, position: number],
  node: ts.Node,
): Value {
  const { length } = leaf.type.shape;
  if (length !== wanted.shape.length) {
    const what = `an array of ${length} axes`;
    return reader.fail(messages.wrongArgument({ callee, what, position }, reader.span(node)));
  }
  return ofType(reader, leaf, wanted, `\`${callee}\``, node);
}

/** Leaves of a thing that must have the structure of a template, be they as long as they are. */
export function leavesLike(
  reader: Reader,
  template: Template,
  value: ReaderValue,
  [callee, position]: readonly [name: string, position: number],
  node: ts.Node,
): readonly Value[] {
  try {
    const leaves = flatten(reader, template, value, node);
    const types = leafTypes(template);
    if (leaves.length === types.length) return leaves;
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("template")) throw error;
  }
  const what = describe(value);
  return reader.fail(messages.wrongArgument({ callee, what, position }, reader.span(node)));
}

/** The tangent of the result; what is not floating point has a tangent of zero. */
function restoreTangent(
  reader: Reader,
  lifted: Lifted,
  leaves: readonly Value[],
  node: ts.Node,
): ReaderValue {
  const values = leaves.values();
  const whole = lifted.results.map((type) =>
    isFloat(type.dtype) ? (values.next().value as Value) : reader.at(node).zerosOf(type),
  );
  return restore(reader, zeroed(lifted.template), whole);
}

/** Constants in a result do not change: their tangent is zero. */
function zeroed(template: Template): Template {
  switch (template.kind) {
    case "fixed":
      return isNumber(template.value) ? { kind: "fixed", value: fixed(0) } : template;
    case "table":
      return { ...template, value: undefined, columns: zeroed(template.columns) };
    case "list":
      return { ...template, value: undefined, items: template.items.map(zeroed) };
    case "record":
      return {
        ...template,
        value: undefined,
        fields: template.fields.map(([name, field]) => [name, zeroed(field)] as const),
      };
    default:
      return template;
  }
}

function tupleOf(
  reader: Reader,
  transform: string,
  value: ReaderValue | undefined,
  node: ts.Node,
  position: number,
): readonly ReaderValue[] {
  const items = value?.kind === "array" ? itemsOf(reader, value, node) : undefined;
  if (items !== undefined) return items;
  const what = value === undefined ? "nothing" : `${describe(value)} of unknown length`;
  return reader.fail(
    messages.wrongArgument({ callee: transform, what, position }, reader.span(node)),
  );
}

function checkArgnums(
  reader: Reader,
  transform: string,
  name: string,
  { positions }: Argnums,
  call: NativeCall,
): void {
  const count = call.arguments.length;
  if (positions.every((position) => position >= 0 && position < count)) return;
  reader.fail(
    messages.wrongArgnums(
      { transform, argnums: positions.join(", "), name, count },
      reader.span(call.node),
    ),
  );
}

function listTemplates(template: Template): readonly Template[] | undefined {
  return template.kind === "list" ? template.items : undefined;
}

function all(values: readonly unknown[]): readonly number[] {
  return values.map((_, k) => k);
}

function nameOf(value: ReaderValue): string {
  return value.kind === "function" || value.kind === "native" ? value.name : "the function";
}
