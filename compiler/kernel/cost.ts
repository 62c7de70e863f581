/** What a piece of code costs, roughly: one for an operation on an element, with vectors or without. */

import { ops } from "../ops/index.ts";
import { type Expr, isConstant, type Statement } from "./loop.ts";
import { nestedBodies, operandsOf, ownExpressions } from "./rewrite.ts";

const costly = 16;
const division = 4;
/** Rounds of a loop of which the number is not known. */
const typicalRounds = 64;

export function costOf(body: readonly Statement[]): number {
  return body.reduce((sum, statement) => sum + statementCost(statement), 0);
}

function statementCost(statement: Statement): number {
  const own = ownExpressions(statement).reduce((sum, expr) => sum + expressionCost(expr), 1);
  const inside = nestedBodies(statement).reduce((sum, nested) => sum + costOf(nested), 0);
  if (statement.kind !== "for") return own + inside;
  const { from, to, step } = statement;
  const known = isConstant(from) && isConstant(to);
  return own + inside * (known ? Math.max(0, (to.value - from.value) / step) : typicalRounds);
}

function expressionCost(expr: Expr): number {
  const inside = operandsOf(expr).reduce((sum, operand) => sum + expressionCost(operand), 0);
  if (expr.kind === "load") return inside + 1;
  if (expr.kind !== "op") return inside;
  if (expr.op === "div" || expr.op === "sqrt") return inside + division;
  const laws = Object.hasOwn(ops, expr.op) ? ops[expr.op]?.laws : undefined;
  return inside + (laws?.costly === true ? costly : 1);
}
