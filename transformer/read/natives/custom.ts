/**
 * Functions with a derivative of their own: `checkpoint(f)`, `customJvp(f, rule)`,
 * `customVjp(f, { fwd, bwd })` and `implicit(residual, solve)`. A call of one is a call of the
 * graph that says how it is differentiated.
 */

import type ts from "typescript";
import type { Callee, CustomCallee } from "../../../compiler/autodiff/callee.ts";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { isFloat, type Value, type ValueType } from "../../../compiler/ir/types.ts";
import { invoke } from "../expressions/calls.ts";
import { flatten, leafTypes, rebuild, type Template, templateOf, widen } from "../join.ts";
import { itemsOf, newList, readField } from "../objects.ts";
import type { Reader } from "../reader.ts";
import {
  describe,
  type NativeCall,
  type NativeValue,
  type ReaderValue,
  undefinedValue,
} from "../values.ts";
import { implicitRule } from "./implicit.ts";
import { functionArgument } from "./language.ts";
import {
  type Callable,
  closeBody,
  lent,
  lift,
  liftOpen,
  type OpenBody,
  parameterName,
} from "./lift.ts";
import { emitCall, fitted, restore } from "./transforms.ts";

export const customNatives: Readonly<Record<string, NativeValue>> = {
  checkpoint: root("checkpoint", checkpoint),
  customJvp: root("customJvp", customJvp),
  customVjp: root("customVjp", customVjp),
  implicit: root("implicit", implicit),
};

function root(name: string, call: NonNullable<NativeValue["call"]>): NativeValue {
  return { kind: "native", name, call };
}

/** The function that a root gives: `apply` is one call of it. */
function derived(
  transform: string,
  f: Callable,
  apply: (reader: Reader, call: NativeCall) => ReaderValue,
): ReaderValue {
  const arity = f.kind === "function" ? f.declaration.parameters.length : f.arity;
  const name = `${transform}(${f.name})`;
  return { kind: "native", name, call: apply, ...(arity === undefined ? {} : { arity }) };
}

function checkpoint(reader: Reader, outer: NativeCall): ReaderValue {
  const f = functionArgument(reader, "checkpoint", outer.arguments[0], outer.node);
  return derived("checkpoint", f, (inner, call) => {
    const lifted = lift(inner, f, call, [], "checkpoint");
    const callee: Callee = { kind: "checkpoint", of: lifted.callee };
    const outputs = emitCall(inner, callee, lifted.inputs, lifted.results, call.node);
    return restore(inner, lifted.template, outputs);
  });
}

/** The function itself on arguments of some kind, and what its rule needs to know. */
interface Primal {
  readonly name: string;
  readonly transform: string;
  readonly node: ts.Node;
  readonly open: OpenBody;
  /** Of the arguments, and of the result. */
  readonly templates: readonly Template[];
  readonly result: Template;
  /** Leaves of the arguments of this call. */
  readonly inputs: readonly Value[];
  readonly results: readonly ValueType[];
}

function readPrimal(reader: Reader, transform: string, f: Callable, call: NativeCall): Primal {
  const { node } = call;
  const templates = call.arguments.map((value) => widen(templateOf(reader, value)));
  const inputs = templates.flatMap((template, k) =>
    flatten(reader, template, call.arguments[k] as ReaderValue, node),
  );
  const { parameters, args } = parametersOf(reader, f, templates);
  const open = liftOpen(reader, { name: f.name, transform }, parameters, node, () => {
    const value = invoke(reader, f, { ...call, arguments: args() });
    const template = widen(templateOf(reader, value));
    return { template, leaves: flatten(reader, template, value, node) };
  });
  const { template: result, leaves } = open.read;
  const results = leaves.map(({ type }) => type);
  return { name: f.name, transform, node, open, templates, result, inputs, results };
}

/** Parameters for the leaves of things, and how to make the things of them. */
function parametersOf(
  reader: Reader,
  f: Callable,
  templates: readonly Template[],
): { readonly parameters: readonly Value[]; readonly args: () => readonly ReaderValue[] } {
  const parameters = templates.flatMap(leafTypes).map((type): Value => ({ type }));
  return {
    parameters,
    args: () => {
      const values = parameters.values();
      return templates.map((template, k) =>
        lent(reader, rebuild(reader, template, values, parameterName(f, k))),
      );
    },
  };
}

/** A change of a thing: parameters for its floating-point leaves, zeros for all others. */
function changeOf(
  reader: Reader,
  templates: readonly Template[],
  node: ts.Node,
): { readonly parameters: readonly Value[]; readonly things: () => readonly ReaderValue[] } {
  const types = templates.flatMap(leafTypes);
  const parameters = types.filter(({ dtype }) => isFloat(dtype)).map((type): Value => ({ type }));
  return {
    parameters,
    things: () => {
      const floats = parameters.values();
      const leaves = types
        .map((type) =>
          isFloat(type.dtype) ? (floats.next().value as Value) : reader.at(node).zerosOf(type),
        )
        .values();
      return templates.map((template) => lent(reader, rebuild(reader, template, leaves, "change")));
    },
  };
}

