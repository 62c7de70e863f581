/**
 * Programs printed as TypeScript, and what is asked of the text: it type-checks, computes the same
 * numbers as it stands, and is a program of the language that computes them too.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { compile, explain } from "../../compiler/compile.ts";
import {
  applyPlan,
  finish,
  plan,
  readFile,
  type ReadFile,
  type RootProgram,
} from "../../transformer/plan.ts";
import { ProjectCache, sourcePaths } from "../../transformer/project.ts";
import { load } from "../../runtime/index.ts";
import { reportText } from "../../transformer/report.ts";
import type { World } from "../../transformer/read/world.ts";

const tsconfig = resolve("test/readable/tsconfig.json");
const paths = sourcePaths();

/** A program of a file, and its text. */
export interface Printed {
  readonly id: string;
  /** What the root is called in the file. */
  readonly root: string;
  readonly program: RootProgram;
  readonly text: string;
  /** Where the text stands, with `again`: the text compiled. */
  readonly file: string;
}

interface Source {
  readonly world: World;
  readonly read: ReadFile;
  readonly printed: readonly Printed[];
}

export type AnyFunction = (...args: readonly unknown[]) => unknown;

/** Prints all programs of some files; the texts go to a folder that the test removes. */
export class Press {
  private readonly folder: string;
  private readonly projects = new ProjectCache({ tsconfig, paths });
  private readonly sources = new Map<string, Source>();
  private again: { readonly world: World; readonly program: ts.Program } | undefined;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Reads and prints files; `names` are what their texts are called. */
  async print(files: Readonly<Record<string, string>>): Promise<void> {
    const index = join(this.folder, "index.ts");
    writeFileSync(index, Object.values(files).map(importOf).join(""));
    const { world, program } = this.projects.projectOf(index);
    for (const [name, file] of Object.entries(files)) {
      const source = program.getSourceFile(file);
      if (source === undefined) throw new Error(`${file} is in no program`);
      const read = readFile(world, source);
      if (read.diagnostics.length > 0) throw new Error(reportText(read.diagnostics, false));
      const printed: Printed[] = [];
      // Regions of asynchronous roots are given what fits together, which is not known of samples.
      for (const root of read.roots.filter(({ extraction }) => extraction === undefined)) {
        for (const one of root.programs) {
          const { graph, signature } = one;
          const text = await explain(graph, "ts", { target: "js", signature });
          const own = join(this.folder, `${name}_${one.id}.ts`);
          writeFileSync(
            own,
            `${text}\nexport const again = compileAgain(${signature.name});\n${again}`,
          );
          printed.push({ id: one.id, root: root.name, program: one, text, file: own });
        }
      }
      this.sources.set(name, { world, read, printed });
    }
    const texts = join(this.folder, "texts.ts");
    writeFileSync(
      texts,
      this.all()
        .map(({ file }) => importOf(file))
        .join(""),
    );
    this.again = this.projects.projectOf(texts);
  }

  printed(name: string): readonly Printed[] {
    return this.source(name).printed;
  }

  /** The faults that TypeScript finds in the texts. */
  typeErrors(): readonly string[] {
    const { program } = this.again as { readonly program: ts.Program };
    return this.all().flatMap(({ file }) => {
      const source = program.getSourceFile(file) as ts.SourceFile;
      const found = [
        ...program.getSyntacticDiagnostics(source),
        ...program.getSemanticDiagnostics(source),
      ];
      return found.map(({ messageText, start = 0 }) => {
        const line = source.getLineAndCharacterOfPosition(start).line + 1;
        return `${basename(file)}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
      });
    });
  }

  /** The function of the program itself, compiled. */
  async original({ program: { graph, signature } }: Printed): Promise<AnyFunction> {
    const { manifest, code } = await compile(graph, signature, { target: "js" });
    return load(manifest, code) as AnyFunction;
  }

  /** The functions of the texts, as they stand. */
  async plain(one: Printed): Promise<AnyFunction> {
    const module = await this.run(
      `${basename(one.file, ".ts")}.plain`,
      one.text,
      dirname(one.file),
    );
    return module[one.program.signature.name] as AnyFunction;
  }

  /** The functions of the texts, compiled by the compiler that printed them. */
  async compiled(one: Printed): Promise<AnyFunction> {
    const { world, program } = this.again as {
      readonly world: World;
      readonly program: ts.Program;
    };
    const source = program.getSourceFile(one.file) as ts.SourceFile;
    const planned = await plan(world, source, { target: "js", compile });
    if (planned.diagnostics.length > 0) throw new Error(reportText(planned.diagnostics, false));
    if (planned.roots.length === 0) throw new Error(`${one.file} has no root`);
    const { code } = applyPlan(planned);
    const module = await this.run(`${basename(one.file, ".ts")}.again`, code, dirname(one.file));
    return module["again"] as AnyFunction;
  }

  /** The module of a file, with functions in place of its roots. */
  async moduleWith(
    name: string,
    functionOf: (one: Printed) => Promise<AnyFunction>,
  ): Promise<Record<string, unknown>> {
    const { world, read, printed } = this.source(name);
    // Of the programs nothing is used: their footer is another one.
    const manifest = {
      ...{ parameters: [], captured: [], result: { kind: "tuple", items: [] } },
      layout: { symbols: [], imports: [], sites: [] },
    };
    const none = { manifest, code: { kind: "js", text: "" } } as never;
    const planned = finish(read, world, new Map(printed.map(({ id }) => [id, none])));
    const table = `__printed_${name.replaceAll(/\W/g, "_")}`;
    const functions: Record<string, AnyFunction> = {};
    for (const one of printed) functions[one.id] = await functionOf(one);
    (globalThis as Record<string, unknown>)[table] = functions;
    const footer = printed.map(
      ({ id }) =>
        `function ${id}(captured) { return (...given) => globalThis.${table}.${id}(...given, ...(captured?.() ?? [])); }`,
    );
    const { code } = applyPlan({ ...planned, footer: footer.join("\n") });
    return this.run(`${name}.${table}`, code, dirname(read.file.fileName));
  }

  private source(name: string): Source {
    const source = this.sources.get(name);
    if (source === undefined) throw new Error(`${name} was not printed`);
    return source;
  }

  private all(): readonly Printed[] {
    return [...this.sources.values()].flatMap(({ printed }) => printed);
  }

  private count = 0;

  /** Runs a text as a module that stands in a folder. */
  private async run(name: string, text: string, folder: string): Promise<Record<string, unknown>> {
    const { outputText } = ts.transpileModule(text, {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    });
    const resolved = outputText
      .replaceAll(/from "(fluxion(?:\/\w+)?)"/g, (_, specifier: string) => {
        return `from ${JSON.stringify(sourceOf(specifier))}`;
      })
      .replaceAll(/from "(\.[^"]*)"/g, (_, other: string) => {
        return `from ${JSON.stringify(join(folder, other))}`;
      });
    const file = join(this.folder, `${name}.${this.count++}.mjs`);
    writeFileSync(file, resolved);
    return (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  }
}

const again = 'import { compile as compileAgain } from "fluxion";\n';

function importOf(file: string): string {
  return `import ${JSON.stringify(file)};\n`;
}

function sourceOf(specifier: string): string {
  const [pattern = ""] = paths["fluxion/*"] ?? [];
  return paths[specifier]?.[0] ?? pattern.replace("*", specifier.slice("fluxion/".length));
}
