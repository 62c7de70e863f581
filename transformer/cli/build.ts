/** `fluxion build`: JavaScript with programs in it, and declarations. */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import ts from "typescript";
import { compile } from "../../compiler/compile.ts";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { distinct, onlyOfTypes } from "../duplicates.ts";
import { applyPlan, mayHaveRoots, plan, type TargetName } from "../plan.ts";
import { hasErrors, reportText, typeErrorText } from "../report.ts";
import { openProject } from "./check.ts";
import { UserError } from "./userError.ts";

export async function build(options: {
  readonly project: string;
  readonly target?: TargetName;
  readonly profile?: boolean;
}): Promise<void> {
  const { program, world, files, parsed } = openProject(options.project);
  const colours = process.stderr.isTTY === true;
  const { target, profile = false } = options;
  const texts = new Map<string, string>();
  const diagnostics: Diagnostic[] = [];
  let roots = 0;
  for (const file of files) {
    if (!mayHaveRoots(file.text)) continue;
    const planned = await plan(world, file, {
      compile,
      profile,
      ...(target === undefined ? {} : { target }),
    });
    diagnostics.push(...planned.diagnostics);
    roots += planned.roots.length;
    if (planned.edits.length > 0) texts.set(file.fileName, applyPlan(planned).code);
  }
  const own = distinct(diagnostics);
  const typeErrors = onlyOfTypes(ts.getPreEmitDiagnostics(program), own);
  if (typeErrors.length > 0) process.stderr.write(typeErrorText(typeErrors, colours));
  if (own.length > 0) process.stderr.write(`${reportText(own, colours)}\n`);
  if (typeErrors.length > 0 || hasErrors(own)) throw new UserError("");
  const outputs = [...emit(files, parsed.options, texts), ...declarations(parsed)];
  for (const [file, text] of outputs) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  const programs = roots === 1 ? "1 root" : `${roots} roots`;
  process.stdout.write(`${programs} compiled, ${outputs.length} files written\n`);
}

/** JavaScript of every file: types are checked by now, so each is transpiled by itself. */
function emit(
  files: readonly ts.SourceFile[],
  options: ts.CompilerOptions,
  texts: ReadonlyMap<string, string>,
): readonly (readonly [string, string])[] {
  return files.flatMap((file) => {
    const { outputText, sourceMapText } = ts.transpileModule(
      texts.get(file.fileName) ?? file.text,
      { fileName: file.fileName, compilerOptions: { ...options, module: ts.ModuleKind.ESNext } },
    );
    const path = outputPath(file.fileName, options);
    const script = [path, outputText] as const;
    return sourceMapText === undefined
      ? [script]
      : [script, [`${path}.map`, sourceMapText] as const];
  });
}

function declarations(parsed: ts.ParsedCommandLine): readonly (readonly [string, string])[] {
  if (parsed.options.declaration !== true) return [];
  const outputs: (readonly [string, string])[] = [];
  const program = ts.createProgram({
    rootNames: parsed.fileNames,
    options: { ...parsed.options, noEmit: false, emitDeclarationOnly: true, incremental: false },
  });
  program.emit(undefined, (path, text) => outputs.push([path, text]));
  return outputs;
}

function outputPath(file: string, options: ts.CompilerOptions): string {
  const script = file.replace(/\.tsx?$/, ".js").replace(/\.mts$/, ".mjs");
  const { outDir, rootDir } = options;
  if (outDir === undefined) return script;
  const base = rootDir ?? process.cwd();
  return script.startsWith(`${base}/`) ? `${outDir}${script.slice(base.length)}` : script;
}
