/** Messages: generated from Markdown, and formatted for people. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { formatDiagnostic } from "../../compiler/diagnostics/format.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { outputs, root } from "../../scripts/messages.ts";
import { readRoot } from "../../transformer/read/root.ts";
import { World } from "../../transformer/read/world.ts";

test("the generated files are up to date: npm run build:messages", async () => {
  for (const [path, text] of await outputs()) {
    expect(readFileSync(join(root, path), "utf8"), path).toBe(text);
  }
});

const text = "const a = 1;\nconst\tb = f(a);\n";
const diagnostic = messages.unknownCallee({ name: "f" }, { file: "a.ts", start: 23, length: 1 }, [
  { message: "`a` is made here", span: { file: "a.ts", start: 6, length: 1 } },
]);

describe("the format", () => {
  const readFile = (): string => text;

  test("is place, text, the line with its part underlined, related places and hint", () => {
    expect(formatDiagnostic(diagnostic, { readFile })).toBe(
      [
        "a.ts(2,11): error FX1003: `f` cannot be compiled: its source is not available",
        "     2   const\tb = f(a);",
        "              \t    ~",
        "  a.ts(1,7): `a` is made here",
        "  hint: write the function in TypeScript in this project, or call it outside the compiled function and pass its result",
      ].join("\n"),
    );
  });

  test("has colours where it is asked to", () => {
    const plain = formatDiagnostic(diagnostic, { readFile });
    const coloured = formatDiagnostic(diagnostic, { readFile, colours: true });
    const escape = String.fromCharCode(27);
    expect(coloured).toContain(`${escape}[31m~${escape}[0m`);
    const stripped = coloured
      .split(escape)
      .map((part, k) => (k === 0 ? part : part.replace(/^\[\d+m/, "")));
    expect(stripped.join("")).toBe(plain);
  });
});

test("a fault of ours is reported at the place where it happened, as FX9001", () => {
  const file = ts.createSourceFile("a.ts", "((x: number) => x + 1);", ts.ScriptTarget.ES2023, true);
  const host = ts.createCompilerHost({});
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => (name === "a.ts" ? file : read(name, ...rest));
  const program = ts.createProgram({ rootNames: ["a.ts"], options: { noLib: true }, host });
  class Broken extends World {
    override checkerOf(): ts.TypeChecker {
      throw new Error("no checker today");
    }
  }
  const statement = file.statements[0] as ts.ExpressionStatement;
  const { program: made, diagnostics } = readRoot({
    world: new Broken(program),
    surface: {},
    node: statement.expression,
    name: "f",
  });
  expect(made).toBeUndefined();
  expect(diagnostics.map(({ code }) => code)).toEqual(["FX9001"]);
  expect(diagnostics[0]?.message).toContain("no checker today");
});
