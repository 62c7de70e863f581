/** Places that an assignment writes: variables, elements, fields, patterns. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { entriesOf, newList, newRecord, rename, writeElement, writeField } from "../objects.ts";
import type { Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import {
  type ArrayObject,
  type ArrayReference,
  describe,
  fixed,
  type ReaderValue,
  type RecordObject,
  type RecordReference,
  undefinedValue,
} from "../values.ts";
import { elementOf, propertyOf } from "./access.ts";
import { listItems, propertyName } from "./literals.ts";
import { usable } from "./names.ts";
import { hostVariable } from "../host.ts";

export interface Target {
  readonly read: () => ReaderValue;
  readonly write: (value: ReaderValue) => void;
}

/** What is written by `target = …`; the parts of the target are evaluated once. */
export function targetOf(reader: Reader, node: ts.Expression, scope: Scope): Target {
  if (
    ts.isParenthesizedExpression(node) ||
    ts.isNonNullExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node)
  ) {
    return targetOf(reader, node.expression, scope);
  }
  if (ts.isIdentifier(node)) return variableTarget(reader, node, scope);
  if (ts.isElementAccessExpression(node)) {
    const owner = reader.evaluate(node.expression, scope);
    const index = reader.evaluate(node.argumentExpression, scope);
    if (owner.kind === "array") {
      return {
        read: () => elementOf(reader, owner, index, node),
        write: (value) => writeElement(reader, owner, index, value, node),
      };
    }
    if (owner.kind === "record" && index.kind === "static") {
      return fieldTarget(reader, owner, String(index.value), node);
    }
    return reader.fail(messages.notIndexable({ what: describe(owner) }, reader.span(node)));
  }
  if (ts.isPropertyAccessExpression(node)) {
    const owner = reader.evaluate(node.expression, scope);
    if (owner.kind === "record") return fieldTarget(reader, owner, node.name.text, node);
    return reader.fail(
      messages.unknownProperty(
        { what: describe(owner), name: node.name.text, wayOut: "write fields of records" },
        reader.span(node),
      ),
    );
  }
  return reader.fail(messages.notDestructurable({ what: "this expression" }, reader.span(node)));
}

/** `target = value`, patterns included. */
export function assign(
  reader: Reader,
  node: ts.Expression,
  value: ReaderValue,
  scope: Scope,
): void {
  if (ts.isArrayLiteralExpression(node)) return assignItems(reader, node, value, scope);
  if (ts.isObjectLiteralExpression(node)) return assignFields(reader, node, value, scope);
  if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.EqualsToken) {
    const given = isUndefined(value) ? reader.evaluate(node.right, scope) : value;
    return assign(reader, node.left, given, scope);
  }
  targetOf(reader, node, scope).write(value);
}

function assignItems(
  reader: Reader,
  node: ts.ArrayLiteralExpression,
  value: ReaderValue,
  scope: Scope,
): void {
  const items = itemsFor(reader, value, node);
  for (const [k, element] of node.elements.entries()) {
    if (ts.isOmittedExpression(element)) continue;
    if (ts.isSpreadElement(element)) {
      assign(reader, element.expression, newList(reader, items.slice(k)), scope);
    } else {
      assign(reader, element, items[k] ?? undefinedValue, scope);
    }
  }
}

function assignFields(
  reader: Reader,
  node: ts.ObjectLiteralExpression,
  value: ReaderValue,
  scope: Scope,
): void {
  const taken = new Set<string>();
  for (const property of node.properties) {
    if (ts.isShorthandPropertyAssignment(property)) {
      const name = property.name.text;
      taken.add(name);
      const field = propertyOf(reader, value, name, property);
      const fallback = property.objectAssignmentInitializer;
      const given =
        isUndefined(field) && fallback !== undefined ? reader.evaluate(fallback, scope) : field;
      variableTarget(reader, property.name, scope).write(given);
    } else if (ts.isPropertyAssignment(property)) {
      const name = propertyName(reader, property.name, scope);
      taken.add(name);
      const field = propertyOf(reader, value, name, property);
      assign(reader, property.initializer, field, scope);
    } else if (ts.isSpreadAssignment(property) && value.kind === "record") {
      const rest = entriesOf(reader, value, property).filter(([name]) => !taken.has(name));
      assign(reader, property.expression, newRecord(reader, rest), scope);
    } else {
      reader.fail(messages.notDestructurable({ what: describe(value) }, reader.span(property)));
    }
  }
}

