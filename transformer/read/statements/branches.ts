/** `if`. */

import ts from "typescript";
import { branch } from "../branch.ts";
import { truth } from "../numbers.ts";
import { type Exit, normal, type Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import { runAll, type Work } from "./blocks.ts";

export function ifStatement(reader: Reader, node: ts.IfStatement, scope: Scope): Exit {
  const { thenStatement, elseStatement } = node;
  const condition = truth(reader, reader.evaluate(node.expression, scope), node.expression);
  const otherwise = (): Exit =>
    elseStatement === undefined ? normal : reader.run(elseStatement, scope);
  if (typeof condition === "boolean") {
    return condition ? reader.run(thenStatement, scope) : otherwise();
  }
  return branch(
    reader,
    condition,
    () => ({ exit: reader.run(thenStatement, scope) }),
    () => ({ exit: otherwise() }),
    node,
  ).exit;
}

/** An `if` of which one arm leaves: the rest of the block belongs to the other arm. */
export function ifWithRest(
  reader: Reader,
  node: ts.IfStatement,
  scope: Scope,
  rest: readonly Work[],
): Exit | undefined {
  const { thenStatement, elseStatement } = node;
  let condition: ReturnType<typeof truth>;
  try {
    condition = truth(reader, reader.evaluate(node.expression, scope), node.expression);
  } catch (error) {
    reader.reportThrown(error, node);
    return runAll(reader, rest);
  }
  const arm = (statement: ts.Statement | undefined): Exit => {
    const own = statement === undefined ? [] : [{ statement, scope }];
    return runAll(reader, [...own, ...rest]);
  };
  if (typeof condition === "boolean") return arm(condition ? thenStatement : elseStatement);
  return branch(
    reader,
    condition,
    () => ({ exit: arm(thenStatement) }),
    () => ({ exit: arm(elseStatement) }),
    node,
  ).exit;
}

/** Whether control surely leaves a statement: by `one` arm of an `if`, by `all` ways, or not. */
export function isAbrupt(node: ts.Statement | undefined): "all" | "one" | "none" {
  if (node === undefined) return "none";
  if (ts.isReturnStatement(node) || ts.isBreakOrContinueStatement(node)) return "all";
  if (ts.isThrowStatement(node)) return "all";
  if (ts.isBlock(node)) {
    return node.statements.some((statement) => isAbrupt(statement) === "all") ? "all" : "none";
  }
  if (ts.isIfStatement(node)) {
    const arms = [isAbrupt(node.thenStatement), isAbrupt(node.elseStatement)];
    if (arms.every((arm) => arm === "all")) return "all";
    return arms.includes("all") ? "one" : "none";
  }
  return "none";
}
