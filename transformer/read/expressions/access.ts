/** `a[i]`, `r.field`, `x.length`, and the methods of arrays and tensors. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { arrayMember, insteadOf } from "../natives/arrays.ts";
import { tensorMember } from "../natives/tensors.ts";
import { readElement, readField } from "../objects.ts";
import type { Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import { describe, isNumber, type ReaderValue, undefinedValue } from "../values.ts";
import { usable } from "./names.ts";
import { isNullish } from "./operators.ts";

export function accessElement(
  reader: Reader,
  node: ts.ElementAccessExpression,
  scope: Scope,
): ReaderValue {
  const owner = reader.evaluate(node.expression, scope);
  if (isNullish(owner) && isOptional(node)) return undefinedValue;
  const index = reader.evaluate(node.argumentExpression, scope);
  return elementOf(reader, owner, index, node);
}

export function elementOf(
  reader: Reader,
  owner: ReaderValue,
  index: ReaderValue,
  node: ts.Node,
): ReaderValue {
  if (owner.kind === "array") {
    if (index.kind === "static" && typeof index.value === "string") {
      return propertyOf(reader, owner, index.value, node);
    }
    if (!isNumber(index)) {
      return reader.fail(
        messages.wrongOperand({ operator: "[]", operand: describe(index) }, reader.span(node)),
      );
    }
    return usable(reader, readElement(reader, owner, index, node), "the element", node);
  }
  if (owner.kind === "native" && index.kind === "static" && typeof index.value === "string") {
    return propertyOf(reader, owner, index.value, node);
  }
  if (owner.kind === "record") {
    if (index.kind === "static") return propertyOf(reader, owner, String(index.value), node);
    return reader.needsStatic("the name of a field", node);
  }
  return reader.fail(messages.notIndexable({ what: describe(owner) }, reader.span(node)));
}

export function accessProperty(
  reader: Reader,
  node: ts.PropertyAccessExpression,
  scope: Scope,
): ReaderValue {
  const given = reader.hostPath?.(node, scope);
  if (given !== undefined) return given;
  const owner = reader.evaluate(node.expression, scope);
  if (isNullish(owner) && isOptional(node)) return undefinedValue;
  return propertyOf(reader, owner, node.name.text, node);
}

/** A field that a record does not have is undefined, as in JavaScript. */
export function propertyOf(
  reader: Reader,
  owner: ReaderValue,
  name: string,
  node: ts.Node,
): ReaderValue {
  switch (owner.kind) {
    case "record": {
      const value = readField(reader, owner, name, node);
      return value === undefined ? undefinedValue : usable(reader, value, name, node);
    }
    case "array": {
      const index = Number(name);
      if (Number.isInteger(index) && index >= 0) {
        return elementOf(reader, owner, { kind: "static", value: index }, node);
      }
      const member = arrayMember(reader, owner, name, node);
      if (member !== undefined) return member;
      break;
    }
    case "tensor": {
      const member = tensorMember(reader, owner, name, node);
      if (member !== undefined) return member;
      break;
    }
    case "native": {
      const member = owner.property?.(reader, name, node);
      if (member !== undefined) return member;
      break;
    }
    case "static":
      if (typeof owner.value === "string" && name === "length") {
        return { kind: "static", value: owner.value.length };
      }
      break;
    default:
  }
  const wayOut = owner.kind === "array" ? insteadOf(name) : undefined;
  return reader.fail(
    messages.unknownProperty(
      { what: describe(owner), name, wayOut: wayOut ?? "write it with what the language has" },
      reader.span(node),
    ),
  );
}

/** True inside `a?.b.c` too, where `a` is nullish. */
function isOptional(node: ts.ElementAccessExpression | ts.PropertyAccessExpression): boolean {
  return (node.flags & ts.NodeFlags.OptionalChain) !== 0;
}
