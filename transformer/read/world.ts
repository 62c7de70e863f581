/**
 * The programs that source code is found in: the user's, and one for each package that ships the
 * sources of its declarations.
 */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import type { FunctionNode } from "./values.ts";

/** What a name outside of the code being read stands for. */
export type Declared =
  /** Of the language: `grad`, `matmul`. */
  | { readonly kind: "language"; readonly name: string; readonly declaration: ts.Declaration }
  /** Of JavaScript: `Math`, `Float64Array`, `console`. */
  | { readonly kind: "global"; readonly name: string }
  | { readonly kind: "function"; readonly declaration: FunctionNode; readonly name: string }
  | { readonly kind: "variable"; readonly declaration: VariableLike; readonly name: string }
  | { readonly kind: "module"; readonly symbol: ts.Symbol; readonly checker: ts.TypeChecker }
  | {
      readonly kind: "enum";
      readonly name: string;
      readonly members: readonly ts.EnumMember[];
      readonly checker: ts.TypeChecker;
    }
  /** Declared without a body that can be read. */
  | { readonly kind: "class"; readonly name: string }
  | { readonly kind: "opaque"; readonly name: string }
  | { readonly kind: "unknown" };

export type VariableLike = ts.VariableDeclaration | ts.ParameterDeclaration | ts.BindingElement;

export class World {
  private readonly programs: ts.Program[];
  private readonly byFile = new Map<string, ts.Program>();
  private readonly languageFolders: readonly string[];

  private readonly sources: Sources;

  constructor(
    program: ts.Program,
    languageFolders: readonly string[] = defaultFolders,
    sources: Sources = new Sources(),
  ) {
    this.sources = sources;
    // Making the checker binds the files: it sets the parents of their nodes.
    program.getTypeChecker();
    this.programs = [program];
    this.languageFolders = languageFolders;
  }

  checkerOf(node: ts.Node): ts.TypeChecker {
    return this.programOf(node.getSourceFile()).getTypeChecker();
  }

  /** What an identifier of the source stands for, through imports and re-exports. */
  resolve(identifier: ts.Identifier): Declared {
    const checker = this.checkerOf(identifier);
    const { parent } = identifier;
    const symbol =
      ts.isShorthandPropertyAssignment(parent) && parent.name === identifier
        ? checker.getShorthandAssignmentValueSymbol(parent)
        : checker.getSymbolAtLocation(identifier);
    if (symbol === undefined) return { kind: "unknown" };
    return this.declared(symbol, checker);
  }

  /** A member of `import * as name`. */
  member(module: Declared & { readonly kind: "module" }, name: string): Declared {
    const symbol = module.checker.getExportsOfModule(module.symbol).find((s) => s.name === name);
    return symbol === undefined ? { kind: "unknown" } : this.declared(symbol, module.checker);
  }

  isLanguageFile(file: string): boolean {
    return this.languageFolders.some((folder) => file.startsWith(`${folder}/`));
  }

  private declared(symbol: ts.Symbol, checker: ts.TypeChecker): Declared {
    const target =
      (symbol.flags & ts.SymbolFlags.Alias) !== 0 ? checker.getAliasedSymbol(symbol) : symbol;
    const declarations = target.declarations ?? [];
    const declaration = target.valueDeclaration ?? declarations[0];
    const { name } = target;
    if (name === "undefined" && declaration === undefined) return { kind: "global", name };
    if (declaration === undefined) return { kind: "unknown" };
    const file = declaration.getSourceFile();
    if (ts.isSourceFile(declaration)) return { kind: "module", symbol: target, checker };
    if (this.programOf(file).isSourceFileDefaultLibrary(file)) return { kind: "global", name };
    if (this.isLanguageFile(file.fileName)) return { kind: "language", name, declaration };
    const enums = declarations.filter(ts.isEnumDeclaration);
    if (enums.length > 0) {
      const members = enums.flatMap((one) => [...one.members]);
      return { kind: "enum", name, members, checker };
    }
    const bodied = declarations.find(isFunctionNode);
    if (bodied?.body !== undefined) return { kind: "function", declaration: bodied, name };
    const withBody = declarations.filter(isFunctionNode).find((node) => node.body !== undefined);
    if (withBody !== undefined) return { kind: "function", declaration: withBody, name };
    if (file.isDeclarationFile) {
      if (/[/\\]@types[/\\]node[/\\]/.test(file.fileName)) return { kind: "global", name };
      return this.fromSource(file, name) ?? { kind: "opaque", name };
    }
    if (ts.isClassDeclaration(declaration)) return { kind: "class", name };
    if (
      ts.isVariableDeclaration(declaration) ||
      ts.isParameter(declaration) ||
      ts.isBindingElement(declaration)
    ) {
      return { kind: "variable", declaration, name };
    }
    return { kind: "opaque", name };
  }

