/**
 * A round of a loop in parts: what does not depend on the round before, sums that may be taken in
 * any order, and the rest, which comes late, round by round.
 *
 *   s = s + exp(x[i])   →   early: t = exp(x[i]), late: s = s + t
 */

import { type Expr, type Local, machine, read, set, type Statement, temporary } from "./loop.ts";
import { mapOperands, operandsOf, readIn, visitExpressions } from "./rewrite.ts";
import { dtypeOf } from "./vectorise.ts";

export interface Accumulator {
  readonly target: Local;
  readonly op: "add" | "sub" | "max" | "min";
  /** The early local with what is combined into it. */
  readonly value: Local;
}

export interface Parts {
  /** In the order of the round; what `isLate` is true of waits. */
  readonly statements: readonly Statement[];
  readonly isLate: (statement: Statement) => boolean;
  readonly accumulators: readonly Accumulator[];
}

/**
 * `carried` are the locals that a round hands to the next one; those of `waiting` come late even
 * where they look like sums. Undefined where something in the round cannot be put off.
 */
export function partsOf(
  body: readonly Statement[],
  carried: ReadonlySet<Local>,
  waiting: ReadonlySet<Local> = new Set(),
): Parts | undefined {
  const accumulators: Accumulator[] = [];
  const late = new Set<Statement>();
  const statements: Statement[] = [];
  const sums = [...carried].filter((target) => !waiting.has(target));
  const chains = sums.flatMap((target) => chainOf(body, target) ?? []);
  const tainted = new Set(carried);
  const dependsOn = (expr: Expr): boolean =>
    (expr.kind === "local" && tainted.has(expr.local)) ||
    (expr.kind === "affine" && expr.terms.some(({ local }) => tainted.has(local))) ||
    operandsOf(expr).some(dependsOn);
  /** Early conditions: their operands are taken from the lanes, not they. */
  const masks = new Map<Local, Expr>();
  let possible = true;
  const emit = (value: Expr): Local | undefined => {
    const dtype = dtypeOf(value);
    if (dtype === undefined || dtype === "bool") return undefined;
    const kept = temporary("t", machine(dtype));
    statements.push(set(kept, value));
    return kept;
  };
  /** The expression with what is early in locals of its own. */
  const withoutEarly = (expr: Expr): Expr => {
    const mask = expr.kind === "local" ? masks.get(expr.local) : undefined;
    if (mask !== undefined) return withoutEarly(mask);
    const whole = dependsOn(expr) || expr.kind === "const" || expr.kind === "local";
    if (expr.kind === "when" || (expr.kind === "load" && dependsOn(expr))) possible = false;
    if (!whole) {
      const kept = emit(expr);
      if (kept !== undefined) return read(kept);
      if (expr.kind === "load") possible = false;
    }
    return mapOperands(expr, withoutEarly);
  };
  for (const statement of body) {
    const chain = chains.find(({ last, first }) => statement === last || statement === first);
    if (chain !== undefined) {
      if (statement === chain.first) {
        const value = dependsOn(chain.value) ? undefined : emit(chain.value);
        if (value === undefined) return partsOf(body, carried, new Set([...waiting, chain.target]));
        accumulators.push({ target: chain.target, op: chain.op, value });
      }
    } else if (statement.kind === "set") {
      if (!dependsOn(statement.value) && !carried.has(statement.local)) {
        statements.push(statement);
        if (dtypeOf(statement.value) === "bool") masks.set(statement.local, statement.value);
      } else {
        const waiting = set(statement.local, withoutEarly(statement.value));
        statements.push(waiting);
        late.add(waiting);
        tainted.add(statement.local);
      }
    } else if (statement.kind === "store") {
      if (dependsOn(statement.base) || dependsOn(statement.index)) return undefined;
      if (!dependsOn(statement.value)) statements.push(statement);
      else {
        const waiting = { ...statement, value: withoutEarly(statement.value) };
        statements.push(waiting);
        late.add(waiting);
      }
    } else return undefined;
  }
  return possible
    ? { statements, isLate: (statement) => late.has(statement), accumulators }
    : undefined;
}

interface Chain {
  readonly target: Local;
  readonly op: Accumulator["op"];
  readonly value: Expr;
  readonly first: Statement;
  readonly last: Statement;
}

/** `t = s + x; s = t`, or at once, where nothing else reads s or t: the greatest, too. */
function chainOf(body: readonly Statement[], target: Local): Chain | undefined {
  const last = onlyAssignment(body, target);
  if (last === undefined) return undefined;
  let first = last;
  if (last.value.kind === "local") {
    const between = last.value.local;
    const found = onlyAssignment(body, between);
    if (found === undefined || reads(body, between) !== 1) return undefined;
    first = found;
  }
  const { value } = first;
  if (value.kind !== "op" || value.lanes !== 1 || reads(body, target) !== 1) return undefined;
  if (value.dtype !== "f64" && value.dtype !== "f32") return undefined;
  const { op } = value;
  const inAnyOrder = op === "max" || op === "min" || (value.loose === true && isSum(op));
  if (!inAnyOrder) return undefined;
  const [a, b] = value.operands as [Expr, Expr];
  const isTarget = (expr: Expr): boolean => expr.kind === "local" && expr.local === target;
  if (isTarget(a)) return { target, op, value: b, first, last };
  return isTarget(b) && op !== "sub" ? { target, op, value: a, first, last } : undefined;
}

function isSum(op: string): op is "add" | "sub" {
  return op === "add" || op === "sub";
}

function onlyAssignment(
  body: readonly Statement[],
  target: Local,
): Extract<Statement, { kind: "set" }> | undefined {
  const found = body.filter((statement) => statement.kind === "set" && statement.local === target);
  const [only] = found;
  return found.length === 1 && only?.kind === "set" ? only : undefined;
}

function reads(body: readonly Statement[], of: Local): number {
  if (!readIn(body).has(of)) return 0;
  let count = 0;
  visitExpressions(body, (expr) => {
    if (expr.kind === "local" && expr.local === of) count++;
  });
  return count;
}
