/** The options of `compile`, by their types: they are known when the program is built. */

import ts from "typescript";
import type { CompilerOptions } from "../compiler/compile.ts";
import * as messages from "../compiler/diagnostics/messages.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { isRootTarget, type TargetName } from "./ship.ts";
import { spanOf } from "./span.ts";

export interface RootSettings extends Pick<CompilerOptions, "reassociate" | "donateArgnums"> {
  readonly target: TargetName;
}

export interface Said {
  readonly settings: RootSettings;
  /** Whether the root names its target itself. */
  readonly isNamed: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** What a root says of itself, and what is wrong with it. */
export function settingsOf(
  node: ts.CallExpression,
  transform: string,
  checker: ts.TypeChecker,
  otherwise: TargetName,
): Said {
  const given = transform === "compile" ? node.arguments[1] : undefined;
  if (given === undefined) {
    return { settings: { target: otherwise }, isNamed: false, diagnostics: [] };
  }
  const type = checker.getTypeAtLocation(given);
  const diagnostics: Diagnostic[] = [];
  const option = <T>(
    name: string,
    valueOf: (type: ts.Type, written: ts.Expression | undefined) => T | undefined,
  ): T | undefined => {
    const property = type.getProperty(name);
    if (property === undefined) return undefined;
    const valueType = checker.getTypeOfSymbolAtLocation(property, given);
    const value = valueOf(valueType, writtenValue(property));
    if (value !== undefined) return value;
    const what = checker.typeToString(valueType);
    diagnostics.push(messages.openOption({ name, what }, spanOf(given)));
    return undefined;
  };
  const target = option("target", (of) => (of.isStringLiteral() ? of.value : undefined));
  const reassociate = option("reassociate", (of) => {
    const isKnown = (of.flags & ts.TypeFlags.BooleanLiteral) !== 0;
    return isKnown ? checker.typeToString(of) === "true" : undefined;
  });
  const donateArgnums = option(
    "donateArgnums",
    (of, written) => integersIn(written) ?? integersOf(of, checker),
  );
  return {
    settings: {
      target: isRootTarget(target) ? target : otherwise,
      ...(reassociate === true ? { reassociate } : {}),
      ...(donateArgnums === undefined ? {} : { donateArgnums }),
    },
    isNamed: isRootTarget(target),
    diagnostics,
  };
}

/** What stands in a file as the value of a property. */
function writtenValue({ valueDeclaration }: ts.Symbol): ts.Expression | undefined {
  const isWritten = valueDeclaration !== undefined && ts.isPropertyAssignment(valueDeclaration);
  return isWritten ? valueDeclaration.initializer : undefined;
}

/** The numbers of a list of literals. */
function integersIn(list: ts.Expression | undefined): readonly number[] | undefined {
  if (list === undefined || !ts.isArrayLiteralExpression(list)) return undefined;
  const numbers = list.elements.filter(ts.isNumericLiteral).map(({ text }) => Number(text));
  return numbers.length === list.elements.length ? numbers : undefined;
}

/** The numbers of a tuple of literals. */
function integersOf(type: ts.Type, checker: ts.TypeChecker): readonly number[] | undefined {
  if (!checker.isTupleType(type)) return undefined;
  const items = checker.getTypeArguments(type as ts.TypeReference);
  const numbers = items.flatMap((item) => (item.isNumberLiteral() ? [item.value] : []));
  return numbers.length === items.length ? numbers : undefined;
}
