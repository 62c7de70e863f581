/** The table of readers: one for each kind of syntax that the fence accepts. */

import ts from "typescript";
import { accessElement, accessProperty } from "./expressions/access.ts";
import { callExpression, newExpression } from "./expressions/calls.ts";
import { callFunction, functionValue } from "./expressions/functions.ts";
import { arrayLiteral, objectLiteral, templateExpression } from "./expressions/literals.ts";
import { identifier } from "./expressions/names.ts";
import {
  binary,
  conditional,
  postfix,
  prefix,
  typeOfExpression,
  voidExpression,
} from "./expressions/operators.ts";
import { fence, refusal } from "./fence.ts";
import type { Exit, Reader, Visitors } from "./reader.ts";
import { NoResult, normal, SilentFault } from "./reader.ts";
import type { Scope } from "./scope.ts";
import { blockStatement, labelled, returnStatement } from "./statements/blocks.ts";
import { ifStatement } from "./statements/branches.ts";
import { poison, variableStatement } from "./statements/declarations.ts";
import { jumpStatement } from "./statements/jumps.ts";
import { doStatement, forOfStatement, forStatement, whileStatement } from "./statements/loops.ts";
import { switchStatement } from "./statements/switch.ts";
import { faulty, fixed, type ReaderValue } from "./values.ts";

type ReadExpression = (reader: Reader, node: never, scope: Scope) => ReaderValue;
type ReadStatement = (reader: Reader, node: never, scope: Scope) => Exit;

const K = ts.SyntaxKind;

const expressions: Readonly<Record<number, ReadExpression>> = {
  [K.ArrayLiteralExpression]: arrayLiteral,
  [K.ArrowFunction]: functionValue,
  [K.BinaryExpression]: binary,
  [K.CallExpression]: callExpression,
  [K.ConditionalExpression]: conditional,
  [K.ElementAccessExpression]: accessElement,
  [K.FalseKeyword]: () => fixed(false),
  [K.FunctionExpression]: functionValue,
  [K.Identifier]: identifier,
  [K.NewExpression]: newExpression,
  [K.NoSubstitutionTemplateLiteral]: (_, node: ts.LiteralExpression) => fixed(node.text),
  [K.NullKeyword]: () => fixed(null),
  [K.NumericLiteral]: (_, node: ts.LiteralExpression) => fixed(Number(node.text)),
  [K.ObjectLiteralExpression]: objectLiteral,
  [K.PostfixUnaryExpression]: postfix,
  [K.PrefixUnaryExpression]: prefix,
  [K.PropertyAccessExpression]: accessProperty,
  [K.StringLiteral]: (_, node: ts.LiteralExpression) => fixed(node.text),
  [K.TemplateExpression]: templateExpression,
  [K.TrueKeyword]: () => fixed(true),
  [K.TypeOfExpression]: typeOfExpression,
  [K.VoidExpression]: voidExpression,
};

const nothing: ReadStatement = () => normal;

const statements: Readonly<Record<number, ReadStatement>> = {
  [K.Block]: blockStatement,
  [K.BreakStatement]: jumpStatement,
  [K.ContinueStatement]: jumpStatement,
  [K.DoStatement]: doStatement,
  [K.EmptyStatement]: nothing,
  [K.ExpressionStatement]: (reader, node: ts.ExpressionStatement, scope) => {
    reader.evaluate(node.expression, scope);
    return normal;
  },
  [K.ForOfStatement]: forOfStatement,
  [K.ForStatement]: forStatement,
  // Declared when the block was entered.
  [K.FunctionDeclaration]: nothing,
  [K.IfStatement]: ifStatement,
  [K.EnumDeclaration]: nothing,
  [K.InterfaceDeclaration]: nothing,
  [K.LabeledStatement]: labelled,
  [K.ReturnStatement]: returnStatement,
  [K.SwitchStatement]: switchStatement,
  [K.TypeAliasDeclaration]: nothing,
  [K.VariableStatement]: variableStatement,
  [K.WhileStatement]: whileStatement,
};

/** Kinds that have a reader; the fence says "accepted" of exactly these. */
export const readKinds: ReadonlySet<ts.SyntaxKind> = new Set(
  [...Object.keys(expressions), ...Object.keys(statements)].map(Number),
);

export const visitors: Visitors = {
  evaluate(reader, node, scope) {
    const operand = transparentOperand(node);
    if (operand !== undefined) return reader.evaluate(operand, scope);
    const read = expressions[node.kind];
    if (read === undefined) return refuse(reader, node);
    const outer = reader.current;
    reader.current = node;
    try {
      return read(reader, node as never, scope);
    } finally {
      reader.current = outer;
    }
  },

  run(reader, node, scope) {
    const outer = reader.current;
    reader.current = node;
    try {
      const read = statements[node.kind];
      if (read === undefined) refuse(reader, node);
      else return read(reader, node as never, scope);
    } catch (error) {
      // A loop that is not entered needs no result.
      if (error instanceof NoResult && ts.isIterationStatement(node, false)) return normal;
      reader.reportThrown(error, node);
      return recover(reader, node, scope);
    } finally {
      reader.current = outer;
    }
    return normal;
  },

  call: callFunction,
};

/** Goes on after an error: what the statement declares is faulty, and silent from here on. */
function recover(reader: Reader, node: ts.Statement, scope: Scope): Exit {
  if (ts.isVariableStatement(node)) poison(reader, node, scope);
  if (ts.isReturnStatement(node) && scope.activation !== undefined) {
    reader.heap.write(scope.activation.returned, faulty);
    return { kind: "abrupt", target: scope.activation.returnTarget };
  }
  return normal;
}

function refuse(reader: Reader, node: ts.Node): never {
  const diagnostic = refusal(node.kind, reader.span(node));
  if (diagnostic !== undefined) reader.fail(diagnostic);
  throw new Error(`${ts.SyntaxKind[node.kind]} is ${String(fence[node.kind])} and has no reader`);
}

function transparentOperand(node: ts.Expression): ts.Expression | undefined {
  if (fence[node.kind] !== "transparent") return undefined;
  return (node as ts.Expression & { readonly expression: ts.Expression }).expression;
}

export { SilentFault };
