/** Which functions may call themselves: those that mention themselves, directly or through others. */

import ts from "typescript";
import type { FunctionNode } from "./values.ts";
import { type Declared, isFunctionNode, type World } from "./world.ts";

export class Mentions {
  private readonly world: World;
  private readonly direct = new Map<ts.Node, ReadonlySet<FunctionNode>>();
  private readonly recursive = new Map<FunctionNode, boolean>();

  constructor(world: World) {
    this.world = world;
  }

  mayCallItself(declaration: FunctionNode): boolean {
    const known = this.recursive.get(declaration);
    if (known !== undefined) return known;
    const seen = new Set<FunctionNode>();
    const reaches = (from: FunctionNode): boolean => {
      for (const next of this.mentionedBy(from)) {
        if (next === declaration) return true;
        if (seen.has(next)) continue;
        seen.add(next);
        if (reaches(next)) return true;
      }
      return false;
    };
    const found = reaches(declaration);
    this.recursive.set(declaration, found);
    return found;
  }

  /** The functions that the text of one names; through a variable, those of its initializer. */
  private mentionedBy(declaration: FunctionNode): ReadonlySet<FunctionNode> {
    const known = this.direct.get(declaration);
    if (known !== undefined) return known;
    const found = new Set<FunctionNode>();
    const variables = new Set<ts.Node>();
    const visit = (node: ts.Node): void => {
      if (ts.isTypeNode(node)) return;
      if (ts.isIdentifier(node) && !isMemberName(node)) name(node);
      ts.forEachChild(node, visit);
    };
    const name = (node: ts.Identifier): void => {
      const declared = this.declared(node);
      if (declared.kind === "function") found.add(declared.declaration);
      if (declared.kind !== "variable" || !ts.isVariableDeclaration(declared.declaration)) return;
      const { initializer } = declared.declaration;
      if (initializer === undefined || variables.has(initializer)) return;
      variables.add(initializer);
      if (isFunctionNode(initializer)) found.add(initializer);
      else visit(initializer);
    };
    for (const parameter of declaration.parameters) visit(parameter);
    if (declaration.body !== undefined) visit(declaration.body);
    this.direct.set(declaration, found);
    return found;
  }

  /** What a name stands for; `name` in `module.name` is a member of the module. */
  private declared(node: ts.Identifier): Declared {
    const own = this.world.resolve(node);
    const { parent } = node;
    const isModule = own.kind === "module" && ts.isPropertyAccessExpression(parent);
    return isModule ? this.world.member(own, parent.name.text) : own;
  }
}

/** Names of members are left alone: what they stand for depends on types, which are slow to ask for. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  return (
    (ts.isPropertyAccessExpression(parent) && parent.name === node) ||
    (ts.isPropertyAssignment(parent) && parent.name === node)
  );
}
