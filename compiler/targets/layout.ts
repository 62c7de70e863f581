/** The part of a manifest that follows from a program's loop module and its code. */

import { toText } from "../../runtime/binary.ts";
import type { Dim } from "../ir/dim.ts";
import type { Span } from "../ir/types.ts";
import type { LoopModule, ResultPlace, SiteInfo } from "../kernel/loop.ts";
import type { Emitted } from "./target.ts";

/** As `Layout` of `runtime/manifest.ts`, field by field. */
export interface ProgramLayout {
  readonly symbols: readonly string[];
  readonly arena: readonly (readonly Dim[])[];
  readonly results: readonly ResultPlace[];
  readonly donated: readonly number[];
  readonly inPlace: readonly (readonly [number, number])[];
  readonly bound: readonly { readonly symbol: string; readonly offset: number }[];
  readonly constants: string;
  readonly sites: readonly ProgramSite[];
  readonly imports: readonly string[];
}

interface ProgramSite {
  readonly kind: SiteInfo["kind"];
  readonly op: string;
  readonly name: string | undefined;
  readonly place: string;
}

/** `place` gives `file:line` of a span, for messages at run time. */
export function layoutOf(
  module: LoopModule,
  emitted: Emitted,
  place: (span: Span) => string,
): ProgramLayout {
  return {
    symbols: module.symbols,
    arena: module.arena,
    results: module.results,
    donated: module.donated,
    inPlace: module.inPlace,
    bound: module.bound,
    constants: toText(emitted.constants),
    sites: module.sites.map(({ kind, op, name, span }) => ({
      kind,
      op,
      name,
      place: span === undefined ? "" : place(span),
    })),
    imports: emitted.imports,
  };
}

/** What the launches of a program compute, and where that stands, in the order of the code. */
export function kernelsOf(
  { launches }: Emitted,
  place: (span: Span) => string,
): readonly { readonly name: string; readonly places: readonly string[] }[] | undefined {
  return launches?.map(({ comment, spans }) => {
    const places = new Set(spans.map(place).filter((at) => at !== ""));
    return { name: comment, places: [...places].sort(inOrder.compare) };
  });
}

/** By file, then by line. */
const inOrder = new Intl.Collator("en", { numeric: true });
