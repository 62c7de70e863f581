/** Runs a program as it is and compiled, and compares what its `main` returns. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { compile } from "../../compiler/compile.ts";
import { applyPlan, type CompileProgram, plan, type TargetName } from "../../transformer/plan.ts";
import { ProjectCache, sourcePaths } from "../../transformer/project.ts";
import { reportText } from "../../transformer/report.ts";

export const folder = dirname(fileURLToPath(import.meta.url));
/** The programs by their folders. */
export const names = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "out")
  .map((entry) => entry.name);
/** Those whose roots are asynchronous: half of them runs on the host. */
export const asyncNames = names.filter((name) => name.startsWith("async-"));
const projects = new ProjectCache({
  tsconfig: join(folder, "tsconfig.json"),
  paths: sourcePaths(),
});

interface Program {
  readonly main: () => unknown;
  /** What `main` returns, where the eager language cannot run it. */
  readonly expected?: () => unknown;
  /** Relative difference that is allowed: none where absent. */
  readonly tolerance?: number;
}

/** The program as it stands, on the eager language. */
export async function plainProgram(name: string): Promise<Program> {
  const file = join(folder, name, "main.ts");
  return plainModule<Program>(file, readFileSync(file, "utf8"));
}

/** What a text exports as it stands; `file` is where its imports are. */
export function plainModule<M>(file: string, text: string): Promise<M> {
  return load<M>(file, "plain", text);
}

export interface CompiledProgram extends Program {
  readonly roots: number;
}

export function compiledProgram(name: string, target: TargetName): Promise<CompiledProgram> {
  const checked: CompileProgram = (graph, signature, options) =>
    compile(graph, signature, { ...options, check: true });
  return programWith(name, { target, version: target, compile: checked });
}

export interface ProgramOptions {
  readonly target: TargetName;
  /** In the name of the file that is loaded. */
  readonly version: string;
  readonly compile: CompileProgram;
  /** A module in place of the runtime. */
  readonly runtime?: string;
  /** With the profiler. */
  readonly profile?: boolean;
  /** What the file says, where it was generated; names in it may be without use. */
  readonly text?: string;
}

/** The program with its roots compiled by a function, on a runtime. */
export function programWith(name: string, options: ProgramOptions): Promise<CompiledProgram> {
  return moduleWith<CompiledProgram>(join(folder, name, "main.ts"), options);
}

/** What a file of TypeScript exports, its roots compiled, and how many these are. */
export async function moduleWith<M extends object>(
  file: string,
  { target, version, compile: compileRoot, runtime, profile = false, text }: ProgramOptions,
): Promise<M & { readonly roots: number }> {
  const { world, program } = projects.projectOf(file, text);
  const source = program.getSourceFile(file);
  if (source === undefined) throw new Error(`${file} is in no program`);
  const typeErrors = program
    .getSemanticDiagnostics(source)
    .filter(({ reportsUnnecessary }) => text === undefined || !reportsUnnecessary);
  if (typeErrors.length > 0) {
    throw new Error(
      typeErrors
        .map((error) => ts.flattenDiagnosticMessageText(error.messageText, "\n"))
        .join("\n"),
    );
  }
  const planned = await plan(world, source, { target, profile, compile: compileRoot });
  const errors = planned.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(reportText(errors, false));
  const loaded = await load<M>(file, version, applyPlan(planned).code, runtime);
  return { ...loaded, roots: planned.roots.length };
}

async function load<M>(
  original: string,
  version: string,
  text: string,
  runtime = sourceOf("fluxion/runtime"),
): Promise<M> {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  const resolved = outputText
    .replaceAll(/from "(fluxion(?:\/\w+)?)"/g, (_, specifier: string) => {
      const isRuntime = specifier === "fluxion/runtime";
      return `from ${JSON.stringify(isRuntime ? runtime : sourceOf(specifier))}`;
    })
    .replaceAll(/from "\.\/(\w+)\.ts"/g, (_, other: string) => {
      return `from ${JSON.stringify(join(dirname(original), `${other}.ts`))}`;
    });
  const out = join(folder, "out");
  mkdirSync(out, { recursive: true });
  const file = join(out, `${basename(dirname(original))}.${version}.js`);
  writeFileSync(file, resolved);
  return (await import(`${pathToFileURL(file).href}?${Date.now()}`)) as M;
}

function sourceOf(specifier: string): string {
  const paths = sourcePaths();
  const exact = paths[specifier]?.[0];
  const [pattern = ""] = paths["fluxion/*"] ?? [];
  return exact ?? pattern.replace("*", specifier.slice("fluxion/".length));
}

/** Where two results differ, as a path and the two values; undefined where they agree. */
export function difference(
  actual: unknown,
  expected: unknown,
  tolerance: number,
  path = "main()",
): string | undefined {
  if (typeof actual === "number" && typeof expected === "number") {
    if (Object.is(actual, expected)) return undefined;
    const size = Math.max(Math.abs(actual), Math.abs(expected), 1e-3);
    if (tolerance > 0 && Math.abs(actual - expected) <= tolerance * size) return undefined;
    return `${path}: ${actual}, and ${expected} is expected`;
  }
  const [a, b] = [plainData(actual), plainData(expected)];
  if (typeof a !== "object" || a === null || typeof b !== "object" || b === null) {
    return Object.is(a, b) ? undefined : `${path}: ${String(a)}, and ${String(b)} is expected`;
  }
  const [one, other] = [a as Record<string, unknown>, b as Record<string, unknown>];
  if (a.constructor !== b.constructor) {
    return `${path}: a ${a.constructor?.name}, and a ${b.constructor?.name} is expected`;
  }
  const keys = Object.keys(other);
  if (Object.keys(one).join() !== keys.join()) {
    return `${path}: has ${Object.keys(one).join()}, and ${keys.join()} are expected`;
  }
  for (const key of keys) {
    const found = difference(one[key], other[key], tolerance, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A tensor by its shape and its elements. */
function plainData(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("dataSync" in value)) return value;
  const { shape, dtype, dataSync } = value as {
    readonly shape: readonly number[];
    readonly dtype: string;
    readonly dataSync: () => ArrayLike<number>;
  };
  return { shape: [...shape], dtype, data: Array.from(dataSync.call(value)) };
}
