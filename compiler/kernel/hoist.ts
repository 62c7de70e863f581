/**
 * Moves what does not change in a loop in front of it.
 * `for j { y[i*n + j] = x[i] }` → `t = i*n; s = x[i]; for j { y[t + j] = s }`.
 * Only for kernels: stores there never write what a load at another index reads.
 */

import { offsetRange } from "./affine.ts";
import {
  add,
  constant,
  type Expr,
  isConstant,
  type Local,
  machine,
  multiply,
  read,
  temporary,
} from "./loop.ts";
import type { Statement } from "./loop.ts";
import { byteSize } from "../ir/types.ts";
import { resultDtype } from "./dtypes.ts";
import { assignedIn, mapOperands, mapStatement, operandsOf, visitStatements } from "./rewrite.ts";

export function hoist(body: readonly Statement[]): readonly Statement[] {
  const identities: Identities = new Map();
  return body.flatMap((statement) => hoistStatement(statement, identities));
}

/** Numbers for locals, so that expressions compare as text. */
type Identities = Map<Local, number>;

function hoistStatement(statement: Statement, identities: Identities): readonly Statement[] {
  const hoistList = (nested: readonly Statement[]): readonly Statement[] =>
    nested.flatMap((inside) => hoistStatement(inside, identities));
  if (statement.kind !== "for") {
    return [mapStatement(statement, (expr) => expr, hoistList)];
  }
  const inner = hoistList(statement.body);
  const changing = new Set<Local>([...assignedIn(inner), statement.local]);
  const storedTo = storedBases(inner);
  const front: Statement[] = [];
  const known = new Map<string, Local>();

  const invariant = (expr: Expr, conditional: boolean): boolean => {
    switch (expr.kind) {
      case "local":
        return !changing.has(expr.local);
      case "affine":
        return false;
      case "load":
        if (conditional || mayAlias(expr.base, storedTo)) return false;
        break;
      case "op":
        if (conditional && (expr.lanes > 1 || expr.dtype !== "i32")) return false;
        if (expr.op === "index_div" || expr.op === "index_rem") {
          const divisor = expr.operands[1];
          if (divisor === undefined || !isConstant(divisor) || divisor.value === 0) return false;
        }
        break;
      case "when":
        if (conditional) return false;
        break;
      default:
        break;
    }
    return operandsOf(expr).every((operand) => invariant(operand, conditional));
  };

  const lift = (expr: Expr): Expr => {
    const key = textKey(expr, identities);
    const present = known.get(key);
    if (present !== undefined) return read(present);
    const target = temporary("t", exprMachine(expr), rootPointer(expr));
    known.set(key, target);
    front.push({ kind: "set", local: target, value: expr });
    return read(target);
  };

  const change = (expr: Expr, conditional: boolean): Expr => {
    if (expr.kind === "const" || expr.kind === "local" || expr.kind === "affine") return expr;
    if (invariant(expr, conditional)) return lift(expr);
    if (expr.kind === "when") {
      return {
        ...expr,
        condition: change(expr.condition, conditional),
        then: change(expr.then, true),
        otherwise: change(expr.otherwise, true),
      };
    }
    if (expr.kind === "load") {
      const [base, index] = change2(expr.base, expr.index, byteSize(expr.dtype), conditional);
      return { ...expr, base, index };
    }
    return mapOperands(expr, (operand) => change(operand, conditional));
  };

  /** `base[fixed + varying + 3]` → `(base + size*fixed)[varying + 3]`, with a sum in front. */
  const change2 = (base: Expr, index: Expr, size: number, conditional: boolean): [Expr, Expr] => {
    const terms = addends(index);
    const isFixed = (term: Expr): boolean => !isOffset(term) && invariant(term, conditional);
    const fixed = terms.filter(isFixed);
    if (fixed.length === 0 || !invariant(base, conditional)) {
      return [change(base, conditional), change(index, conditional)];
    }
    const rest = terms.filter((term) => !isFixed(term) && !isOffset(term));
    const offset = terms.filter(isOffset);
    const address = add(base, multiply(fixed.reduce(add), constant(size)));
    const varying = rest.map((term) => change(term, conditional));
    return [lift(address), [...varying, ...offset].reduce(add, constant(0))];
  };

  const list = (statements: readonly Statement[], conditional: boolean): readonly Statement[] =>
    statements.map((inside): Statement => {
      if (inside.kind === "store") {
        const [base, index] = change2(
          inside.base,
          inside.index,
          byteSize(inside.dtype),
          conditional,
        );
        return { ...inside, base, index, value: change(inside.value, conditional) };
      }
      // What inner loops lifted stands in front of them and is considered again here.
      const within = conditional || inside.kind === "if" || inside.kind === "while";
      return mapStatement(
        inside,
        (expr) => change(expr, conditional),
        (nested) => (inside.kind === "for" ? nested : list(nested, within)),
      );
    });

  const rest = list(dropLifted(inner, changing, front, invariant), false);
  return [...front, { ...statement, body: rest }];
}

