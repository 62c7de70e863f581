/** What the compiler says to its user: a code, a sentence, a place, other places, a way out. */

/** A place in a source file, as offsets in UTF-16 units. */
export interface Span {
  readonly file: string;
  readonly start: number;
  readonly length: number;
  /** The call that was read there: of code that stands in a function which was called. */
  readonly caller?: Span | undefined;
}

export type Severity = "error" | "warning";

export interface RelatedPlace {
  readonly message: string;
  readonly span: Span;
}

export interface Diagnostic {
  /** `FX1004`. Codes are never reused. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string;
  readonly span: Span | undefined;
  readonly related: readonly RelatedPlace[];
}

/** Thrown to abandon what cannot be compiled; whoever can go on elsewhere catches it. */
export class DiagnosticError extends Error {
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    super(`${diagnostic.code}: ${diagnostic.message}`);
    this.diagnostic = diagnostic;
  }
}

/** A template with `%holes%`, filled. The generated functions name every hole in their types. */
export function fill(template: string, holes: Readonly<Record<string, string | number>>): string {
  return template.replaceAll(/%([a-zA-Z]+)%/g, (_, name: string) => String(holes[name]));
}
