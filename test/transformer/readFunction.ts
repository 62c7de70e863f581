/** The text of a function, read: a program of the graph. */

import ts from "typescript";
import { expand } from "../../compiler/autodiff/expand.ts";
import { type Fn, type Graph, rootOf } from "../../compiler/ir/types.ts";
import { assertWellFormed } from "../../compiler/ops/check.ts";
import type { Signature } from "../../compiler/compile.ts";
import type { Tree } from "../../runtime/manifest.ts";
import { reportText } from "../../transformer/report.ts";
import { readRoot } from "../../transformer/read/root.ts";
import { World } from "../../transformer/read/world.ts";

const options: ts.CompilerOptions = { target: ts.ScriptTarget.ES2023, types: [] };
const libraries = new Map<string, ts.SourceFile | undefined>();

export function readFunction(text: string): {
  readonly graph: Graph;
  readonly signature: Signature;
  /** With its transforms applied, checked. */
  readonly fn: Fn;
  readonly result: Tree;
} {
  const source = ts.createSourceFile("f.ts", `(${text});`, ts.ScriptTarget.ES2023, true);
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => {
    if (name === "f.ts") return source;
    if (!libraries.has(name)) libraries.set(name, read(name, ...rest));
    return libraries.get(name);
  };
  const program = ts.createProgram({ rootNames: ["f.ts"], options, host });
  const statement = source.statements[0] as ts.ExpressionStatement;
  const root = readRoot({
    world: new World(program),
    surface: {},
    node: (statement.expression as ts.ParenthesizedExpression).expression,
    name: "f",
  });
  if (root.program === undefined) throw new Error(reportText(root.diagnostics, false));
  const { graph, signature } = root.program;
  const fn = rootOf(expand(graph));
  assertWellFormed(fn, "read");
  return { graph, signature, fn, result: signature.result };
}
