/**
 * Locals that hold the same from their one assignment on, as one local: arrays that share a place in
 * memory have one address.
 *
 *   a = arena + 16; b = arena + 16; c = b   →   a = arena + 16, and a for b and c
 */

import type { Expr, Local, LoopFunction, Statement } from "../../kernel/loop.ts";
import { assignedBy, mapExpressions, mapOperands, visitStatements } from "../../kernel/rewrite.ts";

export function withoutAliases(fn: LoopFunction): LoopFunction {
  const assignments = new Map<Local, number>(fn.parameters.map((parameter) => [parameter, 1]));
  visitStatements(fn.body, (statement) => {
    for (const target of assignedBy(statement)) {
      assignments.set(target, (assignments.get(target) ?? 0) + 1);
    }
  });
  /** Locals that have their one value by now, by number. */
  const settled = new Map<Local, number>();
  for (const parameter of fn.parameters) {
    if (assignments.get(parameter) === 1) settled.set(parameter, settled.size);
  }
  const holders = new Map<string, Local>();
  const same = new Map<Local, Local>();
  const renamed = (expr: Expr): Expr => {
    if (expr.kind !== "local") return mapOperands(expr, renamed);
    const other = same.get(expr.local);
    return other === undefined ? expr : { kind: "local", local: other };
  };
  const body = fn.body.filter((statement: Statement) => {
    if (statement.kind !== "set" || assignments.get(statement.local) !== 1) return true;
    const value = renamed(statement.value);
    const { local } = statement;
    if (value.kind === "local" && settled.has(value.local) && value.local.type === local.type) {
      same.set(local, value.local);
      return false;
    }
    const key = keyOf(value, settled);
    const holder = key === undefined ? undefined : holders.get(key);
    if (holder !== undefined) {
      same.set(local, holder);
      return false;
    }
    if (key !== undefined) holders.set(key, local);
    settled.set(local, settled.size);
    return true;
  });
  if (same.size === 0) return fn;
  const change = (expr: Expr): Expr => (expr.kind === "local" ? renamed(expr) : expr);
  return { ...fn, body: mapExpressions(body, change), results: fn.results.map(renamed) };
}

/** Equal for sums and products of integers that are equal; undefined for anything else. */
function keyOf(expr: Expr, settled: ReadonlyMap<Local, number>): string | undefined {
  if (expr.kind === "const") return `${expr.value}:${expr.dtype}:${expr.lanes}`;
  if (expr.kind === "local") {
    const number = settled.get(expr.local);
    return number === undefined ? undefined : `#${number}`;
  }
  if (expr.kind !== "op" || expr.dtype !== "i32" || expr.lanes !== 1) return undefined;
  const operands = expr.operands.map((operand) => keyOf(operand, settled));
  return operands.includes(undefined) ? undefined : `${expr.op}(${operands.join()})`;
}
