/** Calls and `new`. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import { describe, type NativeCall, type ReaderValue, undefinedValue } from "../values.ts";
import { argumentsOf } from "./literals.ts";
import { isNullish } from "./operators.ts";

export function callExpression(reader: Reader, node: ts.CallExpression, scope: Scope): ReaderValue {
  const callee = reader.evaluate(node.expression, scope);
  if (isNullish(callee) && (node.flags & ts.NodeFlags.OptionalChain) !== 0) return undefinedValue;
  const call: NativeCall = {
    node,
    arguments: argumentsOf(reader, callee, node.arguments, scope),
    argumentNodes: node.arguments,
    typeArguments: node.typeArguments,
  };
  return invoke(reader, callee, call);
}

/** Calls whatever can be called. */
export function invoke(reader: Reader, callee: ReaderValue, call: NativeCall): ReaderValue {
  if (callee.kind === "function") return reader.call(callee, call.arguments, call.node);
  if (callee.kind === "native" && callee.call !== undefined) return callee.call(reader, call);
  const text = ts.isCallExpression(call.node) ? call.node.expression.getText() : describe(callee);
  return reader.fail(messages.notCallable({ what: `\`${text}\`` }, reader.span(call.node)));
}

export function newExpression(reader: Reader, node: ts.NewExpression, scope: Scope): ReaderValue {
  const callee = reader.evaluate(node.expression, scope);
  if (callee.kind !== "native" || callee.construct === undefined) {
    return reader.fail(
      messages.unsupportedSyntax(
        {
          what: `\`new ${node.expression.getText()}\``,
          reason: "objects are plain records",
          wayOut: "use a record and functions over it",
        },
        reader.span(node),
      ),
    );
  }
  const argumentNodes = node.arguments ?? ts.factory.createNodeArray<ts.Expression>();
  return callee.construct(reader, {
    node,
    arguments: argumentsOf(reader, callee, argumentNodes, scope),
    argumentNodes,
    typeArguments: node.typeArguments,
  });
}
