/**
 * Drops parameters that no function needs: symbols and memory are handed to every function of a
 * program, through every call, and most read none of them.
 */

import type { Expr, Local, LoopFunction, Statement } from "./loop.ts";
import { mapStatement, ownExpressions, visitExpression, visitStatements } from "./rewrite.ts";

/** Those that are called from outside keep their parameters. */
export function dropParameters(
  functions: readonly LoopFunction[],
  roots: readonly LoopFunction[],
): readonly LoopFunction[] {
  const needed = neededParameters(functions, roots);
  const keeps = (name: string, k: number): boolean => needed.get(name)?.has(k) ?? true;
  const rewrite = (body: readonly Statement[]): readonly Statement[] =>
    body.map((statement) => {
      if (statement.kind !== "call") return mapStatement(statement, (expr) => expr, rewrite);
      const { callee, operands } = statement;
      return { ...statement, operands: operands.filter((_, k) => keeps(callee, k)) };
    });
  return functions.map((fn) => ({
    ...fn,
    parameters: fn.parameters.filter((_, k) => keeps(fn.name, k)),
    body: rewrite(fn.body),
  }));
}

/** By function, the positions of the parameters that it reads, not only hands on. */
function neededParameters(
  functions: readonly LoopFunction[],
  roots: readonly LoopFunction[],
): ReadonlyMap<string, ReadonlySet<number>> {
  const needed = new Map<string, Set<number>>();
  for (const fn of functions) if (!roots.includes(fn)) needed.set(fn.name, new Set());
  const known = new Map(functions.map((fn) => [fn.name, readsOf(fn, needed)] as const));
  for (let changed = true; changed;) {
    changed = false;
    for (const fn of functions) {
      const mine = needed.get(fn.name);
      const reads = known.get(fn.name);
      if (mine === undefined || reads === undefined) continue;
      fn.parameters.forEach((parameter, k) => {
        if (mine.has(k)) return;
        const handed = reads.handedOn.get(parameter) ?? [];
        const wanted = handed.some(([callee, at]) => needed.get(callee)?.has(at) === true);
        if (!wanted && !reads.direct.has(parameter)) return;
        mine.add(k);
        changed = true;
      });
    }
  }
  return needed;
}

interface Reads {
  readonly direct: ReadonlySet<Local>;
  /** Calls that a local is an operand of, by callee and position. */
  readonly handedOn: ReadonlyMap<Local, readonly (readonly [string, number])[]>;
}

function readsOf(fn: LoopFunction, inside: ReadonlyMap<string, unknown>): Reads {
  const direct = new Set<Local>();
  const handedOn = new Map<Local, (readonly [string, number])[]>();
  const note = (expr: Expr): void =>
    visitExpression(expr, (inner) => {
      if (inner.kind === "local") direct.add(inner.local);
    });
  visitStatements(fn.body, (statement) => {
    if (statement.kind !== "call" || !inside.has(statement.callee)) {
      ownExpressions(statement).forEach(note);
      return;
    }
    statement.operands.forEach((operand, k) =>
      visitExpression(operand, (inner) => {
        if (inner.kind !== "local") return;
        const calls = handedOn.get(inner.local) ?? [];
        calls.push([statement.callee, k]);
        handedOn.set(inner.local, calls);
      }),
    );
  });
  fn.results.forEach(note);
  return { direct, handedOn };
}
