/** Which locals a piece of code needs from outside when it becomes a function of its own. */

import type { Expr, Local, Statement } from "./loop.ts";
import { assignedBy, nestedBodies, ownExpressions, visitExpression } from "./rewrite.ts";

/**
 * The locals whose value from before the code may be read in it, or after it (`results`): the
 * parameters of the function. A local that is surely assigned first is not among them.
 */
export function freeLocals(
  body: readonly Statement[],
  results: readonly Local[],
): readonly Local[] {
  const free = new Set<Local>();
  const assigned = scan(body, new Set(), free);
  for (const result of results) if (!assigned.has(result)) free.add(result);
  return [...free];
}

/** Adds to `free` what is read before it is assigned; returns what is assigned on every path. */
function scan(
  body: readonly Statement[],
  before: ReadonlySet<Local>,
  free: Set<Local>,
): ReadonlySet<Local> {
  const assigned = new Set(before);
  for (const statement of body) {
    if (statement.kind === "while") {
      const head = scan(statement.before, assigned, free);
      readsOf([statement.condition], head, free);
      scan(statement.body, head, free);
      for (const target of head) assigned.add(target);
      continue;
    }
    readsOf(ownExpressions(statement), assigned, free);
    if (statement.kind === "for") {
      scan(statement.body, new Set([...assigned, statement.local]), free);
    } else if (statement.kind === "if") {
      const [then, otherwise] = nestedBodies(statement).map((nested) =>
        scan(nested, assigned, free),
      );
      for (const target of then ?? []) if (otherwise?.has(target)) assigned.add(target);
    } else {
      for (const target of assignedBy(statement)) assigned.add(target);
    }
  }
  return assigned;
}

function readsOf(exprs: readonly Expr[], assigned: ReadonlySet<Local>, free: Set<Local>): void {
  for (const expr of exprs) {
    visitExpression(expr, (inner) => {
      if (inner.kind === "local" && !assigned.has(inner.local)) free.add(inner.local);
    });
  }
}
