/**
 * The plugin for ts-patch, `{ "transform": "fluxion/transformer" }`: `tspc` emits JavaScript with
 * programs in place of roots. Errors are added to those of TypeScript; warnings are printed.
 */

import type { PluginConfig, TransformerExtras } from "ts-patch";
import ts from "typescript";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import { syncCompiler, type SyncCompiler } from "./compileSync.ts";
import { saidByBoth } from "./duplicates.ts";
import {
  type Edit,
  editedText,
  finish,
  mayHaveRoots,
  type Plan,
  readFile,
  type Root,
  settingsFor,
  type TargetName,
} from "./plan.ts";
import { World } from "./read/world.ts";
import type { Shipped } from "./ship.ts";
import { spanOf } from "./span.ts";
import { reportText } from "./report.ts";

export interface TsPatchConfig extends PluginConfig {
  /** For roots that do not say it; "wasm" where absent. */
  readonly target?: TargetName;
  /** Ship the profiler, as `profile` of functions needs it. */
  readonly profile?: boolean;
}

export default function transformer(
  program: ts.Program,
  config: TsPatchConfig,
  extras: TransformerExtras,
): ts.TransformerFactory<ts.SourceFile> {
  const world = new World(program);
  let compiler: SyncCompiler | undefined;
  return (context) => (file) => {
    if (file.isDeclarationFile || !mayHaveRoots(file.text)) return file;
    compiler ??= syncCompiler();
    const plan = planNow(world, file, config, compiler);
    for (const diagnostic of plan.diagnostics) {
      if (diagnostic.severity === "error") addError(program, diagnostic, extras);
      else process.stderr.write(`${reportText([diagnostic], false)}\n`);
    }
    return edited(context, file, plan);
  };
}

function planNow(
  world: World,
  file: ts.SourceFile,
  config: TsPatchConfig,
  compiler: SyncCompiler,
): Plan {
  const read = readFile(world, file, config);
  const programs = new Map<string, Shipped>();
  const faults: Diagnostic[] = [];
  const profile = config.profile === true;
  for (const root of read.roots) {
    for (const program of root.programs) {
      const { id, graph, signature } = program;
      const settings = settingsFor(root, program);
      const job = { graph, signature, settings, profile, root: spanOf(root.node) };
      const answer = compiler.compile(job);
      if ("fault" in answer) faults.push(answer.fault);
      else programs.set(id, answer.shipped);
    }
  }
  const diagnostics = [...read.diagnostics, ...faults];
  return finish({ ...read, diagnostics }, world, programs, config);
}

/** The tree with the edits in it. Texts that we have made are printed as they are. */
function edited(context: ts.TransformationContext, file: ts.SourceFile, plan: Plan): ts.SourceFile {
  const { edits, footer, imports } = plan;
  if (edits.length === 0) return file;
  const { factory } = context;
  const byNode = new Map(
    edits.flatMap((edit): [ts.Node, Edit][] => (edit.node ? [[edit.node, edit]] : [])),
  );
  const hosts = new Map(plan.roots.flatMap((root) => hostTexts(root, file, edits)));
  const verbatim = (text: string): ts.Identifier => factory.createIdentifier(text);
  const visit = (node: ts.Node): ts.Node | undefined => {
    const host = hosts.get(node);
    if (host !== undefined) {
      const text = ts.setTextRange(verbatim(host), node);
      return ts.isStatement(node) ? factory.createExpressionStatement(text) : text;
    }
    const edit = byNode.get(node);
    if (edit === undefined) return ts.visitEachChild(node, visit, context);
    if (!ts.isImportDeclaration(node)) return ts.setTextRange(verbatim(edit.text), node);
    return edit.text === "" ? undefined : runtimeImport(factory, namesIn(edit.text));
  };
  const visited = ts.visitEachChild(file, visit, context);
  if (footer === "") return visited;
  const statements = [
    runtimeImport(factory, imports),
    ...visited.statements,
    factory.createExpressionStatement(verbatim(footer)),
  ];
  return factory.updateSourceFile(
    visited,
    ts.setTextRange(factory.createNodeArray(statements), visited.statements),
  );
}

/** The nodes of an asynchronous root that are written anew, as JavaScript. */
function hostTexts(
  { node, extraction }: Root,
  file: ts.SourceFile,
  edits: readonly Edit[],
): readonly (readonly [ts.Node, string])[] {
  if (extraction === undefined) return [];
  const { root: fn } = extraction.placement;
  const isInside = fn.getStart(file) >= node.getStart(file) && fn.getEnd() <= node.getEnd();
  return [node, ...(isInside ? [] : [fn])].map((host) => {
    // A module, so that nothing else is written around it.
    const head = ts.isStatement(host) ? "export " : "export const host = ";
    const text = head + editedText(file, edits, host.getStart(file), host.getEnd());
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
    });
    return [host, outputText.trim().slice(head.length).replace(/;$/, "")] as const;
  });
}

function runtimeImport(
  factory: ts.NodeFactory,
  names: readonly (readonly [imported: string, local: string])[],
): ts.ImportDeclaration {
  const elements = names.map(([imported, local]) =>
    factory.createImportSpecifier(
      false,
      imported === local ? undefined : factory.createIdentifier(imported),
      factory.createIdentifier(local),
    ),
  );
  return factory.createImportDeclaration(
    undefined,
    factory.createImportClause(undefined, undefined, factory.createNamedImports(elements)),
    factory.createStringLiteral("fluxion/runtime"),
  );
}

/** The names of `import { a, b as c } from "…"`. */
function namesIn(text: string): readonly (readonly [string, string])[] {
  const inside = /\{(.*)\}/.exec(text)?.[1] ?? "";
  return inside.split(",").flatMap((part): (readonly [string, string])[] => {
    const [imported, local] = part.trim().split(/\s+as\s+/);
    return imported === undefined || imported === "" ? [] : [[imported, local ?? imported]];
  });
}

/**
 * Adds an error to those of TypeScript. One that says the same is on its way to the user by now:
 * it takes on our words.
 */
function addError(program: ts.Program, diagnostic: Diagnostic, extras: TransformerExtras): void {
  const error = asTypeScript(program, diagnostic);
  const same = program
    .getSemanticDiagnostics(error.file)
    .filter((typeError) => saidByBoth(typeError, diagnostic));
  for (const typeError of same) Object.assign(typeError, error);
  if (same.length === 0) extras.addDiagnostic(error);
}

function asTypeScript(program: ts.Program, diagnostic: Diagnostic): ts.Diagnostic {
  const { code, message, hint, span, related } = diagnostic;
  const file = span === undefined ? undefined : program.getSourceFile(span.file);
  return {
    category: ts.DiagnosticCategory.Error,
    code: Number(code.slice(2)),
    source: "fluxion",
    messageText: `${code}: ${message}${hint === "" ? "" : `\n  hint: ${hint}`}`,
    file,
    start: span?.start,
    length: span?.length,
    relatedInformation: related.map((place) => ({
      category: ts.DiagnosticCategory.Message,
      code: Number(code.slice(2)),
      messageText: place.message,
      file: program.getSourceFile(place.span.file),
      start: place.span.start,
      length: place.span.length,
    })),
  };
}
