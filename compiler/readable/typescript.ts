/**
 * A program of the graph IR as TypeScript that a person can read and step through, with the user's
 * names: `dW` is the derivative of `W`.
 *
 * Numbers are numbers and their arrays typed arrays, written in place; tensors use the methods of
 * the language, or `primitive` where it has no method. Functions that call themselves stand at the
 * head of the one that is exported.
 */

import { type Fn, type Graph, rootOf, type Value } from "../ir/types.ts";
import type { Argument, Tree } from "../../runtime/manifest.ts";
import { calledNames } from "../autodiff/functions.ts";
import { construct, leavesOf, parameterList, treeType, typeParameters } from "./border.ts";
import { Facts } from "./facts.ts";
import { functionNames, printFunction } from "./functions.ts";
import { Statements } from "./statements.ts";
import { isEither, tensorsOf } from "./worlds.ts";
import { Writing } from "./writing.ts";

/** The outside of the function, as the reader found it. */
export interface Outside {
  readonly name: string;
  readonly parameters: readonly Argument[];
  readonly captured: readonly Argument[];
  readonly result: Tree;
}

/** A module that exports the root of a graph. Throws `Unreadable`. */
export function printTypeScript(graph: Graph, outside: Outside): string {
  const root = rootOf(graph);
  const tensors = tensorsOf(graph, pinsOf(root, outside));
  const isTensor = (value: Value): boolean => tensors.has(value);
  const functions = reachable(graph);
  const page = new Writing(
    new Facts(
      functions.map(({ body }) => body),
      isTensor,
    ),
    isTensor,
  );

  const name = page.names.fresh(outside.name);
  const given = [...outside.parameters, ...outside.captured];
  const parameters = parameterList(page, given, root.body.parameters.values());
  const names = functionNames(
    page,
    functions.filter((fn) => fn !== root),
  );
  const statements = new Statements(page, names);
  statements.body(root.body, (results) => {
    page.line(`return ${construct(page, outside.result, results.values())};`);
  });
  // The head comes last: a function may read lengths that are found in the body.
  const body = page.lines;
  page.lines = [];
  for (const fn of functions) if (fn !== root) printFunction(page, fn, names);
  page.line(...body);
  const returned = treeType(page, outside.result);
  const dims = typeParameters(given);
  const generics =
    dims.length === 0 ? "" : `<${dims.map((dim) => `${dim} extends Dim`).join(", ")}>`;
  return [
    ...importLines(page, dims.length > 0),
    `export function ${name}${generics}(${parameters.join(", ")}): ${returned} {`,
    ...page.lines,
    "}",
    "",
  ].join("\n");
}

/** The functions that the root calls, and those that these call. */
function reachable(graph: Graph): readonly Fn[] {
  const found = new Set<Fn>();
  const visit = (fn: Fn): void => {
    if (found.has(fn)) return;
    found.add(fn);
    for (const name of calledNames(fn.body.equations)) visit(graph.functions.get(name) as Fn);
  };
  visit(rootOf(graph));
  return [...found];
}

/** Parameters and results that are tensors, and those that are not. */
function pinsOf({ body }: Fn, { parameters, captured, result }: Outside) {
  const leaves = leavesOf([...parameters, ...captured].map(({ tree }) => tree));
  const results = leavesOf([result]);
  const pairs = [
    ...leaves.map((leaf, k) => [leaf, body.parameters[k] as Value] as const),
    ...results.map((leaf, k) => [leaf, body.results[k] as Value] as const),
  ].filter(([, value]) => isEither(value));
  return {
    tensors: pairs.filter(([{ as }]) => as === "tensor").map(([, value]) => value),
    plain: pairs.filter(([{ as }]) => as !== "tensor").map(([, value]) => value),
  };
}

function importLines(page: Writing, withDims: boolean): readonly string[] {
  const types = page.types.size > 0 || page.lines.some((line) => line.includes("Tensor<"));
  const used = [...page.imports].filter((one) =>
    page.lines.some((line) => new RegExp(`(?<![.\\w])${one}\\(`).test(line)),
  );
  const imported = [
    ...used.toSorted(),
    ...(withDims ? ["type Dim"] : []),
    ...(types ? ["type Tensor"] : []),
  ];
  return imported.length === 0 ? [] : [`import { ${imported.join(", ")} } from "fluxion";`, ""];
}
