/** The variables of a function, and where they are read and written. */

import ts from "typescript";
import type { VariableLike, World } from "../read/world.ts";

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
  /** Where functions are mentioned, by their declarations. */
  private readonly mentions = new Map<ts.Node, ts.Identifier[]>();

  constructor(world: World, root: ts.Node) {
    const visit = (node: ts.Node): void => {
      if (ts.isTypeNode(node)) return;
      if (ts.isIdentifier(node) && !isPropertyName(node) && !isDeclared(node)) {
        const declared = world.resolve(node);
        if (declared.kind === "variable") this.note(node, declared.declaration, declared.name);
        if (declared.kind === "function" && declared.declaration.name !== node) {
          const known = this.mentions.get(declared.declaration) ?? [];
          this.mentions.set(declared.declaration, [...known, node]);
        }
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

  /** Where a function is mentioned: by its own name, or by that of the variable that holds it. */
  mentionsOf(fn: ts.Node): readonly ts.Node[] {
    const held = ts.isVariableDeclaration(fn.parent) ? this.of(fn.parent) : undefined;
    return [...(this.mentions.get(fn) ?? []), ...(held?.uses ?? []).map(({ node }) => node)];
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

  /** All variables with a use in some nodes. */
  in(nodes: readonly ts.Node[]): readonly Variable[] {
    return [...this.byDeclaration.values()]
      .map(({ variable }) => variable)
      .filter(({ uses }) => uses.some(({ node }) => isIn(node, nodes)));
  }
}

/** True of what stands in one of some nodes of the same file. */
export function isIn(node: ts.Node, nodes: readonly ts.Node[]): boolean {
  return nodes.some((outer) => outer.pos <= node.pos && node.end <= outer.end);
}

/** Whether somebody could look at a variable with the value from before, when something has failed. */
export function isSeenAfterFailure(node: ts.Node, uses: readonly Use[], root: ts.Node): boolean {
  for (let up = node.parent; up !== root; up = up.parent) {
    if (!ts.isTryStatement(up)) continue;
    const { tryBlock, catchClause, finallyBlock } = up;
    if (!isIn(node, [tryBlock])) continue;
    const isSeen = (use: Use): boolean =>
      catchClause === undefined
        ? finallyBlock !== undefined && isIn(use.node, [finallyBlock])
        : !isIn(use.node, [tryBlock]);
    if (uses.some((use) => use.isRead && isSeen(use))) return true;
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
function accessOf(node: ts.Expression): Pick<Use, "isRead" | "isWritten"> {
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
  if (isPart && isPatternPart(parent)) return write;
  const isProperty =
    (ts.isShorthandPropertyAssignment(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.initializer === node) ||
    ts.isSpreadAssignment(parent);
  if (isProperty && isPatternPart(parent.parent)) return write;
  return { isRead: true, isWritten: false };
}

/** True of what is a target, or a part of a pattern that is one. */
function isPatternPart(node: ts.Node): boolean {
  return ts.isExpression(node) && accessOf(node).isWritten;
}
