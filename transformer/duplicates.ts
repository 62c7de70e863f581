/**
 * Each error once. What both TypeScript and the compiler complain about is said in the compiler's
 * words: they know the shapes, and what to do.
 */

import type ts from "typescript";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";

/** Codes of TypeScript that mean the same as a code of ours, where they are at the same place. */
const sameMeaning: Readonly<Record<string, readonly number[]>> = {
  // Arguments: none of the overloads fits, or the one signature does not; results.
  FX2001: [2322, 2345, 2769],
  FX2002: [2322, 2345, 2769],
  // Names and properties, with and without a guess at what was meant.
  FX1014: [2304, 2552],
  FX1015: [2339, 2551],
};

export function saidByBoth(typeError: ts.Diagnostic, diagnostic: Diagnostic): boolean {
  const { file, start, length = 0, code } = typeError;
  const { span } = diagnostic;
  if (file === undefined || start === undefined || span?.file !== file.fileName) return false;
  const overlap = start < span.start + span.length && span.start < start + length;
  return overlap && sameMeaning[diagnostic.code]?.includes(code) === true;
}

/** Each once: roots that share a function give its errors again. */
export function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const key = ({ code, message, span }: Diagnostic): string =>
    [code, span?.file, span?.start, message].join("\n");
  return [...new Map(diagnostics.map((diagnostic) => [key(diagnostic), diagnostic])).values()];
}

/** The errors of TypeScript that the compiler does not give as well. */
export function onlyOfTypes<T extends ts.Diagnostic>(
  typeErrors: readonly T[],
  diagnostics: readonly Diagnostic[],
): readonly T[] {
  return typeErrors.filter((error) => !diagnostics.some((other) => saidByBoth(error, other)));
}
