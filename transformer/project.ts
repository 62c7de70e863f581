/** Programs of TypeScript by project, kept from change to change. */

import { dirname, join, resolve } from "node:path";
import ts from "typescript";
import { packageRoot, Sources, World } from "./read/world.ts";

export interface Project {
  readonly world: World;
  readonly program: ts.Program;
}

export interface ProjectOptions {
  /** A tsconfig.json; the nearest one above the file where absent. */
  readonly tsconfig?: string | undefined;
  /** Where `fluxion` and `fluxion/…` are found, where they are not installed: for tests. */
  readonly paths?: Readonly<Record<string, string[]>> | undefined;
}

/** A project that is built again when its files change; unchanged files are kept. */
export class ProjectCache {
  private readonly options: ProjectOptions;
  private readonly versions = new Map<string, number>();
  private readonly overlays = new Map<string, string>();
  private readonly roots = new Set<string>();
  private readonly services = new Map<string, ts.LanguageService>();
  private readonly sources = new Sources();
  private worlds = new Map<string, Project>();

  constructor(options: ProjectOptions = {}) {
    this.options = options;
  }

  /** The project of a file, with the file as it is now; `text` where it is not yet on disk. */
  projectOf(file: string, text?: string): Project {
    const config = this.configOf(file);
    if (!this.roots.has(file)) {
      this.roots.add(file);
      this.worlds = new Map();
    }
    if (text !== undefined && this.overlays.get(file) !== text) {
      if (text !== ts.sys.readFile(file)) this.overlays.set(file, text);
      this.changed(file);
    }
    const known = this.worlds.get(config ?? "");
    if (known !== undefined) return known;
    const service = this.services.get(config ?? "") ?? this.newService(config, file);
    this.services.set(config ?? "", service);
    const program = service.getProgram();
    if (program === undefined) throw new Error(`there is no program for ${file}`);
    const project = { program, world: new World(program, undefined, this.sources) };
    this.worlds.set(config ?? "", project);
    return project;
  }

  /** Tells that a file has changed on disk. */
  changed(file: string): void {
    this.versions.set(file, (this.versions.get(file) ?? 0) + 1);
    this.worlds = new Map();
  }

  private configOf(file: string): string | undefined {
    const { tsconfig } = this.options;
    if (tsconfig !== undefined) return resolve(tsconfig);
    return ts.findConfigFile(dirname(file), ts.sys.fileExists);
  }

  private newService(config: string | undefined, file: string): ts.LanguageService {
    const parsed = config === undefined ? undefined : parseConfig(config);
    const options = compilerOptions(parsed?.options ?? {}, this.options);
    const host: ts.LanguageServiceHost = {
      getCompilationSettings: () => options,
      getScriptFileNames: () => [...this.roots],
      getScriptVersion: (name) => {
        const modified = ts.sys.getModifiedTime?.(name)?.getTime() ?? 0;
        return `${this.versions.get(name) ?? 0}:${modified}`;
      },
      getScriptSnapshot: (name) => {
        const text = this.overlays.get(name) ?? ts.sys.readFile(name);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => dirname(config ?? file),
      getDefaultLibFileName: (settings) => ts.getDefaultLibFilePath(settings),
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      readDirectory: ts.sys.readDirectory,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
      realpath: ts.sys.realpath,
    };
    return ts.createLanguageService(host);
  }
}

export function parseConfig(config: string): ts.ParsedCommandLine {
  const { config: json, error } = ts.readConfigFile(config, ts.sys.readFile);
  if (error !== undefined) {
    throw new Error(ts.flattenDiagnosticMessageText(error.messageText, "\n"));
  }
  return ts.parseJsonConfigFileContent(json, ts.sys, dirname(config), undefined, config);
}

/** The user's options, with what reading sources needs. */
export function compilerOptions(
  own: ts.CompilerOptions,
  { paths }: ProjectOptions = {},
): ts.CompilerOptions {
  const resolution =
    own.module === undefined
      ? { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext }
      : {};
  return {
    target: ts.ScriptTarget.ES2023,
    strict: true,
    skipLibCheck: true,
    types: own.types ?? [],
    ...resolution,
    ...own,
    ...(paths === undefined ? {} : { paths: { ...own.paths, ...paths } }),
    allowImportingTsExtensions: true,
    noEmit: true,
    incremental: false,
    composite: false,
    tsBuildInfoFile: undefined,
    declaration: false,
    declarationMap: false,
    emitDeclarationOnly: false,
  };
}

/** Where the package's names are in its own sources. */
export function sourcePaths(): Readonly<Record<string, string[]>> {
  const root = packageRoot();
  return {
    fluxion: [join(root, "lang/index.ts")],
    "fluxion/runtime": [join(root, "runtime/index.ts")],
    "fluxion/*": [join(root, "stdlib/*.ts")],
  };
}
