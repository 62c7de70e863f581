/** `fluxion check`: errors of TypeScript, of the language and of derivatives, in all files. */

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { distinct, onlyOfTypes } from "../duplicates.ts";
import { derivativeFaults, mayHaveRoots, readFile } from "../plan.ts";
import { compilerOptions, parseConfig } from "../project.ts";
import { World } from "../read/world.ts";
import { hasErrors, reportText, typeErrorText } from "../report.ts";
import { UserError } from "./userError.ts";

export interface ProjectFiles {
  readonly program: ts.Program;
  readonly world: World;
  readonly parsed: ts.ParsedCommandLine;
  /** The user's own files. */
  readonly files: readonly ts.SourceFile[];
}

export async function check(options: { readonly project: string }): Promise<void> {
  const { program, world, files } = openProject(options.project);
  const colours = process.stdout.isTTY === true;
  const diagnostics = distinct(
    files.flatMap((file): readonly Diagnostic[] => {
      if (!mayHaveRoots(file.text)) return [];
      const read = readFile(world, file);
      return [...read.diagnostics, ...derivativeFaults(read)];
    }),
  );
  const typeErrors = onlyOfTypes(ts.getPreEmitDiagnostics(program), diagnostics);
  if (typeErrors.length > 0) process.stdout.write(typeErrorText(typeErrors, colours));
  if (diagnostics.length > 0) process.stdout.write(`${reportText(diagnostics, colours)}\n`);
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  if (typeErrors.length > 0 || hasErrors(diagnostics)) {
    throw new UserError(`\n${count(typeErrors.length + errors, "error")}`);
  }
  process.stdout.write(`${count(files.length, "file")} checked, no errors\n`);
}

export function openProject(tsconfig: string): ProjectFiles {
  const config = resolve(tsconfig);
  if (!existsSync(config)) throw new UserError(`fluxion: there is no ${tsconfig}`);
  const parsed = parseConfig(config);
  const program = ts.createProgram({
    rootNames: parsed.fileNames,
    options: compilerOptions(parsed.options),
  });
  const own = new Set(parsed.fileNames);
  const files = program
    .getSourceFiles()
    .filter((file) => own.has(file.fileName) && !file.isDeclarationFile);
  return { program, world: new World(program), parsed, files };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
