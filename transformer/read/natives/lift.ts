/** A function that is transformed, as a function of the graph. */

import type ts from "typescript";
import { type Diagnostic, DiagnosticError } from "../../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Callee } from "../../../compiler/autodiff/callee.ts";
import { type Block, isFloat, type Value, type ValueType } from "../../../compiler/ir/types.ts";
import { freeValues, renameBlock } from "../../../compiler/ir/walk.ts";
import { newShared } from "../alias.ts";
import type { Place } from "../heap.ts";
import { invoke } from "../expressions/calls.ts";
import { flatten, leafTypes, rebuild, type Template, templateOf, widen } from "../join.ts";
import { NeedsStatic, type Reader } from "../reader.ts";
import {
  type Columns,
  describe,
  type FunctionValue,
  type NativeCall,
  type NativeValue,
  type ReaderValue,
} from "../values.ts";

export type Callable = FunctionValue | NativeValue;

/** A function of the graph, and what it captures: its last inputs. */
export interface LiftedBody {
  readonly callee: Callee;
  readonly captured: readonly Value[];
  /** Types of the leaves of the result. */
  readonly results: readonly ValueType[];
  readonly template: Template;
  readonly result: ReaderValue;
}

export interface Lifted extends LiftedBody {
  /** Leaves of the arguments, then what the function captures. */
  readonly inputs: readonly Value[];
  readonly active: readonly boolean[];
  /** Templates of all arguments, and of those that are differentiated, in the order asked for. */
  readonly templates: readonly Template[];
  readonly differentiated: readonly Template[];
}

/**
 * Reads `f` on arguments of the given kind. Arguments at `positions` are differentiated: known
 * numbers among them become values, and all of their leaves must be floating point.
 */
export function lift(
  reader: Reader,
  f: Callable,
  call: NativeCall,
  positions: readonly number[],
  transform: string,
  finish?: (result: ReaderValue) => ReaderValue,
): Lifted {
  const { node } = call;
  const templates = call.arguments.map((value, k) => {
    const template = templateOf(reader, value);
    return positions.includes(k) ? differentiable(reader, f, template, k, node) : template;
  });
  const leaves = templates.map((template, k) =>
    flatten(reader, template, call.arguments[k] as ReaderValue, node),
  );
  const parameters = leaves.flat().map(({ type, name }): Value => ({ type, name }));
  const values = parameters.values();
  const makeArguments = (): readonly ReaderValue[] =>
    templates.map((part, k) => lent(reader, rebuild(reader, part, values, parameterName(f, k))));
  const body = liftBody(reader, f, call, parameters, makeArguments, transform, finish);
  const active = leaves.flatMap((part, k) => part.map(() => positions.includes(k)));
  return {
    ...body,
    inputs: [...leaves.flat(), ...body.captured],
    active: [...active, ...body.captured.map(() => false)],
    templates,
    differentiated: positions.map((position) => templates[position] as Template),
  };
}

/** A function that has been read, and not yet closed over what it captures. */
export interface OpenBody {
  readonly block: Block;
  readonly captured: readonly Value[];
}

/** Reads a piece of code into a block of its own. It may write nothing around it. */
export function liftOpen<T extends { readonly leaves: readonly Value[] }>(
  reader: Reader,
  names: { readonly name: string; readonly transform: string },
  parameters: readonly Value[],
  node: ts.Node,
  body: () => T,
): OpenBody & { readonly read: T } {
  const { result: read, changes } = inChain(reader, names.transform, node, () =>
    reader.heap.record(() => reader.lifted(body)),
  );
  const [written] = changes.keys();
  if (written !== undefined) {
    reader.fail(messages.writesCaptured({ ...names, variable: written.name }, reader.span(node)));
  }
  const { equations } = read.builder;
  const block: Block = { parameters, equations, results: read.result.leaves };
  return { block, captured: freeValues(block), read: read.result };
}

