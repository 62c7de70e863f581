/**
 * Imports of the language that a compiled file no longer needs. Where all of its tensor work is
 * compiled, the names of the border come from the runtime, and the eager language is not bundled.
 */

import ts from "typescript";
import type { Edit } from "./plan.ts";
import type { World } from "./read/world.ts";

export interface CompiledParts {
  /** Calls that are replaced. */
  readonly roots: readonly ts.Node[];
  /** Functions that compiled code was read from. */
  readonly compiled: ReadonlySet<ts.Node>;
}

/** Names that the runtime has as well: values, and those with the types. */
const borderValues = new Set([
  ...["tensor", "sparsityOf", "useThreads", "device", "onReady", "draw", "fromImage"],
  ...["asTexture", "gpuDevice", "prefetch"],
]);
const border = new Set([
  ...borderValues,
  ...["Tensor", "Sparsity", "DeviceReport", "ImageOptions", "ImageSource", "TextureOptions"],
]);

/** Members of a tensor that need no eager language. */
const borderMembers = new Set([
  "shape",
  "dtype",
  "rank",
  "data",
  "dataSync",
  "toArray",
  "item",
  "dispose",
]);

export function staleImports(
  world: World,
  file: ts.SourceFile,
  parts: CompiledParts,
): readonly Edit[] {
  const declarations = file.statements
    .filter(ts.isImportDeclaration)
    .filter((statement) => isLanguageImport(world, statement));
  if (declarations.length === 0 || isUsedEagerly(world, file, parts)) return [];
  return declarations.map((declaration): Edit => {
    const bindings = declaration.importClause?.namedBindings;
    const kept =
      bindings !== undefined && ts.isNamedImports(bindings)
        ? bindings.elements.filter(
            (element) => !element.isTypeOnly && isBorderValue(world, element),
          )
        : [];
    const names = kept.map((element) => element.getText()).join(", ");
    return {
      start: declaration.getStart(file),
      end: declaration.getEnd(),
      text: kept.length === 0 ? "" : `import { ${names} } from "fluxion/runtime";`,
      node: declaration,
    };
  });
}

function isLanguageImport(world: World, node: ts.ImportDeclaration): boolean {
  const bindings = node.importClause?.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return false;
  if (node.importClause?.isTypeOnly === true || bindings.elements.length === 0) return false;
  return bindings.elements.every((element) => isFromLanguage(world, element));
}

function isFromLanguage(world: World, element: ts.ImportSpecifier): boolean {
  if (element.isTypeOnly) return true;
  const checker = world.checkerOf(element);
  const symbol = checker.getSymbolAtLocation(element.name);
  if (symbol === undefined || (symbol.flags & ts.SymbolFlags.Alias) === 0) return false;
  const declaration = checker.getAliasedSymbol(symbol).declarations?.[0];
  return declaration !== undefined && world.isLanguageFile(declaration.getSourceFile().fileName);
}

/** A name that the runtime has as a value; types go away by themselves. */
function isBorderValue(world: World, element: ts.ImportSpecifier): boolean {
  const imported = (element.propertyName ?? element.name).text;
  const declared = world.resolve(element.name);
  return borderValues.has(imported) && declared.kind === "language";
}

/** Whether code that still runs on the host computes with the language. */
function isUsedEagerly(world: World, file: ts.SourceFile, parts: CompiledParts): boolean {
  const checker = world.checkerOf(file);
  const roots = new Set(parts.roots);
  const skipped = new Set(
    [...parts.compiled].filter((node) => node.getSourceFile() === file && isPrivate(node)),
  );
  const isEager = (node: ts.Node): boolean => {
    if (roots.has(node) || skipped.has(node) || ts.isImportDeclaration(node)) return false;
    if (ts.isTypeNode(node)) return false;
    if (ts.isIdentifier(node) && !isName(node)) {
      const declared = world.resolve(node);
      if (declared.kind === "language" && !border.has(declared.name)) return true;
      if (declared.kind === "function" && skipped.has(declared.declaration)) return true;
    }
    if (ts.isPropertyAccessExpression(node) && !borderMembers.has(node.name.text)) {
      const type = checker.getTypeAtLocation(node.expression);
      if ((type.aliasSymbol ?? type.symbol)?.name === "Tensor") return true;
    }
    return ts.forEachChild(node, (child) => isEager(child) || undefined) === true;
  };
  return isEager(file);
}

/** A function that only this file can call. */
function isPrivate(node: ts.Node): boolean {
  if (!ts.isFunctionDeclaration(node)) return false;
  return !(node.modifiers ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
}

function isName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node) ||
    (ts.isFunctionDeclaration(parent) && parent.name === node) ||
    ts.isTypeReferenceNode(parent)
  );
}