  /** The declaration in the TypeScript source that a declaration file was made from. */
  private fromSource(file: ts.SourceFile, name: string): Declared | undefined {
    const source = sourceOf(file);
    if (source === undefined) return undefined;
    const program = this.load(source);
    const sourceFile = program.getSourceFile(source);
    if (sourceFile === undefined) return undefined;
    const checker = program.getTypeChecker();
    const module = checker.getSymbolAtLocation(sourceFile);
    if (module === undefined) return undefined;
    const symbol = checker.getExportsOfModule(module).find((other) => other.name === name);
    return symbol === undefined ? undefined : this.declared(symbol, checker);
  }

  private load(source: string): ts.Program {
    const loaded = this.programs.find((program) => program.getSourceFile(source) !== undefined);
    if (loaded !== undefined) return loaded;
    const [main] = this.programs as [ts.Program];
    const program = this.sources.programOf(source, main);
    this.programs.push(program);
    return program;
  }

  private programOf(file: ts.SourceFile): ts.Program {
    const known = this.byFile.get(file.fileName);
    if (known !== undefined && known.getSourceFile(file.fileName) === file) return known;
    const program = this.programs.find((other) => other.getSourceFile(file.fileName) === file);
    if (program === undefined) throw new Error(`${file.fileName} belongs to no program`);
    this.byFile.set(file.fileName, program);
    return program;
  }
}

export function isFunctionNode(node: ts.Node): node is FunctionNode {
  return (
    ts.isFunctionDeclaration(node) ||
    ts.isFunctionExpression(node) ||
    ts.isArrowFunction(node) ||
    ts.isMethodDeclaration(node)
  );
}

/** Programs of the sources of packages, kept while none of their files changes. */
export class Sources {
  private readonly programs = new Map<string, ts.Program>();
  private readonly times = new Map<string, number>();

  /** The program of a source file; files that the main program has as well are the same ones. */
  programOf(source: string, main: ts.Program): ts.Program {
    const known = this.programs.get(source);
    if (known !== undefined && this.isCurrent(known, main)) return known;
    const options: ts.CompilerOptions = {
      ...main.getCompilerOptions(),
      allowImportingTsExtensions: true,
      noEmit: true,
      rootDir: undefined,
      composite: false,
      incremental: false,
      tsBuildInfoFile: undefined,
    };
    const host = ts.createCompilerHost(options, true);
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (file, ...rest) => {
      const shared = main.getSourceFile(file);
      if (shared !== undefined) return shared;
      this.times.set(file, modifiedAt(file));
      return read(file, ...rest);
    };
    host.resolveModuleNameLiterals = (literals, from, redirected) =>
      literals.map(({ text }) => {
        const found = ts.resolveModuleName(text, from, options, host, undefined, redirected);
        const declared = declarationOf(found.resolvedModule?.resolvedFileName, main);
        if (found.resolvedModule === undefined || declared === undefined) return found;
        const resolvedModule = {
          ...found.resolvedModule,
          resolvedFileName: declared,
          extension: ts.Extension.Dts,
          resolvedUsingTsExtension: false,
        };
        return { ...found, resolvedModule };
      });
    const program = ts.createProgram({ rootNames: [source], options, host });
    program.getTypeChecker();
    this.programs.set(source, program);
    return program;
  }

  private isCurrent(program: ts.Program, main: ts.Program): boolean {
    return program.getSourceFiles().every((file) => {
      const shared = main.getSourceFile(file.fileName);
      if (shared !== undefined) return shared === file;
      return this.times.get(file.fileName) === modifiedAt(file.fileName);
    });
  }
}

function modifiedAt(file: string): number {
  return ts.sys.getModifiedTime?.(file)?.getTime() ?? 0;
}

/**
 * The declarations of a source file of the language, where the main program has them: the library
 * needs the language's types, and not the compiler behind it.
 */
function declarationOf(source: string | undefined, main: ts.Program): string | undefined {
  const folder = join(packageRoot(), "lang");
  if (source?.startsWith(`${folder}/`) !== true || source.endsWith(".d.ts")) return undefined;
  const name = relative(folder, source).replace(/\.ts$/, ".d.ts");
  const declared = join(packageRoot(), "dist/lang", name);
  return main.getSourceFile(declared) === undefined ? undefined : declared;
}

/** The source file that a declaration map names, where it is there. */
function sourceOf(file: ts.SourceFile): string | undefined {
  const comment = /\/\/# sourceMappingURL=(\S+\.map)\s*$/.exec(file.text);
  if (comment === null) return undefined;
  const mapFile = join(dirname(file.fileName), comment[1] as string);
  if (!existsSync(mapFile)) return undefined;
  const map = JSON.parse(readFileSync(mapFile, "utf8")) as {
    readonly sourceRoot?: string;
    readonly sources: readonly string[];
  };
  const [first] = map.sources;
  if (first === undefined) return undefined;
  const source = resolve(dirname(mapFile), map.sourceRoot ?? "", first);
  return existsSync(source) && !source.endsWith(".d.ts") ? source : undefined;
}

/** The root of this package, from its sources as from its build. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) {
    const above = dirname(folder);
    if (above === folder) throw new Error("the package has no package.json");
    folder = above;
  }
  return folder;
}

const defaultFolders = [join(packageRoot(), "lang"), join(packageRoot(), "dist", "lang")];
