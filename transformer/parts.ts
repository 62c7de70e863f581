/** The parts of the runtime that a program needs, as what is written for it says them. */

import { fromText } from "../runtime/binary.ts";
import { symbolOf } from "../runtime/dims.ts";
import { isDirect } from "../runtime/directProgram.ts";
import { type KindName, kindNameOf } from "../runtime/kinds/kind.ts";
import {
  type Code,
  type GpuCode,
  leavesOf,
  type Manifest,
  type Tree,
} from "../runtime/manifest.ts";
import { allFunctions } from "../runtime/math.ts";
import type { Parts } from "../runtime/parts.ts";

interface Program {
  readonly manifest: Manifest;
  readonly code: Code | GpuCode;
}

/** As `Parts`, with the names under which the runtime exports them. */
export type PartNames = {
  readonly [K in keyof Parts]: K extends "kinds" | "lengths" | "functions" | "heap"
    ? Readonly<Record<string, string>>
    : string;
};

export function partsOf({ manifest, code }: Program): PartNames {
  const { imports, sites } = manifest.layout;
  const own = imports.filter((name) => Object.hasOwn(allFunctions, name));
  return {
    kinds: Object.fromEntries([...kindsOf(manifest)].sort().map((kind) => [kind, `${kind}Kind`])),
    ...(hasLengths(manifest) && { lengths: { solve: "solve", dimText: "dimText" } }),
    ...(own.length > 0 && {
      functions: Object.fromEntries(own.map((name) => [name, exportName(name)])),
    }),
    ...(asksForMemory(code) && { heap: { allocate: "allocate", release: "release" } }),
    ...(sites.length > 0 && { fault: "faultAt" }),
    ...(code.kind === "js" && { runText: "runText" }),
    ...(isDirect(manifest) && { direct: "directProgram" }),
  };
}

/** Whether an extent of an argument is neither a number nor a symbol. */
function hasLengths({ parameters, captured }: Manifest): boolean {
  return [...parameters, ...captured].some(({ tree }) =>
    leavesOf(tree).some(({ shape }) =>
      shape.some((dim) => typeof dim !== "number" && symbolOf(dim) === undefined),
    ),
  );
}

/** Whether code imports what gives memory: its name is in a binary that does. */
function asksForMemory(code: Program["code"]): boolean {
  if (code.kind !== "wasm") return true;
  const { plain } = code;
  return Buffer.from(typeof plain === "string" ? fromText(plain) : plain).includes("allocate");
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