/** Emits the call with its rule. `rule` is given what all of its functions capture. */
function emitCustom(
  reader: Reader,
  primal: Primal,
  bodies: readonly OpenBody[],
  rule: (captured: readonly Value[]) => Pick<Rule, "callee" | "smooth">,
): ReaderValue {
  const all = [primal.open, ...bodies].flatMap(({ captured }) => captured);
  const captured = [...new Set(all)];
  const { callee, smooth } = rule(captured);
  const inputs = [...primal.inputs, ...captured];
  const custom: CustomCallee = {
    kind: "custom",
    name: primal.name,
    primal: closeBody(reader, primal.name, primal.open, captured),
    smooth: inputs.map((input, k) => smooth(input, k < primal.inputs.length)),
    captured: captured.length,
    ...callee,
  };
  const outputs = emitCall(reader, custom, inputs, primal.results, primal.node);
  return restore(reader, primal.result, outputs);
}

interface Rule {
  readonly callee:
    | { readonly jvp: Callee }
    | {
        readonly fwd: Callee;
        readonly bwd: Callee;
        readonly residuals: number;
        readonly cotangents: number;
      };
  readonly smooth: (input: Value, isArgument: boolean) => boolean;
}

const floatArguments = (input: Value, isArgument: boolean): boolean =>
  isArgument && isFloat(input.type.dtype);

/** `rule(primals, tangents)` gives `[y, dy]`. */
function customJvp(reader: Reader, outer: NativeCall): ReaderValue {
  const f = functionArgument(reader, "customJvp", outer.arguments[0], outer.node);
  const rule = functionArgument(reader, "customJvp", outer.arguments[1], outer.node);
  return derived("customJvp", f, (inner, call) => {
    const { node } = call;
    const primal = readPrimal(inner, "customJvp", f, call);
    const own = parametersOf(inner, f, primal.templates);
    const change = changeOf(inner, primal.templates, node);
    const parameters = [...own.parameters, ...change.parameters];
    const names = { name: rule.name, transform: "customJvp" };
    const open = liftOpen(inner, names, parameters, node, () => {
      const args = [newList(inner, own.args()), newList(inner, change.things())];
      const [y, dy] = pairOf(inner, invoke(inner, rule, { ...call, arguments: args }), rule, node);
      const floats = fitted(inner, primal.result, dy, [rule.name, 2], node).filter((leaf) =>
        isFloat(leaf.type.dtype),
      );
      return { leaves: [...fitted(inner, primal.result, y, [rule.name, 1], node), ...floats] };
    });
    return emitCustom(inner, primal, [open], (captured) => ({
      callee: { jvp: closeBody(inner, rule.name, open, captured, own.parameters.length) },
      smooth: floatArguments,
    }));
  });
}

/** `fwd(…primals)` gives `[y, residuals]`, and `bwd(residuals, w)` a cotangent an argument. */
function customVjp(reader: Reader, outer: NativeCall): ReaderValue {
  const f = functionArgument(reader, "customVjp", outer.arguments[0], outer.node);
  const rules = outer.arguments[1];
  const part = (name: string): Callable => {
    const value = rules?.kind === "record" ? readField(reader, rules, name, outer.node) : undefined;
    return functionArgument(reader, "customVjp", value, outer.node);
  };
  const [fwd, bwd] = [part("fwd"), part("bwd")];
  return derived("customVjp", f, (inner, call) => {
    const { node } = call;
    const primal = readPrimal(inner, "customVjp", f, call);
    const own = parametersOf(inner, fwd, primal.templates);
    const forward = liftOpen(
      inner,
      { name: fwd.name, transform: "customVjp" },
      own.parameters,
      node,
      () => {
        const [y, residuals] = pairOf(
          inner,
          invoke(inner, fwd, { ...call, arguments: own.args() }),
          fwd,
          node,
        );
        const template = templateOf(inner, residuals);
        const kept = flatten(inner, template, residuals, node);
        return {
          template,
          kept,
          leaves: [...fitted(inner, primal.result, y, [fwd.name, 1], node), ...kept],
        };
      },
    );
    const kept = parametersOf(inner, bwd, [movable(forward.read.template)]);
    const change = changeOf(inner, [primal.result], node);
    const backward = liftOpen(
      inner,
      { name: bwd.name, transform: "customVjp" },
      [...kept.parameters, ...change.parameters],
      node,
      () => {
        const args = [...kept.args(), ...change.things()];
        const result = invoke(inner, bwd, { ...call, arguments: args });
        return { leaves: cotangentsOf(inner, primal, bwd, result) };
      },
    );
    return emitCustom(inner, primal, [forward, backward], (captured) => ({
      callee: {
        fwd: closeBody(inner, fwd.name, forward, captured),
        bwd: closeBody(inner, bwd.name, backward, captured, kept.parameters.length),
        residuals: kept.parameters.length,
        cotangents: change.parameters.length,
      },
      smooth: floatArguments,
    }));
  });
}

