/** The parts of the runtime that a program needs, as what is written for it says them. */

import { isDirect } from "../runtime/directProgram.ts";
import { type KindName, kindNameOf } from "../runtime/kinds/kind.ts";
import type { Code, GpuCode, Manifest, Tree } from "../runtime/manifest.ts";
import { allFunctions } from "../runtime/math.ts";
import type { Parts } from "../runtime/parts.ts";

interface Program {
  readonly manifest: Manifest;
  readonly code: Code | GpuCode;
}

/** As `Parts`, with the names under which the runtime exports them. */
export type PartNames = {
  readonly [K in keyof Parts]: K extends "kinds" | "functions"
    ? Readonly<Record<string, string>>
    : string;
};

export function partsOf({ manifest, code }: Program): PartNames {
  const { imports, sites } = manifest.layout;
  const own = imports.filter((name) => Object.hasOwn(allFunctions, name));
  return {
    kinds: Object.fromEntries([...kindsOf(manifest)].sort().map((kind) => [kind, `${kind}Kind`])),
    ...(own.length > 0 && {
      functions: Object.fromEntries(own.map((name) => [name, exportName(name)])),
    }),
    ...(sites.length > 0 && { fault: "faultAt" }),
    ...(code.kind === "js" && { runText: "runText" }),
    ...(isDirect(manifest) && { direct: "directProgram" }),
  };
}

function kindsOf({ parameters, captured, result }: Manifest): ReadonlySet<KindName> {
  const kinds = new Set<KindName>();
  const visit = (tree: Tree): void => {
    kinds.add(kindNameOf(tree));
    if (tree.kind === "record") tree.fields.forEach(([, field]) => visit(field));
    if (tree.kind === "tuple") tree.items.forEach(visit);
    // Of a table, all leaves are arrays.
    if (tree.kind === "table") kinds.add("array");
  };
  for (const { tree, default: otherwise } of [...parameters, ...captured]) {
    visit(tree);
    if (otherwise !== undefined) visit(otherwise);
  }
  visit(result);
  return kinds;
}

/** `to_int32` → `toInt32` */
function exportName(name: string): string {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}
