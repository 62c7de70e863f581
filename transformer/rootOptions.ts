/** The options of `compile`, by their types: they are known when the program is built. */

import ts from "typescript";
import type { CompilerOptions } from "../compiler/compile.ts";
import * as messages from "../compiler/diagnostics/messages.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { spanOf } from "./span.ts";

export type RootSettings = Pick<CompilerOptions, "target" | "reassociate">;

/** What a root says of itself, and what is wrong with it. */
export function settingsOf(
  node: ts.CallExpression,
  transform: string,
  checker: ts.TypeChecker,
  otherwise: CompilerOptions["target"],
): { readonly settings: RootSettings; readonly diagnostics: readonly Diagnostic[] } {
  const given = transform === "compile" ? node.arguments[1] : undefined;
  if (given === undefined) return { settings: { target: otherwise }, diagnostics: [] };
  const type = checker.getTypeAtLocation(given);
  const diagnostics: Diagnostic[] = [];
  const option = (name: string): string | undefined => {
    const property = type.getProperty(name);
    if (property === undefined) return undefined;
    const value = checker.getTypeOfSymbolAtLocation(property, given);
    if (value.isStringLiteral()) return value.value;
    if ((value.flags & ts.TypeFlags.BooleanLiteral) !== 0) return checker.typeToString(value);
    const what = checker.typeToString(value);
    diagnostics.push(messages.openOption({ name, what }, spanOf(given)));
    return undefined;
  };
  const target = option("target");
  const reassociate = option("reassociate") === "true";
  return {
    settings: {
      target: target === "js" || target === "wasm" ? target : otherwise,
      ...(reassociate ? { reassociate } : {}),
    },
    diagnostics,
  };
}
