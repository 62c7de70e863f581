/**
 * Variables from around a root: constants that the source tells are known when it is compiled,
 * functions are read, and all others are captured, to be passed with each call.
 */

import ts from "typescript";
import type { Reader } from "./reader.ts";
import { Scope } from "./scope.ts";
import type { ReaderValue } from "./values.ts";
import type { VariableLike } from "./world.ts";

export function hostVariable(
  reader: Reader,
  declaration: VariableLike,
  name: string,
  node: ts.Node,
): ReaderValue {
  const known = reader.hostValues.get(declaration);
  if (known !== undefined) return known;
  const value = reader.heap.outsideOf(
    () => constantOf(reader, declaration) ?? reader.capture(declaration, name, node),
  );
  reader.hostValues.set(declaration, value);
  return value;
}

/** The value of a `const` whose initializer says it all; undefined where it does not. */
function constantOf(reader: Reader, declaration: VariableLike): ReaderValue | undefined {
  if (!ts.isVariableDeclaration(declaration) || !isConst(declaration)) return undefined;
  const { initializer } = declaration;
  if (initializer === undefined) return undefined;
  if (givesFunction(reader, initializer)) return reader.evaluate(initializer, new Scope());
  const kind = plainKind(reader, initializer);
  if (kind === "function" || kind === "scalar") return reader.evaluate(initializer, new Scope());
  if (kind !== "aggregate" || !isNeverWritten(reader, declaration)) return undefined;
  return reader.evaluate(initializer, new Scope());
}

const functionRoots = new Set([
  ...["checkpoint", "customJvp", "customVjp", "implicit", "compile", "vmap", "hvp"],
  ...["grad", "valueAndGrad", "jacfwd", "jacrev", "hessian"],
]);

/** A call of a root that gives a function: what it is given is known where it is written. */
export function givesFunction(reader: Reader, node: ts.Expression): node is ts.CallExpression {
  if (!ts.isCallExpression(node)) return false;
  const { expression } = node;
  if (!ts.isIdentifier(expression)) return false;
  const declared = reader.world.resolve(expression);
  return declared.kind === "language" && functionRoots.has(declared.name);
}

function isConst(declaration: ts.VariableDeclaration): boolean {
  return (ts.getCombinedNodeFlags(declaration) & ts.NodeFlags.Const) !== 0;
}

/** A `const` whose own initializer is known: `const step = 1 / (side - 1)`. */
function isKnownScalar(reader: Reader, node: ts.Identifier): boolean {
  const declared = reader.world.resolve(node);
  if (declared.kind !== "variable") return false;
  const { declaration } = declared;
  if (!ts.isVariableDeclaration(declaration) || !isConst(declaration)) return false;
  const { initializer } = declaration;
  return initializer !== undefined && plainKind(reader, initializer) === "scalar";
}

