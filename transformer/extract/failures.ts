/** What the host could see of a region that has failed. */

import ts from "typescript";
import { isFunctionNode } from "../read/world.ts";
import { isIn, type Variable } from "./variables.ts";

/**
 * Whether somebody could look at a variable with the value from before, when a region has failed:
 * an error is caught, and the variable was there before what is tried began.
 */
export function isSeenAfterFailure(
  node: ts.Node,
  { declaration, uses }: Variable,
  root: ts.Node,
): boolean {
  const reads = uses.filter(({ isRead }) => isRead);
  if (reads.length === 0) return false;
  for (let up = node.parent; up !== root && !isIn(declaration, [up]); up = up.parent) {
    // Whoever calls the function may go on.
    if (isFunctionNode(up) && mayCatch(root)) return true;
    if (!ts.isTryStatement(up)) continue;
    const { tryBlock, catchClause, finallyBlock } = up;
    if (!isIn(node, [tryBlock])) continue;
    const isCaught = catchClause !== undefined || hasJumps(finallyBlock);
    if (isCaught && isRepeated(up, declaration, root)) return true;
    const after = isCaught ? reads.filter((use) => !isIn(use.node, [tryBlock])) : reads;
    if (after.some((use) => isCaught || (finallyBlock && isIn(use.node, [finallyBlock])))) {
      return true;
    }
  }
  return false;
}

/** Whether a statement runs more often than a variable is declared. */
function isRepeated(node: ts.Node, declaration: ts.Node, root: ts.Node): boolean {
  for (let up = node.parent; up !== root && !isIn(declaration, [up]); up = up.parent) {
    if (ts.isIterationStatement(up, false) || isFunctionNode(up)) return true;
  }
  return false;
}

/** Names of the methods of promises that hand errors on. */
const catching: ReadonlySet<string> = new Set(["catch", "then", "allSettled", "any", "race"]);

/** Whether an error of an inner function may be caught inside of the root. */
function mayCatch(root: ts.Node): boolean {
  const visit = (node: ts.Node): boolean =>
    ts.isTryStatement(node) ||
    (ts.isPropertyAccessExpression(node) && catching.has(node.name.text)) ||
    ts.forEachChild(node, (child) => visit(child) || undefined) === true;
  return visit(root);
}

/** Whether a `finally` block may end otherwise than with the error. */
function hasJumps(block: ts.Block | undefined): boolean {
  const visit = (node: ts.Node): boolean => {
    if (isFunctionNode(node)) return false;
    if (ts.isReturnStatement(node) || ts.isBreakOrContinueStatement(node)) return true;
    return ts.forEachChild(node, (child) => visit(child) || undefined) === true;
  };
  return block !== undefined && visit(block);
}

/**
 * Whether a region assigns a variable before something in it may fail: the host would still see the
 * value from before. An assignment at the end comes after all else.
 */
export function writesBeforeFailure(
  nodes: readonly ts.Node[],
  { uses }: Pick<Variable, "uses">,
): boolean {
  const last = nodes.at(-1) as ts.Node;
  const target = assignedLast(last);
  return uses.some(
    ({ node, isWritten }) =>
      isWritten && isIn(node, nodes) && (target === undefined || !isIn(node, [target])),
  );
}

/** The target of a statement that is an assignment. */
function assignedLast(statement: ts.Node): ts.Node | undefined {
  if (!ts.isExpressionStatement(statement)) return undefined;
  let { expression } = statement as { readonly expression: ts.Expression };
  while (ts.isParenthesizedExpression(expression)) ({ expression } = expression);
  if (!ts.isBinaryExpression(expression)) return undefined;
  const { FirstAssignment, LastAssignment } = ts.SyntaxKind;
  const { kind } = expression.operatorToken;
  return kind >= FirstAssignment && kind <= LastAssignment ? expression.left : undefined;
}
