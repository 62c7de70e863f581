/** The page of the language: every example compiles, and everything that is refused is on it. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { codes } from "../../compiler/diagnostics/messages.ts";
import { plan } from "../../transformer/plan.ts";
import { ProjectCache, sourcePaths } from "../../transformer/project.ts";
import { fence } from "../../transformer/read/fence.ts";
import { packageRoot } from "../../transformer/read/world.ts";
import { reportText } from "../../transformer/report.ts";
import { examples, examplesFile, page } from "../languagePage.ts";

const root = packageRoot();
test("every example compiles", async () => {
  expect(examples.length).toBeGreaterThan(15);
  const folder = join(root, "test", "programs", "out");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "language.ts");
  writeFileSync(file, examplesFile);
  const tsconfig = join(root, "test", "programs", "tsconfig.json");
  const projects = new ProjectCache({ tsconfig, paths: sourcePaths() });
  const { world, program } = projects.projectOf(file);
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is in no program`);
  const typeErrors = program
    .getSemanticDiagnostics(source)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))
    .filter((text) => !text.includes("is declared but"));
  expect(typeErrors).toEqual([]);
  const planned = await plan(world, source, { target: "js", compile });
  expect(reportText(planned.diagnostics, false)).toBe("");
  const missing = examples.filter((text) => !/compile\(|grad\(|sparsity\(/.test(text));
  expect(missing).toEqual([]);
  expect(planned.roots.length).toBeGreaterThanOrEqual(examples.length);
});

test("every kind of syntax is on it", () => {
  for (const [kind, entry] of Object.entries(fence)) {
    const name = Object.keys(ts.SyntaxKind).find(
      (key) =>
        ts.SyntaxKind[key as keyof typeof ts.SyntaxKind] === Number(kind) &&
        !/^(First|Last)/.test(key),
    );
    expect(page, `${name} is not on the page`).toContain(`\`${name}\``);
    if (typeof entry === "string") continue;
    const row = page.split("\n").find((line) => line.includes(`\`${name}\``));
    expect(row).toContain(entry.what);
    expect(row).toContain(entry.wayOut);
  }
});

test("every error of the language is on it", () => {
  const users = codes.filter((code) => !code.startsWith("FX9"));
  expect(users.filter((code) => !page.includes(code))).toEqual([]);
});
