/** Loader hooks of Node: a TypeScript file becomes JavaScript with its roots compiled. */

import { existsSync, readFileSync, writeSync } from "node:fs";
import type { LoadHook, ResolveHook } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { compile } from "../compiler/compile.ts";
import { onlyOfTypes } from "./duplicates.ts";
import { applyPlan, mayHaveRoots, plan, type TargetName } from "./plan.ts";
import { ProjectCache } from "./project.ts";
import { packageRoot } from "./read/world.ts";
import { isRootTarget } from "./ship.ts";
import { hasErrors, reportText, typeErrorText } from "./report.ts";

const projects = new ProjectCache();
const own = `${packageRoot()}/`;
/** Folders of this package that are the compiler itself, never a user's program. */
const compilerFolders = ["compiler", "transformer", "runtime", "lang", "stdlib", "dist"];

/** `./file.js` and `./file` stand for `./file.ts`, as they do for TypeScript. */
export const resolve: ResolveHook = async (specifier, context, next) => {
  try {
    return await next(specifier, context);
  } catch (error) {
    const { parentURL } = context;
    if (!/^\.{1,2}\//.test(specifier) || parentURL?.startsWith("file:") !== true) throw error;
    const base = fileURLToPath(new URL(specifier, parentURL));
    const stem = base.replace(/\.[cm]?js$/, "");
    const found = [`${stem}.ts`, `${stem}.mts`, `${stem}.tsx`, `${base}/index.ts`].find((file) =>
      existsSync(file),
    );
    if (found === undefined) throw error;
    return next(pathToFileURL(found).href, context);
  }
};

export const load: LoadHook = async (url, context, next) => {
  if (!url.startsWith("file:")) return next(url, context);
  const file = fileURLToPath(url);
  if (!/\.(ts|mts|tsx)$/.test(file) || file.includes("/node_modules/") || isCompiler(file)) {
    return next(url, context);
  }
  const text = readFileSync(file, "utf8");
  const compiled = mayHaveRoots(text) ? await compileFile(file) : text;
  const { outputText } = ts.transpileModule(compiled, {
    fileName: file,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      inlineSourceMap: true,
      verbatimModuleSyntax: false,
    },
  });
  return { format: "module", source: outputText, shortCircuit: true };
};

/** The file with its roots compiled. Errors end the program before it starts. */
async function compileFile(file: string): Promise<string> {
  const { world, program } = projects.projectOf(file);
  const sourceFile = program.getSourceFile(file);
  if (sourceFile === undefined) throw new Error(`${file} is in no program`);
  const colours = process.stderr.isTTY === true;
  // What is run is not shipped: it may know where its kernels come from.
  const planned = await plan(world, sourceFile, { compile, profile: true, ...target() });
  const typeErrors =
    process.env["FLUXION_CHECK"] === "1"
      ? onlyOfTypes(
          [
            ...program.getSyntacticDiagnostics(sourceFile),
            ...program.getSemanticDiagnostics(sourceFile),
          ],
          planned.diagnostics,
        )
      : [];
  const text = [typeErrorText(typeErrors, colours), reportText(planned.diagnostics, colours)].join(
    "",
  );
  if (typeErrors.length > 0 || hasErrors(planned.diagnostics)) fail(text);
  if (text !== "") process.stderr.write(`${text}\n`);
  return applyPlan(planned).code;
}

function target(): { readonly target?: TargetName } {
  const named = process.env["FLUXION_TARGET"];
  return isRootTarget(named) ? { target: named } : {};
}

function isCompiler(file: string): boolean {
  return compilerFolders.some((folder) => file.startsWith(`${own}${folder}/`));
}

/** The message alone: where the compiler was when it found the error helps nobody. */
function fail(text: string): never {
  if (process.env["FLUXION_RUN"] === "1") {
    // The exit of the thread of the hooks is that of the program.
    writeSync(2, `${text}\n`);
    process.exit(1);
  }
  throw Object.assign(new Error(text), { name: "CompileError", stack: text });
}
