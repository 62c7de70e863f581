/** Asynchronous roots: the function stays on the host, and the regions in it become programs. */

import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { surface } from "../../lang/surface/index.ts";
import type { FunctionNode } from "../read/values.ts";
import { isFunctionNode, type World } from "../read/world.ts";
import { spanOf } from "../span.ts";
import { type Connection, connect, type ConnectOptions, type Names } from "./connect.ts";
import { type Placement, placementOf } from "./place.ts";

export interface Extraction {
  readonly placement: Placement;
  readonly connection: Connection;
  readonly options: ConnectOptions;
  readonly diagnostics: readonly Diagnostic[];
}

/** The function of a root, where it is asynchronous. */
export function asyncFunctionOf(world: World, root: ts.CallExpression): FunctionNode | undefined {
  let [node] = root.arguments as readonly (ts.Expression | undefined)[];
  while (node !== undefined && ts.isParenthesizedExpression(node)) node = node.expression;
  if (node === undefined) return undefined;
  if (isFunctionNode(node)) return isAsync(node) ? node : undefined;
  if (!ts.isIdentifier(node)) return undefined;
  const declared = world.resolve(node);
  if (declared.kind !== "function" || declared.declaration.body === undefined) return undefined;
  return isAsync(declared.declaration) ? declared.declaration : undefined;
}

function isAsync(node: FunctionNode): boolean {
  return (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword);
}

export function extract(
  world: World,
  root: ts.CallExpression,
  fn: FunctionNode,
  target: string,
  donated: readonly number[],
  names: Names,
): Extraction {
  const isLater = target !== "js" && target !== "wasm";
  const placement = placementOf(world, surface, fn, isLater);
  const options = { target, isLater, donated };
  const connection = connect(world, placement, options, names);
  const warnings = placement.refused.map(({ node, why }) =>
    messages.tensorsOnHost({ what: short(node), why: why.message }, spanOf(node)),
  );
  const diagnostics = [...shared(world, root, fn), ...connection.diagnostics, ...warnings];
  return { placement, connection, options, diagnostics };
}

function short(node: ts.Node): string {
  const text = node.getText().replaceAll(/\s+/g, " ");
  return text.length > 40 ? `${text.slice(0, 39)}…` : text;
}

/** A function that others call as well cannot be changed where it stands. */
function shared(world: World, root: ts.CallExpression, fn: FunctionNode): readonly Diagnostic[] {
  if (fn.parent === root || !ts.isFunctionDeclaration(fn))
    return isInside(fn, root) ? [] : [told()];
  const isExported = (ts.getModifiers(fn) ?? []).some(
    ({ kind }) => kind === ts.SyntaxKind.ExportKeyword,
  );
  let uses = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && node.text === fn.name?.text && node !== fn.name) {
      const declared = world.resolve(node);
      if (declared.kind === "function" && declared.declaration === fn) uses++;
    }
    ts.forEachChild(node, visit);
  };
  visit(fn.getSourceFile());
  const isHere = fn.getSourceFile() === root.getSourceFile();
  return isHere && !isExported && uses === 1 ? [] : [told()];

  function told(): Diagnostic {
    const name = fn.name?.getText() ?? (root.arguments[0] as ts.Expression).getText();
    return messages.rootUsedElsewhere({ name }, spanOf(root));
  }
}

function isInside(node: ts.Node, outer: ts.Node): boolean {
  for (let up = node.parent as ts.Node | undefined; up !== undefined; up = up.parent) {
    if (up === outer) return true;
  }
  return false;
}
