/** Where the host may wait for a value before the statement that needs it. */

import ts from "typescript";
import { isFunctionNode } from "../read/world.ts";
import { accessOf, isIn } from "./variables.ts";

/** Whether a statement stands in a list of them. */
export function isListed({ parent }: ts.Node): boolean {
  return ts.isBlock(parent) || ts.isSourceFile(parent) || ts.isCaseOrDefaultClause(parent);
}

/** What parts an expression in parentheses from the line before, where that has no semicolon. */
export function separator(node: ts.Node): string {
  let top = node;
  while (ts.isExpression(top)) top = top.parent;
  const isFirst = ts.isExpressionStatement(top) && top.getStart() === node.getStart();
  return isFirst && isListed(top) ? ";" : "";
}

export function unwrapped(node: ts.Expression): ts.Expression {
  return ts.isParenthesizedExpression(node) ? unwrapped(node.expression) : node;
}

/**
 * The assignment that a value is for, if it is a statement and the value may be there before: it
 * is needed in any case, and nothing else in the statement has an effect.
 */
export function assignmentAround(
  node: ts.Node,
  onDevice: readonly ts.Node[],
): ts.ExpressionStatement | undefined {
  let top = node;
  for (; ts.isExpression(top); top = top.parent) {
    const { parent } = top;
    const isCondition = ts.isConditionalExpression(parent) && parent.condition !== top;
    if (isCondition || isFunctionNode(parent)) return undefined;
    if (ts.isBinaryExpression(parent) && parent.right === top && isShortCircuit(parent)) {
      return undefined;
    }
  }
  if (!ts.isExpressionStatement(top)) return undefined;
  const assignment = unwrapped(top.expression);
  if (!ts.isBinaryExpression(assignment) || !isIn(node, [assignment.right])) return undefined;
  const { FirstAssignment, LastAssignment } = ts.SyntaxKind;
  const { kind } = assignment.operatorToken;
  if (kind < FirstAssignment || kind > LastAssignment) return undefined;
  const sides = [assignment.left, assignment.right];
  return sides.every((side) => isWithoutEffects(side, onDevice)) ? top : undefined;
}

function isShortCircuit({ operatorToken }: ts.BinaryExpression): boolean {
  return shortCircuits.has(operatorToken.kind);
}

const shortCircuits: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken,
]);

/** True of reads, arithmetic, `Math` and elements of tensors. */
function isWithoutEffects(node: ts.Node, onDevice: readonly ts.Node[]): boolean {
  if (onDevice.includes(node)) return true;
  if (ts.isCallExpression(node)) {
    const { expression } = node;
    const isPlain =
      ts.isPropertyAccessExpression(expression) &&
      (expression.name.text === "item" || expression.expression.getText() === "Math");
    if (!isPlain) return false;
  }
  if (
    ts.isAwaitExpression(node) ||
    ts.isYieldExpression(node) ||
    ts.isNewExpression(node) ||
    ts.isTaggedTemplateExpression(node) ||
    ts.isPostfixUnaryExpression(node) ||
    (ts.isPrefixUnaryExpression(node) && accessOf(node.operand as ts.Expression).isWritten) ||
    (ts.isBinaryExpression(node) && accessOf(node.left).isWritten)
  ) {
    return false;
  }
  return (
    ts.forEachChild(node, (child) => (isWithoutEffects(child, onDevice) ? undefined : true)) !==
    true
  );
}
