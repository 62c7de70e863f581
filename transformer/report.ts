/** Diagnostics for people: formatted with the text of the files. */

import { relative } from "node:path";
import ts from "typescript";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { formatDiagnostics } from "../compiler/diagnostics/format.ts";

export function reportText(diagnostics: readonly Diagnostic[], colours: boolean): string {
  return formatDiagnostics(diagnostics, {
    readFile: (file) => ts.sys.readFile(file),
    fileName: shortName,
    colours,
  });
}

export function typeErrorText(diagnostics: readonly ts.Diagnostic[], colours: boolean): string {
  const host: ts.FormatDiagnosticsHost = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => process.cwd(),
    getNewLine: () => "\n",
  };
  return colours
    ? ts.formatDiagnosticsWithColorAndContext(diagnostics, host)
    : ts.formatDiagnostics(diagnostics, host);
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some(({ severity }) => severity === "error");
}

function shortName(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith("..") ? file : short;
}