/** What a literal expression makes; undefined for everything that is not literal throughout. */
function plainKind(
  reader: Reader,
  node: ts.Expression,
): "function" | "scalar" | "aggregate" | undefined {
  if (
    ts.isParenthesizedExpression(node) ||
    ts.isAsExpression(node) ||
    ts.isSatisfiesExpression(node) ||
    ts.isNonNullExpression(node)
  ) {
    return plainKind(reader, node.expression);
  }
  if (ts.isArrowFunction(node) || ts.isFunctionExpression(node)) return "function";
  if (ts.isNumericLiteral(node) || ts.isStringLiteralLike(node)) return "scalar";
  if (node.kind === ts.SyntaxKind.TrueKeyword || node.kind === ts.SyntaxKind.FalseKeyword) {
    return "scalar";
  }
  if (ts.isPrefixUnaryExpression(node)) return onlyScalars(reader, [node.operand]);
  if (ts.isBinaryExpression(node)) {
    const assigns =
      node.operatorToken.kind >= ts.SyntaxKind.FirstAssignment &&
      node.operatorToken.kind <= ts.SyntaxKind.LastAssignment;
    return assigns ? undefined : onlyScalars(reader, [node.left, node.right]);
  }
  if (ts.isPropertyAccessExpression(node)) {
    const owner = node.expression;
    if (!ts.isIdentifier(owner)) return undefined;
    if (owner.text === "Math" && /^[A-Z]/.test(node.name.text)) return "scalar";
    return reader.world.resolve(owner).kind === "enum" ? "scalar" : undefined;
  }
  if (ts.isCallExpression(node)) {
    const callee = node.expression;
    const isMath =
      ts.isPropertyAccessExpression(callee) &&
      ts.isIdentifier(callee.expression) &&
      callee.expression.text === "Math" &&
      callee.name.text !== "random";
    return isMath ? onlyScalars(reader, node.arguments) : undefined;
  }
  if (ts.isIdentifier(node)) {
    if (["NaN", "Infinity", "undefined"].includes(node.text)) return "scalar";
    return isKnownScalar(reader, node) ? "scalar" : undefined;
  }
  if (ts.isArrayLiteralExpression(node)) {
    return node.elements.every((element) => plainKind(reader, element) !== undefined)
      ? "aggregate"
      : undefined;
  }
  if (ts.isObjectLiteralExpression(node)) {
    const plain = node.properties.every(
      (property) =>
        ts.isPropertyAssignment(property) && plainKind(reader, property.initializer) !== undefined,
    );
    return plain ? "aggregate" : undefined;
  }
  return undefined;
}

function onlyScalars(reader: Reader, nodes: readonly ts.Expression[]): "scalar" | undefined {
  return nodes.every((node) => plainKind(reader, node) === "scalar") ? "scalar" : undefined;
}

/**
 * An array or a record is a constant where its type is readonly, or where it stays in its file and
 * all uses there only look at it.
 */
function isNeverWritten(reader: Reader, declaration: ts.VariableDeclaration): boolean {
  if (declaration.initializer !== undefined && isAsConst(declaration.initializer)) return true;
  const checker = reader.world.checkerOf(declaration);
  const symbol = checker.getSymbolAtLocation(declaration.name);
  if (symbol === undefined || isExported(declaration)) return false;
  const onlyRead = (node: ts.Node): boolean => {
    if (ts.isIdentifier(node) && node.text === symbol.name && node !== declaration.name) {
      if (checker.getSymbolAtLocation(node) === symbol && !isPlainRead(node, checker)) return false;
    }
    return ts.forEachChild(node, (child) => (onlyRead(child) ? undefined : true)) !== true;
  };
  return onlyRead(declaration.getSourceFile());
}

function isAsConst(node: ts.Expression): boolean {
  return ts.isAsExpression(node) && node.type.getText() === "const";
}

function isExported(declaration: ts.VariableDeclaration): boolean {
  const statement = declaration.parent.parent;
  return (
    ts.isVariableStatement(statement) &&
    (statement.modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

/** A use that looks at a number in it, or goes over its elements. */
function isPlainRead(node: ts.Node, checker: ts.TypeChecker): boolean {
  let top = node;
  while (
    (ts.isElementAccessExpression(top.parent) || ts.isPropertyAccessExpression(top.parent)) &&
    top.parent.expression === top
  ) {
    top = top.parent;
  }
  const { parent } = top;
  if (top === node) {
    return (
      (ts.isForOfStatement(parent) && parent.expression === node) || ts.isSpreadElement(parent)
    );
  }
  if (ts.isCallExpression(parent) && parent.expression === top) return false;
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent)) {
    const { operator } = parent;
    return operator !== ts.SyntaxKind.PlusPlusToken && operator !== ts.SyntaxKind.MinusMinusToken;
  }
  if (ts.isBinaryExpression(parent) && parent.left === top) {
    const { kind } = parent.operatorToken;
    const { FirstAssignment, LastAssignment } = ts.SyntaxKind;
    if (kind >= FirstAssignment && kind <= LastAssignment) return false;
  }
  const primitive = ts.TypeFlags.NumberLike | ts.TypeFlags.BooleanLike | ts.TypeFlags.StringLike;
  return (checker.getTypeAtLocation(top).flags & primitive) !== 0;
}
