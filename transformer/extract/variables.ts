/** The variables of a function, and where they are read and written. */

import ts from "typescript";
import { type Declared, isFunctionNode, type VariableLike, type World } from "../read/world.ts";

/** An identifier that stands for a variable. */
export interface Use {
  readonly node: ts.Identifier;
  readonly isRead: boolean;
  readonly isWritten: boolean;
}

export interface Variable {
  readonly name: string;
  readonly declaration: VariableLike;
  readonly uses: readonly Use[];
}

/** The variables that a function mentions, its own and those from around. */
export class Variables {
  private readonly byDeclaration = new Map<ts.Node, { variable: Variable; uses: Use[] }>();
  /** Where functions of the root are named. */
  private readonly named: { readonly node: ts.Identifier; readonly functions: ts.Node[] }[] = [];

  constructor(world: World, root: ts.Node) {
    const visit = (node: ts.Node): void => {
      if (ts.isTypeNode(node)) return;
      if (ts.isIdentifier(node) && !isPropertyName(node) && !isDeclared(node)) {
        const declared = world.resolve(node);
        if (declared.kind === "variable") this.note(node, declared.declaration, declared.name);
        const functions = functionsOf(declared).filter(
          (fn) => fn.getSourceFile() === root.getSourceFile() && isIn(fn, [root]),
        );
        if (functions.length > 0) this.named.push({ node, functions });
      }
      ts.forEachChild(node, visit);
    };
    visit(root);
  }

  private note(node: ts.Identifier, declaration: VariableLike, name: string): void {
    let known = this.byDeclaration.get(declaration);
    if (known === undefined) {
      const uses: Use[] = [];
      known = { variable: { name, declaration, uses }, uses };
      this.byDeclaration.set(declaration, known);
    }
    known.uses.push({ node, ...accessOf(node) });
  }

  /** Where a function is named, or the variable that holds it. */
  mentionsOf(fn: ts.Node): readonly ts.Node[] {
    return this.named.flatMap(({ node, functions }) => (functions.includes(fn) ? [node] : []));
  }

  of(declaration: ts.Node): Variable | undefined {
    return this.byDeclaration.get(declaration)?.variable;
  }

  /** All variables of a name. */
  called(name: string): readonly Variable[] {
    return [...this.byDeclaration.values()]
      .map(({ variable }) => variable)
      .filter((variable) => variable.name === name);
  }

  /** Some nodes with the functions of the root that may run when these do. */
  withFunctions(nodes: readonly ts.Node[]): readonly ts.Node[] {
    const found = [...nodes];
    for (const outer of found) {
      for (const { node, functions } of this.named) {
        if (!isIn(node, [outer])) continue;
        found.push(...functions.filter((fn) => !found.includes(fn)));
      }
    }
    return found;
  }

  /** All variables with a use in some nodes. */
  in(nodes: readonly ts.Node[]): readonly Variable[] {
    return [...this.byDeclaration.values()]
      .map(({ variable }) => variable)
      .filter(({ uses }) => uses.some(({ node }) => isIn(node, nodes)));
  }
}

/** The functions that a name stands for, or that its first value holds. */
function functionsOf(declared: Declared): readonly ts.Node[] {
  if (declared.kind === "function") return [declared.declaration];
  if (declared.kind !== "variable") return [];
  let top: ts.Node = declared.declaration;
  while (
    ts.isBindingElement(top) ||
    ts.isObjectBindingPattern(top) ||
    ts.isArrayBindingPattern(top)
  ) {
    top = top.parent;
  }
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (isFunctionNode(node)) found.push(node);
    else ts.forEachChild(node, visit);
  };
  if (ts.isVariableDeclaration(top) && top.initializer) visit(top.initializer);
  return found;
}

/** True of what stands in one of some nodes of the same file. */
export function isIn(node: ts.Node, nodes: readonly ts.Node[]): boolean {
  return nodes.some((outer) => outer.pos <= node.pos && node.end <= outer.end);
}

