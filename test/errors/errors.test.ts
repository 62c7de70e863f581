/** Every folder is a program with errors, and the messages that they must give, place by place. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { codes } from "../../compiler/diagnostics/messages.ts";
import { formatDiagnostics } from "../../compiler/diagnostics/format.ts";
import { plan } from "../../transformer/plan.ts";
import { ProjectCache, sourcePaths } from "../../transformer/project.ts";

const folder = dirname(fileURLToPath(import.meta.url));
const update = process.env["UPDATE_SNAPSHOTS"] === "1";
const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const names = entries.map((entry) => entry.name);
const projects = new ProjectCache({
  tsconfig: join(folder, "tsconfig.json"),
  paths: sourcePaths(),
});
const seen = new Set<string>();

async function messagesOf(name: string): Promise<string> {
  const file = join(folder, name, "input.ts");
  const { world, program } = projects.projectOf(file);
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is in no program`);
  const { diagnostics } = await plan(world, source, { target: "js", compile });
  for (const { code } of diagnostics) seen.add(code);
  const text = formatDiagnostics(diagnostics, {
    readFile: (path) => readFileSync(path, "utf8"),
    fileName: (path) => path.slice(join(folder, name).length + 1),
  });
  return `${text}\n`;
}

describe.each(names)("%s", (name) => {
  test("gives the messages that are written down", async () => {
    const expected = join(folder, name, "expected.txt");
    const actual = await messagesOf(name);
    if (update) writeFileSync(expected, actual);
    expect(existsSync(expected), "expected.txt is missing: UPDATE_SNAPSHOTS=1 writes it").toBe(true);
    expect(actual).toBe(readFileSync(expected, "utf8"));
    expect(actual).toContain("FX");
  });

  test("has its input", () => {
    expect(existsSync(join(folder, name, "input.ts"))).toBe(true);
  });
});

/** Given by a fault of ours, which no program of a user can show; see test/transformer. */
const elsewhere = ["FX9001"];

afterAll(() => {
  const missing = codes.filter((code) => !seen.has(code) && !elsewhere.includes(code));
  if (missing.length > 0) throw new Error(`no test gives ${missing.join(", ")}`);
});
