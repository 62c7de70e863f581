/**
 * A diagnostic as a person reads it: place, sentence, the line with its part underlined, related
 * places, hint.
 */

import type { Diagnostic, Severity, Span } from "./diagnostic.ts";

export interface FormatOptions {
  /** The text of a source file; undefined where there is none to show. */
  readonly readFile: (file: string) => string | undefined;
  /** How a file is called in the output; as it is where absent. */
  readonly fileName?: (file: string) => string;
  readonly colours?: boolean;
}

interface Place {
  readonly line: number;
  readonly column: number;
  readonly lineText: string;
}

type Colour = "red" | "yellow" | "cyan" | "grey" | "bold";

const escapes: Readonly<Record<Colour, string>> = {
  red: "\u001b[31m",
  yellow: "\u001b[33m",
  cyan: "\u001b[36m",
  grey: "\u001b[90m",
  bold: "\u001b[1m",
};
const reset = "\u001b[0m";
const severityColours: Readonly<Record<Severity, Colour>> = { error: "red", warning: "yellow" };

export function formatDiagnostic(diagnostic: Diagnostic, options: FormatOptions): string {
  const paint = (colour: Colour, text: string): string =>
    options.colours === true ? `${escapes[colour]}${text}${reset}` : text;
  const mark = severityColours[diagnostic.severity];
  const label = paint(mark, `${diagnostic.severity} ${diagnostic.code}`);
  const head = `${placeText(diagnostic.span, options, paint)}${label}: ${diagnostic.message}`;
  const lines = [head, ...excerpt(diagnostic.span, options, paint, mark)];
  for (const related of diagnostic.related) {
    lines.push(`  ${placeText(related.span, options, paint)}${related.message}`);
  }
  if (diagnostic.hint !== "") lines.push(`  ${paint("bold", "hint:")} ${diagnostic.hint}`);
  return lines.join("\n");
}

/** Diagnostics in order of place, a blank line between two. */
export function formatDiagnostics(
  diagnostics: readonly Diagnostic[],
  options: FormatOptions,
): string {
  const place = ({ span }: Diagnostic): number => span?.start ?? -1;
  const file = ({ span }: Diagnostic): string => span?.file ?? "";
  const ordered = [...diagnostics].sort(
    (a, b) => (file(a) < file(b) ? -1 : file(a) > file(b) ? 1 : 0) || place(a) - place(b),
  );
  return ordered.map((diagnostic) => formatDiagnostic(diagnostic, options)).join("\n\n");
}

type Paint = (colour: Colour, text: string) => string;

function placeText(span: Span | undefined, options: FormatOptions, paint: Paint): string {
  if (span === undefined) return "";
  const name = options.fileName?.(span.file) ?? span.file;
  const place = locate(span, options);
  const at = place === undefined ? "" : `(${place.line},${place.column})`;
  return `${paint("cyan", `${name}${at}`)}: `;
}

function excerpt(
  span: Span | undefined,
  options: FormatOptions,
  paint: Paint,
  mark: Colour,
): readonly string[] {
  const place = span === undefined ? undefined : locate(span, options);
  if (span === undefined || place === undefined) return [];
  const gutter = `  ${String(place.line).padStart(4)}   `;
  const before = place.lineText.slice(0, place.column - 1).replaceAll(/[^\t]/g, " ");
  const width = Math.max(1, Math.min(span.length, place.lineText.length - place.column + 1));
  return [
    `${paint("grey", gutter)}${place.lineText}`,
    `${" ".repeat(gutter.length)}${before}${paint(mark, "~".repeat(width))}`,
  ];
}

function locate(span: Span, options: FormatOptions): Place | undefined {
  const text = options.readFile(span.file);
  if (text === undefined) return undefined;
  const lineStart = text.lastIndexOf("\n", span.start - 1) + 1;
  const lineEnd = text.indexOf("\n", lineStart);
  return {
    line: text.slice(0, lineStart).split("\n").length,
    column: span.start - lineStart + 1,
    lineText: text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd).replace(/\r$/, ""),
  };
}