/** Declares the names of a pattern with the parts of a value. */
export function bind(
  reader: Reader,
  name: ts.BindingName,
  value: ReaderValue,
  scope: Scope,
  constant: boolean,
): void {
  if (ts.isIdentifier(name)) {
    const place = reader.heap.place(named(reader, value, name.text), name.text);
    return scope.declare(name.text, { place, constant });
  }
  if (ts.isArrayBindingPattern(name)) {
    const items = itemsFor(reader, value, name);
    for (const [k, element] of name.elements.entries()) {
      if (ts.isOmittedExpression(element)) continue;
      const item =
        element.dotDotDotToken === undefined
          ? (items[k] ?? undefinedValue)
          : newList(reader, items.slice(k));
      bindElement(reader, element, item, scope, constant);
    }
    return;
  }
  const taken = new Set<string>();
  for (const element of name.elements) {
    if (element.dotDotDotToken !== undefined) {
      if (value.kind !== "record") {
        return reader.fail(
          messages.notDestructurable({ what: describe(value) }, reader.span(name)),
        );
      }
      const rest = entriesOf(reader, value, element).filter(([field]) => !taken.has(field));
      bindElement(reader, element, newRecord(reader, rest), scope, constant);
      continue;
    }
    const field =
      element.propertyName === undefined
        ? (element.name as ts.Identifier).text
        : propertyName(reader, element.propertyName, scope);
    taken.add(field);
    bindElement(reader, element, propertyOf(reader, value, field, element), scope, constant);
  }
}

function bindElement(
  reader: Reader,
  element: ts.BindingElement,
  value: ReaderValue,
  scope: Scope,
  constant: boolean,
): void {
  const given =
    isUndefined(value) && element.initializer !== undefined
      ? reader.evaluate(element.initializer, scope)
      : value;
  bind(reader, element.name, given, scope, constant);
}

/** Names the value of the graph after the variable that holds it first. */
function named(reader: Reader, value: ReaderValue, name: string): ReaderValue {
  if (value.kind === "scalar" || value.kind === "integer" || value.kind === "tensor") {
    rename(value.value, name);
  } else if (value.kind === "record" || (value.kind === "array" && value.path.length === 0)) {
    nameObject(value.object, name);
  }
  if (value.kind === "tensor" && value.origin === undefined) {
    return { ...value, origin: { name, span: reader.span(reader.here()) } };
  }
  return value;
}

/** An object is called what the first variable that holds it is called. */
function nameObject(object: ArrayObject | RecordObject, name: string): void {
  if (!object.name.startsWith("the ")) return;
  Object.assign(object, { name });
  if ("state" in object) Object.assign(object.state, { name });
}

function variableTarget(reader: Reader, node: ts.Identifier, scope: Scope): Target {
  const name = node.text;
  const binding = scope.lookup(name);
  if (binding === undefined) {
    const declared = reader.world.resolve(node);
    if (declared.kind === "variable") {
      return {
        read: () => hostVariable(reader, declared.declaration, name, node),
        write: () => reader.fail(messages.capturedWrite({ name }, reader.span(node))),
      };
    }
    return reader.fail(messages.unknownName({ name }, reader.span(node)));
  }
  return {
    read: () => usable(reader, reader.heap.read(binding.place), name, node),
    write: (value) => {
      if (binding.constant) reader.fail(messages.constantWritten({ name }, reader.span(node)));
      reader.heap.write(binding.place, named(reader, value, name));
    },
  };
}

function fieldTarget(reader: Reader, owner: RecordReference, name: string, node: ts.Node): Target {
  return {
    read: () => propertyOf(reader, owner, name, node),
    write: (value) => writeField(reader, owner, name, value, node),
  };
}

function itemsFor(reader: Reader, value: ReaderValue, node: ts.Node): readonly ReaderValue[] {
  if (value.kind !== "array") {
    return reader.fail(messages.notDestructurable({ what: describe(value) }, reader.span(node)));
  }
  const items = listItems(reader, value, node);
  if (items !== undefined) return items;
  // A pattern of k names reads the first k elements, which must be there.
  if (hasRest(node)) return reader.needsStatic("the length of the array", node);
  const count = (node as ts.ArrayBindingPattern | ts.ArrayLiteralExpression).elements.length;
  const array: ArrayReference = value;
  return Array.from({ length: count }, (_, k) => elementOf(reader, array, fixed(k), node));
}

function hasRest(node: ts.Node): boolean {
  const elements = (node as ts.ArrayBindingPattern | ts.ArrayLiteralExpression).elements;
  return elements.some(
    (element) =>
      ts.isSpreadElement(element) ||
      (ts.isBindingElement(element) && element.dotDotDotToken !== undefined),
  );
}

function isUndefined(value: ReaderValue): boolean {
  return value.kind === "static" && value.value === undefined;
}
