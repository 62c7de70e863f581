/** The places that the text of a loop assigns: what it carries, as a first guess. */

import ts from "typescript";
import type { Place } from "./heap.ts";
import type { Scope } from "./scope.ts";
import type { ReaderValue } from "./values.ts";

export function assignedPlaces(
  nodes: readonly (ts.Node | undefined)[],
  scope: Scope,
): readonly Place<unknown>[] {
  const variables = new Set<Place<unknown>>();
  const parts = new Set<Place<unknown>>();
  const skipped = new Set<unknown>();

  const target = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const binding = scope.lookup(node.text);
      if (binding === undefined || binding.constant) return;
      variables.add(binding.place as Place<unknown>);
      skipped.add(objectOf(binding.place.content));
    } else if (ts.isElementAccessExpression(node)) {
      const owner = resolve(node.expression, scope);
      if (owner?.kind !== "array") return;
      const { state } = owner.object;
      if (state.content.form === "dense") parts.add(state as Place<unknown>);
      else if (state.content.form === "list")
        for (const item of state.content.items) parts.add(item as Place<unknown>);
    } else if (ts.isPropertyAccessExpression(node)) {
      const owner = resolve(node.expression, scope);
      if (owner?.kind !== "record") return;
      const field = owner.object.fields.content.get(node.name.text);
      if (field !== undefined) parts.add(field as Place<unknown>);
    } else if (ts.isArrayLiteralExpression(node)) {
      for (const element of node.elements) target(element);
    } else if (ts.isSpreadElement(node) || ts.isParenthesizedExpression(node)) {
      target(node.expression);
    } else if (ts.isObjectLiteralExpression(node)) {
      for (const property of node.properties) {
        if (ts.isPropertyAssignment(property)) target(property.initializer);
        else if (ts.isShorthandPropertyAssignment(property)) target(property.name);
      }
    } else if (ts.isNonNullExpression(node) || ts.isAsExpression(node)) target(node.expression);
  };

  const visit = (node: ts.Node): void => {
    if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind)) target(node.left);
    if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
      const { PlusPlusToken, MinusMinusToken } = ts.SyntaxKind;
      if (node.operator === PlusPlusToken || node.operator === MinusMinusToken) {
        target(node.operand);
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const node of nodes) if (node !== undefined) visit(node);

  // An object in a variable that is assigned is carried by the variable.
  const ownParts = [...parts].filter((place) => {
    return ![...skipped].some((object) => object !== undefined && holds(object, place));
  });
  return [...variables, ...ownParts];
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment;
}

/** What an expression of names and fields stands for now, without reading it. */
function resolve(node: ts.Expression, scope: Scope): ReaderValue | undefined {
  if (ts.isIdentifier(node)) return scope.lookup(node.text)?.place.content;
  if (ts.isNonNullExpression(node) || ts.isParenthesizedExpression(node)) {
    return resolve(node.expression, scope);
  }
  if (ts.isPropertyAccessExpression(node)) {
    const owner = resolve(node.expression, scope);
    if (owner?.kind !== "record") return undefined;
    return owner.object.fields.content.get(node.name.text)?.content;
  }
  if (ts.isElementAccessExpression(node)) {
    const owner = resolve(node.expression, scope);
    return owner?.kind === "array" && owner.object.state.content.form === "dense"
      ? owner
      : undefined;
  }
  return undefined;
}

function objectOf(value: ReaderValue): unknown {
  return value.kind === "array" || value.kind === "record" ? value.object : undefined;
}

function holds(object: unknown, place: Place<unknown>): boolean {
  const owner = object as {
    readonly state?: Place<unknown> & { readonly content: unknown };
    readonly fields?: Place<ReadonlyMap<string, Place<unknown>>>;
  };
  if (owner.state === place) return true;
  const state = owner.state?.content as
    { readonly form: string; readonly items?: readonly Place<unknown>[] } | undefined;
  if (state?.items?.includes(place) === true) return true;
  return [...(owner.fields?.content.values() ?? [])].includes(place);
}
