/** `switch`: the clauses as a chain of tests; a clause that falls through reads on in the next. */

import ts from "typescript";
import { branch } from "../branch.ts";
import { apply } from "../expressions/operators.ts";
import { withoutTargets } from "../loop.ts";
import { truth } from "../numbers.ts";
import { type Exit, normal, type Reader } from "../reader.ts";
import { Scope } from "../scope.ts";
import type { ReaderValue } from "../values.ts";
import { runStatements } from "./blocks.ts";
import { isAbrupt } from "./branches.ts";

export function switchStatement(reader: Reader, node: ts.SwitchStatement, scope: Scope): Exit {
  const value = reader.evaluate(node.expression, scope);
  const breakTarget = reader.newTarget();
  const jump = { label: undefined, breakTarget, continueTarget: undefined, plain: true };
  const inside = new Scope(scope, { jump });
  const exit = clauseFrom(reader, node, value, inside, 0);
  return withoutTargets(reader, exit, [breakTarget], node);
}

/** Tests the clauses from the k-th on; the default is taken when none fits. */
function clauseFrom(
  reader: Reader,
  node: ts.SwitchStatement,
  value: ReaderValue,
  scope: Scope,
  k: number,
): Exit {
  const { clauses } = node.caseBlock;
  const clause = clauses[k];
  if (clause === undefined) {
    const fallback = clauses.findIndex(ts.isDefaultClause);
    return fallback < 0 ? normal : runClause(reader, node, scope, fallback);
  }
  if (ts.isDefaultClause(clause)) return clauseFrom(reader, node, value, scope, k + 1);
  const label = reader.evaluate(clause.expression, scope);
  const equal = ts.SyntaxKind.EqualsEqualsEqualsToken;
  const fits = truth(reader, apply(reader, equal, value, label, clause), clause);
  if (fits === true) return runClause(reader, node, scope, k);
  if (fits === false) return clauseFrom(reader, node, value, scope, k + 1);
  return branch(
    reader,
    fits,
    () => ({ exit: runClause(reader, node, scope, k) }),
    () => ({ exit: clauseFrom(reader, node, value, scope, k + 1) }),
    clause,
  ).exit;
}

/** The statements of a clause, and of those that it falls into. */
function runClause(reader: Reader, node: ts.SwitchStatement, scope: Scope, k: number): Exit {
  const statements: ts.Statement[] = [];
  for (const clause of node.caseBlock.clauses.slice(k)) {
    statements.push(...clause.statements);
    if (clause.statements.some((statement) => isAbrupt(statement) === "all")) break;
  }
  return runStatements(reader, statements, new Scope(scope));
}
