/** Blocks: statements in order, and what becomes of the rest when one of them leaves. */

import ts from "typescript";
import { branch } from "../branch.ts";
import { functionName } from "../expressions/functions.ts";
import { isRunning, withoutTargets } from "../loop.ts";
import { type Exit, normal, type Reader } from "../reader.ts";
import { Scope } from "../scope.ts";
import { type ReaderValue, undefinedValue } from "../values.ts";
import { ifWithRest, isAbrupt } from "./branches.ts";

/** A statement, and where it stands. */
export interface Work {
  readonly statement: ts.Statement;
  readonly scope: Scope;
}

export function blockStatement(reader: Reader, node: ts.Block, scope: Scope): Exit {
  return runStatements(reader, node.statements, new Scope(scope));
}

export function runStatements(
  reader: Reader,
  statements: readonly ts.Statement[],
  scope: Scope,
): Exit {
  hoist(reader, statements, scope);
  return runAll(
    reader,
    statements.map((statement) => ({ statement, scope })),
  );
}

/** Functions are there before the first statement. */
function hoist(reader: Reader, statements: readonly ts.Statement[], scope: Scope): void {
  for (const statement of statements) {
    if (!ts.isFunctionDeclaration(statement) || statement.name === undefined) continue;
    const name = functionName(statement);
    const value: ReaderValue = { kind: "function", declaration: statement, scope, name };
    scope.declare(name, { place: reader.heap.place(value, name), constant: true });
  }
}

/**
 * Runs statements in order. Where one may leave, the rest stands under the test that it has not;
 * where one arm of an `if` surely leaves, the rest goes into the other arm.
 */
export function runAll(reader: Reader, work: readonly Work[]): Exit {
  for (const [k, { statement, scope }] of work.entries()) {
    const rest = work.slice(k + 1);
    if (rest.length > 0 && ts.isIfStatement(statement) && isAbrupt(statement) === "one") {
      const exit = ifWithRest(reader, statement, scope, rest);
      if (exit !== undefined) return exit;
    }
    const exit = reader.run(statement, scope);
    if (exit.kind === "abrupt") return exit;
    if (exit.kind === "mixed") {
      if (rest.length === 0) return exit;
      return branch(
        reader,
        isRunning(reader, exit.code, statement),
        () => ({ exit: runAll(reader, rest) }),
        () => ({ exit: left(exit) }),
        statement,
      ).exit;
    }
  }
  return normal;
}

/** An exit that is known to have been taken. */
function left(exit: Exit & { readonly kind: "mixed" }): Exit {
  const [target] = exit.targets;
  return exit.targets.size === 1 && target !== undefined ? { kind: "abrupt", target } : exit;
}

export function returnStatement(reader: Reader, node: ts.ReturnStatement, scope: Scope): Exit {
  const { activation } = scope;
  if (activation === undefined) throw new Error("return outside of a function");
  const value =
    node.expression === undefined ? undefinedValue : reader.evaluate(node.expression, scope);
  reader.heap.write(activation.returned, value);
  return { kind: "abrupt", target: activation.returnTarget };
}

/** A label on a loop or `switch` is the loop's own; on anything else, `break` leaves the block. */
export function labelled(reader: Reader, node: ts.LabeledStatement, scope: Scope): Exit {
  if (ts.isIterationStatement(node.statement, false)) return reader.run(node.statement, scope);
  const breakTarget = reader.newTarget();
  const jump = { label: node.label.text, breakTarget, continueTarget: undefined, plain: false };
  const exit = reader.run(node.statement, new Scope(scope, { jump }));
  return withoutTargets(reader, exit, [breakTarget], node);
}

/** The label that a loop stands under. */
export function labelOf(node: ts.Statement): string | undefined {
  return ts.isLabeledStatement(node.parent) ? node.parent.label.text : undefined;
}
