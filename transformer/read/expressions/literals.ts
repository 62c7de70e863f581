/** Array and object literals, and templates of static strings. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { refusal } from "../fence.ts";
import { entriesOf, itemsOf, lengthOf, newList, newRecord, readElement } from "../objects.ts";
import type { Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import {
  type ArrayReference,
  describe,
  fixed,
  isStaticNumber,
  type ReaderValue,
  undefinedValue,
} from "../values.ts";
import { concatenated } from "../natives/arrange.ts";
import { isTypedArray, untyped } from "../natives/arrays.ts";
import { isNullish } from "./operators.ts";

export function arrayLiteral(
  reader: Reader,
  node: ts.ArrayLiteralExpression,
  scope: Scope,
): ReaderValue {
  const parts = spreadParts(reader, node.elements, scope);
  if (parts.every((part) => part.items !== undefined)) {
    return newList(
      reader,
      parts.flatMap(({ items }) => items),
    );
  }
  // The elements of arrays whose lengths the run tells, end to end.
  const arrays = parts.map(({ items, array }) =>
    items === undefined ? array : newList(reader, items),
  );
  const whole = concatenated(
    reader,
    arrays.filter((array) => !isEmpty(reader, array, node)),
    node,
  );
  return isTypedArray(whole) ? untyped(reader, whole, node) : whole;
}

function isEmpty(reader: Reader, array: ArrayReference, node: ts.Node): boolean {
  return itemsOf(reader, array, node)?.length === 0;
}

/** Elements one by one, or an array of them whose length the run tells. */
type Part =
  | { readonly items: readonly ReaderValue[]; readonly array?: undefined }
  | {
      readonly items?: undefined;
      readonly array: ArrayReference;
      readonly node: ts.SpreadElement;
    };

/** Elements or arguments, with those of spread lists in their place. */
function spreadParts(
  reader: Reader,
  nodes: readonly ts.Expression[],
  scope: Scope,
): readonly Part[] {
  return nodes.map((node): Part => {
    if (ts.isOmittedExpression(node)) return { items: [undefinedValue] };
    if (!ts.isSpreadElement(node)) return { items: [reader.evaluate(node, scope)] };
    const spread = reader.evaluate(node.expression, scope);
    const items = listItems(reader, spread, node);
    return items === undefined ? { array: spread as ArrayReference, node } : { items };
  });
}

/** The arguments of a call. `Math.max(...x)` is what the function gives of pairs, one by one. */
export function argumentsOf(
  reader: Reader,
  callee: ReaderValue,
  nodes: readonly ts.Expression[],
  scope: Scope,
): readonly ReaderValue[] {
  const fold = callee.kind === "native" ? callee.fold : undefined;
  return spreadParts(reader, nodes, scope).flatMap((part) => {
    if (part.items !== undefined) return part.items;
    if (fold !== undefined) return [fold(reader, part.array, part.node)];
    const wayOut = "pass the array itself, or the elements one by one";
    return reader.needsStatic("the length of a spread array", part.node, wayOut);
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