/** Says of errors in derivatives, inside of others, by which calls they came about. */
function inChain<T>(reader: Reader, transform: string, node: ts.Node, body: () => T): T {
  const message =
    transform === "vmap" ? "when mapping this call" : "when differentiating this call";
  const link = (diagnostic: Diagnostic): Diagnostic => {
    if (!diagnostic.code.startsWith("FX3")) return diagnostic;
    const span = reader.span(node);
    const known = diagnostic.related.some(
      (place) => place.span.file === span.file && place.span.start === span.start,
    );
    if (known) return diagnostic;
    return { ...diagnostic, related: [...diagnostic.related, { message, span }] };
  };
  const mark = reader.diagnostics.length;
  try {
    return body();
  } catch (error) {
    const plain = error instanceof DiagnosticError && !(error instanceof NeedsStatic);
    throw plain ? new DiagnosticError(link(error.diagnostic)) : error;
  } finally {
    const reported = reader.diagnostics.splice(mark);
    for (const diagnostic of reported) reader.report(link(diagnostic));
  }
}

/** Makes a function of the graph of it: `at` says where among the parameters the captured stand. */
export function closeBody(
  reader: Reader,
  name: string,
  { block }: OpenBody,
  captured: readonly Value[],
  at: number = block.parameters.length,
): Callee {
  const own = captured.map(({ type, name: called }): Value => ({ type, name: called }));
  const renaming = new Map(captured.map((value, k) => [value, own[k] as Value] as const));
  const parameters = block.parameters.toSpliced(at, 0, ...own);
  const fresh = reader.freshName(name);
  reader.functions.set(fresh, {
    name: fresh,
    body: { ...renameBlock(block, renaming), parameters },
  });
  return { kind: "function", name: fresh };
}

/** Reads the body of `f` into a function of the graph with the given parameters. */
export function liftBody(
  reader: Reader,
  f: Callable,
  call: NativeCall,
  parameters: readonly Value[],
  makeArguments: () => readonly ReaderValue[],
  transform: string,
  finish: (result: ReaderValue) => ReaderValue = (result) => result,
): LiftedBody {
  const { node } = call;
  const open = liftOpen(reader, { name: f.name, transform }, parameters, node, () => {
    const result = finish(invoke(reader, f, { ...call, arguments: makeArguments() }));
    const template = templateOf(reader, result);
    return { result, template, leaves: flatten(reader, template, result, node) };
  });
  const { captured } = open;
  const { result, template, leaves } = open.read;
  return {
    callee: closeBody(reader, f.name, open, captured),
    captured,
    results: leaves.map(({ type }) => type),
    template,
    result,
  };
}

/** The template of an argument with all of its numbers as values. */
function differentiable(
  reader: Reader,
  f: Callable,
  template: Template,
  position: number,
  node: ts.Node,
): Template {
  const wide = widen(template);
  const refuse = (what: string): never =>
    reader.fail(
      messages.notDifferentiable({ position: position + 1, name: f.name, what }, reader.span(node)),
    );
  const wrong = leafTypes(wide).find((type) => !isFloat(type.dtype));
  if (wrong !== undefined) {
    return refuse(wrong.dtype === "bool" ? "a boolean" : `made of integers (${wrong.dtype})`);
  }
  if (leafTypes(wide).length === 0) {
    return refuse(template.kind === "fixed" ? describe(template.value) : "without numbers");
  }
  return wide;
}

/** The arguments of a transformed function belong to its caller, with all that is in them. */
export function lent(reader: Reader, value: ReaderValue): ReaderValue {
  if (value.kind !== "array" && value.kind !== "record") return value;
  const shared = newShared(reader, { name: value.object.name, readOnly: "argument" });
  const lendPart = (place: Place<ReaderValue>): void =>
    reader.heap.write(place, lent(reader, place.content));
  if (value.kind === "record") {
    for (const place of value.object.fields.content.values()) lendPart(place);
    return { ...value, object: { ...value.object, shared } };
  }
  const { state } = value.object;
  if (state.content.form === "list") for (const item of state.content.items) lendPart(item);
  if (state.content.form === "table") {
    const columns = lent(reader, state.content.columns) as Columns;
    reader.heap.write(state, { ...state.content, columns });
  }
  return { ...value, object: { ...value.object, shared } };
}

export function parameterName(f: Callable, position: number): string {
  if (f.kind === "native") return `x${position}`;
  return f.declaration.parameters[position]?.name.getText() ?? `x${position}`;
}