/** Whether other functions than the one around a node mention a variable. */
export function isShared({ declaration, uses }: Variable, at: ts.Node): boolean {
  const own = functionAround(at);
  return [declaration, ...uses.map(({ node }) => node)].some(
    (node) => functionAround(node) !== own,
  );
}

function functionAround(node: ts.Node): ts.Node | undefined {
  let up = node.parent as ts.Node | undefined;
  while (up !== undefined && !isFunctionNode(up)) up = up.parent;
  return up;
}

/** Whether a node may wait: the nearest function around it is asynchronous. */
export function canWait(node: ts.Node): boolean {
  for (let up: ts.Node | undefined = node.parent; up !== undefined; up = up.parent) {
    // A default of an argument cannot wait.
    if (ts.isParameter(up)) return false;
    if (ts.isFunctionLike(up)) {
      return (
        ts.canHaveModifiers(up) &&
        (ts.getModifiers(up) ?? []).some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword)
      );
    }
  }
  return false;
}

/** The variables that statements declare in their own list. */
export function declaredBy(statements: readonly ts.Node[]): readonly VariableLike[] {
  const found: VariableLike[] = [];
  const visit = (declaration: ts.VariableDeclaration | ts.BindingElement): void => {
    if (ts.isIdentifier(declaration.name)) {
      found.push(declaration);
      return;
    }
    for (const element of declaration.name.elements)
      if (ts.isBindingElement(element)) visit(element);
  };
  for (const statement of statements) {
    if (ts.isVariableStatement(statement)) statement.declarationList.declarations.forEach(visit);
  }
  return found;
}

function isPropertyName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isBindingElement(parent) && parent.propertyName === node) ||
    (ts.isMethodDeclaration(parent) && parent.name === node) ||
    ts.isLabeledStatement(parent) ||
    ts.isBreakOrContinueStatement(parent)
  );
}

function isDeclared({ parent, ...node }: ts.Identifier): boolean {
  const isNamed = ts.isVariableDeclaration(parent) || ts.isParameter(parent);
  return (isNamed || ts.isBindingElement(parent)) && parent.name.pos === node.pos;
}

/** What an expression is used for, where it may be a target. */
export function accessOf(node: ts.Expression): Pick<Use, "isRead" | "isWritten"> {
  const { parent } = node;
  const write = { isRead: false, isWritten: true };
  const both = { isRead: true, isWritten: true };
  if (ts.isBinaryExpression(parent) && parent.left === node) {
    const { kind } = parent.operatorToken;
    if (kind === ts.SyntaxKind.EqualsToken) return write;
    const { FirstAssignment, LastAssignment } = ts.SyntaxKind;
    if (kind >= FirstAssignment && kind <= LastAssignment) return both;
  }
  if (ts.isPrefixUnaryExpression(parent) || ts.isPostfixUnaryExpression(parent)) {
    const { operator } = parent;
    const { PlusPlusToken, MinusMinusToken } = ts.SyntaxKind;
    if (operator === PlusPlusToken || operator === MinusMinusToken) return both;
  }
  if ((ts.isForOfStatement(parent) || ts.isForInStatement(parent)) && parent.initializer === node) {
    return write;
  }
  const isPart =
    ts.isParenthesizedExpression(parent) ||
    ts.isNonNullExpression(parent) ||
    ts.isAsExpression(parent) ||
    ts.isSatisfiesExpression(parent) ||
    ts.isSpreadElement(parent) ||
    ts.isArrayLiteralExpression(parent) ||
    ts.isObjectLiteralExpression(parent);
  if (isPart && isTarget(parent)) return write;
  const isProperty =
    (ts.isShorthandPropertyAssignment(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.initializer === node) ||
    ts.isSpreadAssignment(parent);
  if (isProperty && isTarget(parent.parent)) return write;
  return { isRead: true, isWritten: false };
}

/** True of what is a target, or a part of a pattern that is one. */
export function isTarget(node: ts.Node): boolean {
  return ts.isExpression(node) && accessOf(node).isWritten;
}
