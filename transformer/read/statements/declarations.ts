/** `const` and `let`. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { bind } from "../expressions/assign.ts";
import { type Exit, normal, type Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import { faulty, type ReaderValue, unset } from "../values.ts";

export function variableStatement(reader: Reader, node: ts.VariableStatement, scope: Scope): Exit {
  declare(reader, node.declarationList, scope);
  return normal;
}

export function declare(reader: Reader, list: ts.VariableDeclarationList, scope: Scope): void {
  const constant = (list.flags & ts.NodeFlags.Const) !== 0;
  if ((list.flags & ts.NodeFlags.Using) === ts.NodeFlags.Using) {
    reader.fail(
      messages.unsupportedSyntax(
        {
          what: "`using`",
          reason: "compiled code frees its own memory",
          wayOut: "use `const`",
        },
        reader.span(list),
      ),
    );
  }
  if ((list.flags & ts.NodeFlags.BlockScoped) === 0) {
    reader.fail(
      messages.unsupportedSyntax(
        { what: "`var`", reason: "it is visible outside of its block", wayOut: "use `let`" },
        reader.span(list),
      ),
    );
  }
  for (const declaration of list.declarations) {
    if (declaration.initializer === undefined) {
      bind(reader, declaration.name, unset, scope, constant);
    } else {
      const value = reader.evaluate(declaration.initializer, scope);
      bind(reader, declaration.name, value, scope, constant);
    }
  }
}

/** Declares the names of a statement that could not be read. */
export function poison(reader: Reader, node: ts.VariableStatement, scope: Scope): void {
  const visit = (name: ts.BindingName): void => {
    if (ts.isIdentifier(name)) {
      const place = reader.heap.place<ReaderValue>(faulty, name.text);
      scope.declare(name.text, { place, constant: false });
      return;
    }
    for (const element of name.elements) if (ts.isBindingElement(element)) visit(element.name);
  };
  for (const { name } of node.declarationList.declarations) visit(name);
}
