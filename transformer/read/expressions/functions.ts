/** Functions of the user: a call reads the body with the actual arguments. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { newList } from "../objects.ts";
import { type Reader, SilentFault } from "../reader.ts";
import { recursiveCall } from "../recursion.ts";
import { type Activation, Scope } from "../scope.ts";
import { runStatements } from "../statements/blocks.ts";
import {
  type FunctionNode,
  type FunctionValue,
  type ReaderValue,
  unset,
  undefinedValue,
} from "../values.ts";
import { bind } from "./assign.ts";
import { usable } from "./names.ts";

export function functionValue(
  reader: Reader,
  node: ts.ArrowFunction | ts.FunctionExpression,
  scope: Scope,
): FunctionValue {
  refuseModifiers(reader, node);
  const name = functionName(node);
  if (ts.isFunctionExpression(node) && node.name !== undefined) {
    const own = new Scope(scope);
    const value: FunctionValue = { kind: "function", declaration: node, scope: own, name };
    own.declare(name, { place: reader.heap.place<ReaderValue>(value, name), constant: true });
    return value;
  }
  return { kind: "function", declaration: node, scope, name };
}

/** What the user calls a function. */
export function functionName(node: FunctionNode): string {
  if (node.name !== undefined) return node.name.getText();
  const { parent } = node;
  if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name)) return parent.name.text;
  if (ts.isPropertyAssignment(parent)) return parent.name.getText();
  // What a root makes of it has a name: `const f = compile((x) => …)`.
  const made =
    ts.isCallExpression(parent) && parent.arguments[0] === node ? parent.parent : undefined;
  if (made !== undefined && ts.isVariableDeclaration(made) && ts.isIdentifier(made.name)) {
    return made.name.text;
  }
  return "the function";
}

export function callFunction(
  reader: Reader,
  callee: FunctionValue,
  args: readonly ReaderValue[],
  node: ts.Node,
): ReaderValue {
  const { declaration } = callee;
  refuseModifiers(reader, declaration);
  const read = (own: readonly ReaderValue[]): ReaderValue => readBody(reader, callee, own, node);
  return reader.mentions.mayCallItself(declaration)
    ? recursiveCall(reader, callee, args, node, read)
    : read(args);
}

/** Reads the body in place of the call. */
function readBody(
  reader: Reader,
  callee: FunctionValue,
  args: readonly ReaderValue[],
  node: ts.Node,
): ReaderValue {
  const { declaration, name } = callee;
  refuseDepth(reader, callee, node);
  const activation: Activation = {
    returned: reader.heap.place<ReaderValue>(unset, name),
    returnTarget: reader.newTarget(),
    name,
  };
  const scope = new Scope(callee.scope, { activation });
  reader.calls.push({ callee, span: reader.spanInCall(node) });
  reader.declarations.add(declaration);
  try {
    bindParameters(reader, callee, args, scope, node);
    const { body } = declaration;
    if (body === undefined) {
      return reader.fail(messages.unknownCallee({ name }, reader.span(node)));
    }
    if (!ts.isBlock(body)) return reader.evaluate(body, scope);
    return result(reader, body, scope, activation, node);
  } finally {
    reader.calls.pop();
  }
}

function result(
  reader: Reader,
  body: ts.Block,
  scope: Scope,
  activation: Activation,
  node: ts.Node,
): ReaderValue {
  const exit = runStatements(reader, body.statements, new Scope(scope));
  const value = reader.heap.read(activation.returned);
  if (exit.kind === "normal" || value.kind === "unset") return undefinedValue;
  if (value.kind === "faulty") throw new SilentFault("reported before");
  const returnsNothing = value.kind === "static" && value.value === undefined;
  if (exit.kind === "mixed" && !returnsNothing) {
    const place = { ...reader.span(body), start: body.getEnd() - 1, length: 1 };
    return reader.fail(messages.missingReturn({ name: activation.name }, place));
  }
  return usable(reader, value, activation.name, node);
}

function bindParameters(
  reader: Reader,
  callee: FunctionValue,
  args: readonly ReaderValue[],
  scope: Scope,
  node: ts.Node,
): void {
  const { parameters } = callee.declaration;
  for (const [k, parameter] of parameters.entries()) {
    if (parameter.dotDotDotToken !== undefined) {
      const rest = newList(reader, args.slice(k), { name: parameter.name.getText() });
      bind(reader, parameter.name, rest, scope, false);
      continue;
    }
    const given = args[k] ?? undefinedValue;
    const isMissing = given.kind === "static" && given.value === undefined;
    if (isMissing && parameter.initializer !== undefined) {
      bind(reader, parameter.name, reader.evaluate(parameter.initializer, scope), scope, false);
      continue;
    }
    if (args[k] === undefined && parameter.questionToken === undefined) {
      reader.fail(
        messages.missingArgument(
          { name: callee.name, parameter: parameter.name.getText() },
          reader.span(node),
        ),
      );
    }
    bind(reader, parameter.name, given, scope, false);
  }
}

function refuseModifiers(reader: Reader, node: FunctionNode): void {
  const { asteriskToken } = node;
  const isAsync = (node.modifiers ?? []).find(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword);
  if (isAsync !== undefined) {
    reader.fail(
      messages.unsupportedSyntax(
        {
          what: "an async function",
          reason: "compiled code does not wait",
          wayOut: "await outside, and pass the result as an argument",
        },
        reader.span(isAsync),
      ),
    );
  }
  if (asteriskToken !== undefined) {
    reader.fail(
      messages.unsupportedSyntax(
        {
          what: "a generator",
          reason: "it keeps its state on the host",
          wayOut: "fill an array and return it",
        },
        reader.span(asteriskToken),
      ),
    );
  }
}

/** Functions that call each other through values are not seen to call themselves. */
function refuseDepth(reader: Reader, callee: FunctionValue, node: ts.Node): void {
  if (reader.calls.length < 200) return;
  reader.fail(
    messages.recursiveCall(
      {
        name: callee.name,
        reason: "through functions that it is given",
        wayOut: "call it by its name",
      },
      reader.span(node),
    ),
  );
}
