/** Programs as a build writes them: with those parts of the runtime alone that they need. */

import * as runtime from "../../runtime/index.ts";
import { loadWith, type LoadedProgram } from "../../runtime/load.ts";
import type { Code, Manifest } from "../../runtime/manifest.ts";
import type { Parts } from "../../runtime/parts.ts";
import { type PartNames, partsOf } from "../../transformer/parts.ts";

export function loadShipped(manifest: Manifest, code: Code): LoadedProgram {
  return loadWith(partsNamed(partsOf({ manifest, code })), manifest, code);
}

/** What the names that a build writes stand for. */
function partsNamed(names: PartNames): Parts {
  const found = (name: string): unknown => {
    const part = (runtime as Readonly<Record<string, unknown>>)[name];
    if (part === undefined) throw new Error(`the runtime exports no ${name}`);
    return part;
  };
  const parts = Object.entries(names).map(([key, part]) => [
    key,
    typeof part === "string"
      ? found(part)
      : Object.fromEntries(Object.entries(part).map(([inner, name]) => [inner, found(name)])),
  ]);
  return Object.fromEntries(parts) as Parts;
}
