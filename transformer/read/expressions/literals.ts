/** Array and object literals, and templates of static strings. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { refusal } from "../fence.ts";
import { entriesOf, itemsOf, lengthOf, newList, newRecord, readElement } from "../objects.ts";
import type { Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import { describe, fixed, isStaticNumber, type ReaderValue, undefinedValue } from "../values.ts";
import { isNullish } from "./operators.ts";

export function arrayLiteral(
  reader: Reader,
  node: ts.ArrayLiteralExpression,
  scope: Scope,
): ReaderValue {
  return newList(reader, spreadAll(reader, node.elements, scope));
}

/** Elements or arguments, with those of spread lists in their place. */
export function spreadAll(
  reader: Reader,
  nodes: readonly ts.Expression[],
  scope: Scope,
): readonly ReaderValue[] {
  return nodes.flatMap((element) => {
    if (ts.isOmittedExpression(element)) return [undefinedValue];
    if (!ts.isSpreadElement(element)) return [reader.evaluate(element, scope)];
    const spread = reader.evaluate(element.expression, scope);
    const items = listItems(reader, spread, element);
    return items ?? reader.needsStatic("the length of a spread array", element);
  });
}

/** The items of an array whose length is known; undefined where it is not. */
export function listItems(
  reader: Reader,
  value: ReaderValue,
  node: ts.Node,
): readonly ReaderValue[] | undefined {
  if (value.kind !== "array") {
    return reader.fail(messages.notIndexable({ what: describe(value) }, reader.span(node)));
  }
  return itemsOf(reader, value, node) ?? denseItems(reader, value, node);
}

function denseItems(
  reader: Reader,
  value: ReaderValue & { readonly kind: "array" },
  node: ts.Node,
): readonly ReaderValue[] | undefined {
  const length = lengthOf(reader, value, node);
  if (!isStaticNumber(length)) return undefined;
  return Array.from({ length: length.value }, (_, k) => readElement(reader, value, fixed(k), node));
}

export function objectLiteral(
  reader: Reader,
  node: ts.ObjectLiteralExpression,
  scope: Scope,
): ReaderValue {
  const fields = new Map<string, ReaderValue>();
  for (const property of node.properties) {
    if (ts.isPropertyAssignment(property)) {
      const name = propertyName(reader, property.name, scope);
      fields.set(name, reader.evaluate(property.initializer, scope));
    } else if (ts.isShorthandPropertyAssignment(property)) {
      fields.set(property.name.text, reader.evaluate(property.name, scope));
    } else if (ts.isSpreadAssignment(property)) {
      const spread = reader.evaluate(property.expression, scope);
      if (isNullish(spread)) continue;
      if (spread.kind !== "record") {
        return reader.fail(
          messages.notDestructurable({ what: describe(spread) }, reader.span(property)),
        );
      }
      for (const [name, value] of entriesOf(reader, spread, property)) fields.set(name, value);
    } else if (ts.isMethodDeclaration(property)) {
      const name = propertyName(reader, property.name, scope);
      fields.set(name, { kind: "function", declaration: property, scope, name });
    } else {
      const diagnostic = refusal(property.kind, reader.span(property));
      if (diagnostic !== undefined) reader.fail(diagnostic);
    }
  }
  return newRecord(reader, fields);
}

/** The name of a field, where it is known. */
export function propertyName(reader: Reader, name: ts.PropertyName, scope: Scope): string {
  if (!ts.isComputedPropertyName(name)) return name.text;
  const value = reader.evaluate(name.expression, scope);
  if (value.kind === "static" && (typeof value.value === "string" || isStaticNumber(value))) {
    return String(value.value);
  }
  return reader.needsStatic("the name of a field", name);
}

export function templateExpression(
  reader: Reader,
  node: ts.TemplateExpression,
  scope: Scope,
): ReaderValue {
  const parts = node.templateSpans.map((span) => {
    const value = reader.evaluate(span.expression, scope);
    if (value.kind !== "static") return reader.needsStatic("the text of a template", span);
    return `${String(value.value)}${span.literal.text}`;
  });
  return fixed(node.head.text + parts.join(""));
}
