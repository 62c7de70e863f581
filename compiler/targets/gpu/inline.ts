/** Entries with the functions in them that write to memory: all that is stored is then in sight. */

import {
  type Expr,
  isConstant,
  type Local,
  type LoopFunction,
  read,
  set,
  type Statement,
} from "../../kernel/loop.ts";
import { assignedIn, mapOperands, mapStatement, visitStatements } from "../../kernel/rewrite.ts";

export type Functions = ReadonlyMap<string, LoopFunction>;

/** The code with calls of functions that write replaced by what they do. */
export function withWriters(
  body: readonly Statement[],
  functions: Functions,
): readonly Statement[] {
  return body.flatMap((statement): readonly Statement[] => {
    if (statement.kind === "call") {
      const fn = functions.get(statement.callee);
      if (fn === undefined || !writes(fn.body, functions)) return [statement];
      return withWriters(bodyOf(fn, statement.operands, statement.results), functions);
    }
    return [
      mapStatement(
        statement,
        (expr) => expr,
        (inner) => withWriters(inner, functions),
      ),
    ];
  });
}

/** True of code that stores something, itself or in a function that it calls. */
export function writes(body: readonly Statement[], functions: Functions): boolean {
  let found = false;
  visitStatements(body, (statement) => {
    if (statement.kind === "store" || statement.kind === "copy" || statement.kind === "clear") {
      found = true;
    }
    if (statement.kind !== "call") return;
    const fn = functions.get(statement.callee);
    if (fn !== undefined && writes(fn.body, functions)) found = true;
  });
  return found;
}

/** What a call does, with locals of its own. */
function bodyOf(
  { parameters, body, results }: LoopFunction,
  operands: readonly Expr[],
  targets: readonly Local[],
): readonly Statement[] {
  const assigned = assignedIn(body);
  const inside = new Map<Local, Expr>();
  for (const of of assigned) inside.set(of, read({ ...of }));
  const entry: Statement[] = [];
  parameters.forEach((parameter, k) => {
    const operand = operands[k] as Expr;
    const isPlain = operand.kind === "local" || isConstant(operand);
    if (isPlain && !assigned.has(parameter)) {
      inside.set(parameter, operand);
      return;
    }
    const own = { ...parameter };
    inside.set(parameter, read(own));
    entry.push(set(own, operand));
  });
  const own = renamed(body, inside);
  const last = results.map((result, k) => set(targets[k] as Local, substituted(result, inside)));
  return [...entry, ...own, ...last];
}

function substituted(expr: Expr, inside: ReadonlyMap<Local, Expr>): Expr {
  if (expr.kind === "local") return inside.get(expr.local) ?? expr;
  return mapOperands(expr, (operand) => substituted(operand, inside));
}

function renamed(
  body: readonly Statement[],
  inside: ReadonlyMap<Local, Expr>,
): readonly Statement[] {
  const target = (of: Local): Local => {
    const own = inside.get(of);
    return own?.kind === "local" ? own.local : of;
  };
  return body.map((statement): Statement => {
    const mapped = mapStatement(
      statement,
      (expr) => substituted(expr, inside),
      (inner) => renamed(inner, inside),
    );
    switch (mapped.kind) {
      case "set":
      case "for":
        return { ...mapped, local: target(mapped.local) };
      case "call":
        return { ...mapped, results: mapped.results.map(target) };
      default:
        return mapped;
    }
  });
}
