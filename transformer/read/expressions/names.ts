/** Identifiers: variables of the code being read, and names from around it. */

import ts from "typescript";
import type { Diagnostic } from "../../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { enumObject } from "../natives/enums.ts";
import { globalValue } from "../natives/globals.ts";
import { languageValue } from "../natives/language.ts";
import { type Reader, SilentFault } from "../reader.ts";
import { Scope } from "../scope.ts";
import type { ReaderValue } from "../values.ts";
import type { Declared } from "../world.ts";
import { hostVariable } from "../host.ts";
import { refusal } from "../fence.ts";

export function identifier(reader: Reader, node: ts.Identifier, scope: Scope): ReaderValue {
  const binding = scope.lookup(node.text);
  if (binding === undefined) return outsideValue(reader, reader.world.resolve(node), node);
  return usable(reader, reader.heap.read(binding.place), node.text, node);
}

/** What stands for a value is given to the code only if it is one. */
export function usable(
  reader: Reader,
  value: ReaderValue,
  name: string,
  node: ts.Node,
): ReaderValue {
  switch (value.kind) {
    case "faulty":
      throw new SilentFault("reported before");
    case "unset":
      return reader.fail(messages.unsetVariable({ name }, reader.span(node)));
    case "conflict":
      return reader.fail(value.problem(name, reader.span(node)));
    default:
      return value;
  }
}

export function outsideValue(reader: Reader, declared: Declared, node: ts.Node): ReaderValue {
  switch (declared.kind) {
    case "global":
      return globalValue(reader, declared.name, node);
    case "language":
      return languageValue(reader, declared, node);
    case "function":
      return {
        kind: "function",
        declaration: declared.declaration,
        scope: new Scope(),
        name: declared.name,
      };
    case "variable":
      return hostVariable(reader, declared.declaration, declared.name, node);
    case "enum":
      return enumObject(declared);
    case "module":
      return {
        kind: "native",
        name: node.getText(),
        property: (inner, name, at) => outsideValue(inner, inner.world.member(declared, name), at),
      };
    case "class":
      return reader.fail(refusal(ts.SyntaxKind.ClassDeclaration, reader.span(node)) as Diagnostic);
    case "opaque":
      return reader.fail(messages.unknownCallee({ name: declared.name }, reader.span(node)));
    case "unknown":
      return reader.fail(messages.unknownName({ name: node.getText() }, reader.span(node)));
  }
}