/** The leaves of a tuple of cotangents; `undefined` and `null` stand for zeros. */
function cotangentsOf(
  reader: Reader,
  primal: Primal,
  bwd: Callable,
  result: ReaderValue,
): readonly Value[] {
  const { node, templates } = primal;
  const items = result.kind === "array" ? itemsOf(reader, result, node) : undefined;
  if (items === undefined || items.length !== templates.length) {
    return wrongRule(
      reader,
      bwd,
      `a list of ${templates.length}, one for each argument`,
      result,
      node,
    );
  }
  return templates.flatMap((template, k) => {
    const item = items[k] ?? undefinedValue;
    const types = leafTypes(template).filter(({ dtype }) => isFloat(dtype));
    const isNone = item.kind === "static" && (item.value === undefined || item.value === null);
    if (isNone) return types.map((type) => reader.at(node).zerosOf(type));
    return fitted(reader, template, item, [bwd.name, k + 1], node).filter((leaf) =>
      isFloat(leaf.type.dtype),
    );
  });
}

/** A template whose things are made anew, not those of the block that was read. */
function movable(template: Template): Template {
  switch (template.kind) {
    case "fixed":
      return template;
    case "table":
      return { ...template, value: undefined, columns: movable(template.columns) };
    case "list":
      return { ...template, value: undefined, items: template.items.map(movable) };
    case "record":
      return {
        ...template,
        value: undefined,
        fields: template.fields.map(([name, field]) => [name, movable(field)] as const),
      };
    default:
      return { ...template, value: undefined };
  }
}

function pairOf(
  reader: Reader,
  value: ReaderValue,
  rule: Callable,
  node: ts.Node,
): readonly [ReaderValue, ReaderValue] {
  const items = value.kind === "array" ? itemsOf(reader, value, node) : undefined;
  const [first, second] = items ?? [];
  if (items?.length === 2 && first !== undefined && second !== undefined) return [first, second];
  return wrongRule(reader, rule, "a list of two", value, node);
}

function wrongRule(
  reader: Reader,
  rule: Callable,
  expected: string,
  value: ReaderValue,
  node: ts.Node,
): never {
  const name = rule.name === "the function" ? "this rule" : `\`${rule.name}\``;
  const place = rule.kind === "function" ? rule.declaration : node;
  return reader.fail(
    messages.wrongRule({ name, expected, what: describe(value) }, reader.span(place)),
  );
}

/** The function `(…params) => x` of `solve(…params)`, where `residual(x, …params) = 0`. */
function implicit(reader: Reader, outer: NativeCall): ReaderValue {
  const residual = functionArgument(reader, "implicit", outer.arguments[0], outer.node);
  const solve = functionArgument(reader, "implicit", outer.arguments[1], outer.node);
  return derived("implicit", solve, (inner, call) => {
    const { node } = call;
    const primal = readPrimal(inner, "implicit", solve, call);
    const own = parametersOf(inner, residual, [primal.result, ...primal.templates]);
    const names = { name: residual.name, transform: "implicit" };
    const open = liftOpen(inner, names, own.parameters, node, () => {
      const value = invoke(inner, residual, { ...call, arguments: own.args() });
      const template = widen(templateOf(inner, value));
      return { value, leaves: flatten(inner, template, value, node) };
    });
    checkResidual(inner, primal, residual, open);
    const outputs = implicitRule(inner, {
      name: solve.name,
      solve: primal.open,
      residual: open,
      inputs: primal.inputs,
      results: primal.results,
      node,
    });
    return restore(inner, primal.result, outputs);
  });
}

/** As many equations as unknowns, all of them numbers. */
function checkResidual(
  reader: Reader,
  primal: Primal,
  residual: Callable,
  open: OpenBody & { readonly read: { readonly value: ReaderValue } },
): void {
  const shapes = (types: readonly ValueType[]): string =>
    types.map(({ dtype, shape }) => (isFloat(dtype) ? JSON.stringify(shape) : "no")).join();
  const own = shapes(open.block.results.map(({ type }) => type));
  if (own === shapes(primal.results) && own !== "" && !own.includes("no")) return;
  const expected = "as many numbers as the solution has, of the same structure";
  wrongRule(reader, residual, expected, open.read.value, primal.node);
}
