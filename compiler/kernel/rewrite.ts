/** Walks over expressions and statements of the loop IR. */

import type { Expr, Local, Statement } from "./loop.ts";

/** The direct operands of an expression. */
export function operandsOf(expr: Expr): readonly Expr[] {
  switch (expr.kind) {
    case "const":
    case "local":
    case "affine":
      return [];
    case "load":
      return [expr.base, expr.index];
    case "op":
      return expr.operands;
    case "cast":
    case "splat":
    case "lane":
      return [expr.value];
    case "shuffle":
      return [expr.a, expr.b];
    case "madd":
      return [expr.a, expr.b, expr.c];
    case "when":
      return [expr.condition, expr.then, expr.otherwise];
  }
}

/** The expression with its direct operands replaced; itself where none changes. */
export function mapOperands(expr: Expr, change: (operand: Expr) => Expr): Expr {
  switch (expr.kind) {
    case "const":
    case "local":
    case "affine":
      return expr;
    case "load": {
      const base = change(expr.base);
      const index = change(expr.index);
      return base === expr.base && index === expr.index ? expr : { ...expr, base, index };
    }
    case "op": {
      const operands = expr.operands.map(change);
      return operands.every((operand, k) => operand === expr.operands[k])
        ? expr
        : { ...expr, operands };
    }
    case "cast":
    case "splat":
    case "lane": {
      const value = change(expr.value);
      return value === expr.value ? expr : { ...expr, value };
    }
    case "shuffle":
      return { ...expr, a: change(expr.a), b: change(expr.b) };
    case "madd":
      return { ...expr, a: change(expr.a), b: change(expr.b), c: change(expr.c) };
    case "when":
      return {
        ...expr,
        condition: change(expr.condition),
        then: change(expr.then),
        otherwise: change(expr.otherwise),
      };
  }
}

/** The expressions that a statement evaluates itself, those of nested statements left out. */
export function ownExpressions(statement: Statement): readonly Expr[] {
  switch (statement.kind) {
    case "set":
      return [statement.value];
    case "store":
      return [statement.base, statement.index, statement.value];
    case "for":
      return [statement.from, statement.to];
    case "while":
    case "if":
      return [statement.condition];
    case "call":
      return statement.operands;
    case "copy":
      return [statement.to, statement.from, statement.bytes];
    case "clear":
      return [statement.to, statement.bytes];
    case "fault":
      return [statement.index, statement.extent];
  }
}

/** The statement lists nested in a statement. */
export function nestedBodies(statement: Statement): readonly (readonly Statement[])[] {
  switch (statement.kind) {
    case "for":
      return [statement.body];
    case "while":
      return [statement.before, statement.body];
    case "if":
      return [statement.then, statement.otherwise];
    default:
      return [];
  }
}

/** The statement with its own expressions and its nested lists replaced. */
export function mapStatement(
  statement: Statement,
  change: (expr: Expr) => Expr,
  nested: (body: readonly Statement[]) => readonly Statement[],
): Statement {
  switch (statement.kind) {
    case "set":
      return { ...statement, value: change(statement.value) };
    case "store":
      return {
        ...statement,
        base: change(statement.base),
        index: change(statement.index),
        value: change(statement.value),
      };
    case "for":
      return {
        ...statement,
        from: change(statement.from),
        to: change(statement.to),
        body: nested(statement.body),
      };
    case "while":
      return {
        ...statement,
        before: nested(statement.before),
        condition: change(statement.condition),
        body: nested(statement.body),
      };
    case "if":
      return {
        ...statement,
        condition: change(statement.condition),
        then: nested(statement.then),
        otherwise: nested(statement.otherwise),
      };
    case "call":
      return { ...statement, operands: statement.operands.map(change) };
    case "copy":
      return {
        ...statement,
        to: change(statement.to),
        from: change(statement.from),
        bytes: change(statement.bytes),
      };
    case "clear":
      return { ...statement, to: change(statement.to), bytes: change(statement.bytes) };
    case "fault":
      return { ...statement, index: change(statement.index), extent: change(statement.extent) };
  }
}

/** The locals that a statement assigns itself. */
export function assignedBy(statement: Statement): readonly Local[] {
  switch (statement.kind) {
    case "set":
    case "for":
      return [statement.local];
    case "call":
      return statement.results;
    default:
      return [];
  }
}

export function visitStatements(
  body: readonly Statement[],
  visit: (statement: Statement) => void,
): void {
  for (const statement of body) {
    visit(statement);
    for (const nested of nestedBodies(statement)) visitStatements(nested, visit);
  }
}

export function visitExpression(expr: Expr, visit: (expr: Expr) => void): void {
  visit(expr);
  for (const operand of operandsOf(expr)) visitExpression(operand, visit);
}

/** Every expression of a list of statements, subexpressions included. */
export function visitExpressions(body: readonly Statement[], visit: (expr: Expr) => void): void {
  visitStatements(body, (statement) => {
    for (const expr of ownExpressions(statement)) visitExpression(expr, visit);
  });
}

/** The locals assigned anywhere in a list of statements. */
export function assignedIn(body: readonly Statement[]): ReadonlySet<Local> {
  const assigned = new Set<Local>();
  visitStatements(body, (statement) => {
    for (const target of assignedBy(statement)) assigned.add(target);
  });
  return assigned;
}

/** The locals read anywhere in a list of statements, in order of first use. */
export function readIn(body: readonly Statement[]): ReadonlySet<Local> {
  const seen = new Set<Local>();
  visitExpressions(body, (expr) => {
    if (expr.kind === "local") seen.add(expr.local);
    if (expr.kind === "affine") for (const term of expr.terms) seen.add(term.local);
  });
  return seen;
}

/** Every expression rewritten from the leaves up, in all nested statements. */
export function mapExpressions(
  body: readonly Statement[],
  change: (expr: Expr) => Expr,
): readonly Statement[] {
  const deep = (expr: Expr): Expr => change(mapOperands(expr, deep));
  const list = (inner: readonly Statement[]): readonly Statement[] =>
    inner.map((statement) => mapStatement(statement, deep, list));
  return list(body);
}