/** The terms of a sum of indices. */
function addends(index: Expr): readonly Expr[] {
  if (index.kind !== "op" || index.op !== "add" || index.dtype !== "i32") return [index];
  return index.operands.flatMap(addends);
}

/** What a load or store adds to its address without an instruction. */
function isOffset(term: Expr): boolean {
  return isConstant(term) && term.value >= 0 && term.value < offsetRange;
}

/** Whole assignments of locals set once, from invariant values, move to the front. */
function dropLifted(
  body: readonly Statement[],
  changing: Set<Local>,
  front: Statement[],
  invariant: (expr: Expr, conditional: boolean) => boolean,
): readonly Statement[] {
  const counts = new Map<Local, number>();
  visitStatements(body, (statement) => {
    if (statement.kind === "set") {
      counts.set(statement.local, (counts.get(statement.local) ?? 0) + 1);
    }
    if (statement.kind === "for") counts.set(statement.local, 2);
    if (statement.kind === "call") for (const result of statement.results) counts.set(result, 2);
  });
  return body.filter((statement) => {
    if (statement.kind !== "set" || counts.get(statement.local) !== 1) return true;
    if (statement.local.once !== true || !invariant(statement.value, false)) return true;
    changing.delete(statement.local);
    front.push(statement);
    return false;
  });
}

/** The pointers that are stored through, by their first local; undefined when one is unknown. */
function storedBases(body: readonly Statement[]): ReadonlySet<Local> | undefined {
  const bases = new Set<Local>();
  let known = true;
  const visitBase = (base: Expr): void => {
    const root = rootPointer(base);
    if (root === undefined) known = false;
    else bases.add(root);
  };
  visitStatements(body, (statement) => {
    if (statement.kind === "store") visitBase(statement.base);
    if (statement.kind === "copy" || statement.kind === "clear") visitBase(statement.to);
    if (statement.kind === "call") known = false;
  });
  return known ? bases : undefined;
}

function mayAlias(base: Expr, stored: ReadonlySet<Local> | undefined): boolean {
  if (stored === undefined) return true;
  const root = rootPointer(base);
  return root === undefined || stored.has(root);
}

function rootPointer(base: Expr): Local | undefined {
  if (base.kind === "local") return base.local.root ?? base.local;
  if (base.kind === "op" && base.op === "add") {
    const [left] = base.operands;
    return left === undefined ? undefined : rootPointer(left);
  }
  return undefined;
}

/** Equal text for equal expressions. */
function textKey(expr: Expr, identities: Identities): string {
  return JSON.stringify(expr, (_, value: unknown) => {
    if (typeof value === "object" && value !== null && "name" in value && "type" in value) {
      const of = value as Local;
      let identity = identities.get(of);
      if (identity === undefined) identities.set(of, (identity = identities.size));
      return identity;
    }
    if (typeof value === "number" && !Number.isFinite(value)) return String(value);
    return Object.is(value, -0) ? "-0" : value;
  });
}

/** The machine type of an expression's value. */
export function exprMachine(expr: Expr): Local["type"] {
  switch (expr.kind) {
    case "const":
      return machine(expr.dtype, expr.lanes);
    case "local":
      return expr.local.type;
    case "affine":
      return "i32";
    case "load":
    case "splat":
    case "shuffle":
    case "madd":
    case "when":
      return machine(expr.dtype, expr.lanes);
    case "lane":
      return machine(expr.dtype);
    case "cast":
      return machine(expr.to, expr.lanes);
    case "op":
      return machine(resultDtype(expr.op, expr.dtype), expr.lanes);
  }
}
