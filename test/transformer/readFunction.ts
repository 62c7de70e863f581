/** Reads the text of a function of numbers and an array. */

import ts from "typescript";
import type { Graph } from "../../compiler/ir/types.ts";
import type { Signature } from "../../compiler/compile.ts";
import { readRoot } from "../../transformer/read/root.ts";
import { World } from "../../transformer/read/world.ts";
import { reportText } from "../../transformer/report.ts";

const options: ts.CompilerOptions = { target: ts.ScriptTarget.ES2023, types: [] };
const libraries = new Map<string, ts.SourceFile | undefined>();

export function readFunction(text: string): {
  readonly graph: Graph;
  readonly signature: Signature;
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
  return root.program;
}
