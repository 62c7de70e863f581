/**
 * Reads a piece of a function of the host as a program: statements, or an expression. What it reads
 * from around is a parameter, and what it leaves is the result: a tuple of variables, or the value of
 * the expression.
 */

import ts from "typescript";
import { type Diagnostic, DiagnosticError } from "../../compiler/diagnostics/diagnostic.ts";
import { patternFaults } from "../../compiler/autodiff/patternFaults.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Dim, dimText, symbolsOf } from "../../compiler/ir/dim.ts";
import type { Block, Value } from "../../compiler/ir/types.ts";
import { allEquations, extentsOf } from "../../compiler/ir/walk.ts";
import { leavesOf, type Tree } from "../../runtime/manifest.ts";
import type { SurfaceFunction } from "../../lang/surface/support.ts";
import { possibleAliases } from "./alias.ts";
import { newList, readField } from "./objects.ts";
import { normal, Reader } from "./reader.ts";
import { outgoing } from "./result.ts";
import { captureVariable, type ProgramRead, reachable } from "./root.ts";
import { Scope } from "./scope.ts";
import { runStatements } from "./statements/blocks.ts";
import { type Incoming, incoming } from "./types.ts";
import { type ReaderValue, type Shared, undefinedValue, unset } from "./values.ts";
import { SilentFault, visitors } from "./visit.ts";
import type { VariableLike, World } from "./world.ts";

/** A variable of the host that the region assigns. */
export interface Written {
  readonly name: string;
  readonly declaration: VariableLike;
  /** Whether it has a value when the region begins. */
  readonly hasValue: boolean;
}

/** A variable that the host reads afterwards, or fields of it. */
export interface Output {
  readonly name: string;
  /** Undefined for all of it. */
  readonly fields: readonly string[] | undefined;
}

/** What a region is made of: statements of one list, in order, or an expression. */
export type Piece =
  | { readonly kind: "statements"; readonly nodes: readonly ts.Statement[] }
  | { readonly kind: "expression"; readonly nodes: readonly [ts.Expression] };

export interface RegionRequest {
  readonly world: World;
  readonly surface: Readonly<Record<string, SurfaceFunction>>;
  readonly name: string;
  readonly piece: Piece;
  readonly written: readonly Written[];
  readonly outputs: readonly Output[];
  /** Whether the host writes fields of records, or compares records, anywhere. */
  readonly tellsRecords: boolean;
}

/** An item of the result of statements. */
export interface Entry {
  readonly name: string;
  readonly field?: string;
}

export interface ReadRegion {
  /** Undefined where there are errors. */
  readonly program: ProgramRead | undefined;
  /** What the items of the result are; empty for an expression. */
  readonly entries: readonly Entry[];
  /** The arguments of its program, as the host writes them. */
  readonly args: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
  /** Functions that were read, and the files where they stand. */
  readonly declarations: ReadonlySet<ts.Node>;
  readonly files: readonly string[];
}

/**
 * Types of the host say `number` of many extents. Those that would have to be one are taken for one,
 * and the call compares them.
 */
export function readRegion(request: RegionRequest): ReadRegion {
  const known = new Map<string, Dim>();
  for (;;) {
    const { read, differing } = readOnce(request, known);
    if (read.program !== undefined || differing === undefined) return read;
    const [name, dim] = differing;
    if (known.has(name)) return read;
    known.set(name, dim);
  }
}

function readOnce(
  request: RegionRequest,
  known: ReadonlyMap<string, Dim>,
): { readonly read: ReadRegion; readonly differing: readonly [string, Dim] | undefined } {
  const reader = new Reader(request.world, visitors, request.surface);
  reader.known = known;
  const [node] = request.piece.nodes as readonly [ts.Node];
  let program: ProgramRead | undefined;
  const entries: Entry[] = [];
  const args: string[] = [];
  try {
    const read = readProgram(reader, request, node, { entries, args });
    for (const fault of patternFaults(read.graph)) reader.report(fault);
    if (!reader.hasErrors()) program = read;
  } catch (error) {
    reader.reportThrown(error, node);
  }
  const { diagnostics, declarations, open } = reader;
  const files = [...declarations].map((declaration) => declaration.getSourceFile().fileName);
  const isOpen = (dim: Dim): boolean => typeof dim !== "number" && open.has(dimText(dim));
  const [pair] = reader.differing.filter((dims) => dims.some(isOpen));
  const differing =
    pair && ([...pair].sort((a, b) => Number(isOpen(a)) - Number(isOpen(b))) as [Dim, Dim]);
  return {
    read: { program, entries, args, diagnostics, declarations, files: [...new Set(files)] },
    differing: differing && [dimText(differing[1]), differing[0]],
  };
}

function readProgram(
  reader: Reader,
  request: RegionRequest,
  node: ts.Node,
  { entries, args }: { readonly entries: Entry[]; readonly args: string[] },
): ProgramRead {
  const { piece, written } = request;
  const captured: Captured[] = [];
  const assigned = new Set<ts.Node>(written.map(({ declaration }) => declaration));
  const capture = (declaration: VariableLike, name: string, at: ts.Node): ReaderValue => {
    const read = captureVariable(reader, declaration, name, node, at);
    captured.push({ ...read, name, text: name });
    return read.value;
  };
  reader.hostPath = hostPaths(reader, assigned, captured);
  reader.capture = (declaration, name, at) => {
    // A function from around would see what the variable was before.
    if (assigned.has(declaration)) {
      return reader.fail(messages.unreachableCapture({ name }, reader.span(at)));
    }
    return capture(declaration as VariableLike, name, at);
  };
  reader.current = node;
  reader.builder.span = reader.span(node);
  const scope = new Scope();
  for (const { name, declaration, hasValue } of written) {
    const value = hasValue ? reader.heap.outsideOf(() => capture(declaration, name, node)) : unset;
    scope.declare(name, { place: reader.heap.place<ReaderValue>(value, name), constant: false });
  }
  const result =
    piece.kind === "expression"
      ? reader.evaluate(piece.nodes[0], scope)
      : resultOf(reader, piece.nodes, request.outputs, scope, entries);
  if (reader.hasErrors() || result.kind === "faulty") throw new SilentFault("reported before");
  checkIdentity(reader, result, node, request.tellsRecords);
  const { tree, leaves } = outgoing(reader, result, node);
  const { equations } = reader.builder;
  const isNeeded = neededBy({ parameters: [], equations, results: leaves }, captured);
  const given = captured.flatMap((argument) => {
    const pruned = partsOf(argument.tree, argument.leaves, argument.text, isNeeded);
    return pruned === undefined ? [] : [{ name: argument.name, ...pruned }];
  });
  const body: Block = {
    parameters: given.flatMap((argument) => argument.leaves),
    equations,
    results: leaves,
  };
  const root = reader.freshName(request.name);
  const functions = reachable(body, reader.functions);
  functions.set(root, { name: root, body });
  const parameters = given.map(({ name, tree: own }) => ({ name, tree: own }));
  args.push(...given.map(({ text }) => text));
  return {
    graph: { root, functions },
    signature: { name: request.name, parameters, captured: [], result: tree },
  };
}

/** What a region is passed: a variable, or what the host finds by a path. */
interface Captured extends Incoming {
  readonly name: string;
  readonly text: string;
}

/**
 * Reads `loader.current.images` where `loader` itself is nothing that can be passed, such as an object of
 * a class: the host passes what is there. Accessors are functions, and stay calls of the host.
 */
function hostPaths(
  reader: Reader,
  assigned: ReadonlySet<ts.Node>,
  captured: Captured[],
): Reader["hostPath"] {
  const known = new Map<string, ReaderValue>();
  const refused = new Set<ts.Node>();
  const typed = (node: ts.Expression, name: string): Incoming | undefined => {
    const type = reader.world.checkerOf(node).getTypeAtLocation(node);
    try {
      return reader.heap.outsideOf(() => incoming(reader, type, name, node, "captured"));
    } catch (error) {
      if (error instanceof DiagnosticError) return undefined;
      throw error;
    }
  };
  /** True of a variable whose type cannot be passed. */
  const isClosed = (owner: ts.Expression, scope: Scope): boolean => {
    if (owner.kind === ts.SyntaxKind.ThisKeyword) return true;
    if (!ts.isIdentifier(owner) || scope.lookup(owner.text) !== undefined) return false;
    const declared = reader.world.resolve(owner);
    if (declared.kind !== "variable" || assigned.has(declared.declaration)) return false;
    if (!refused.has(declared.declaration)) {
      if (typed(owner, owner.text) !== undefined) return false;
      refused.add(declared.declaration);
    }
    return true;
  };
  return (node, scope) => {
    const text = node.getText();
    const before = known.get(text);
    let owner: ts.Expression = node;
    while (ts.isPropertyAccessExpression(owner)) {
      const member = reader.world.checkerOf(owner).getSymbolAtLocation(owner.name);
      const isField = member !== undefined && (member.flags & ts.SymbolFlags.Property) !== 0;
      if (!isField || owner.questionDotToken !== undefined) return undefined;
      owner = owner.expression;
    }
    if (reader.calls.length > 0 || !isClosed(owner, scope)) return undefined;
    if (before !== undefined) return before;
    const name = text.replaceAll(/\W+/g, "_");
    const read = typed(node, name);
    if (read === undefined) return undefined;
    captured.push({ ...read, name: text, text });
    known.set(text, read.value);
    return read.value;
  };
}

/** Whether a leaf of what is captured is read, or tells how long something is that is. */
function neededBy(body: Block, captured: readonly Incoming[]): (leaf: Value) => boolean {
  const read = new Set<Value>(body.results);
  const extents = new Set<string>();
  for (const { inputs, outputs, regions, ...equation } of allEquations(body)) {
    for (const value of [...inputs, ...regions.flatMap(({ results }) => results)]) read.add(value);
    for (const { type } of [...inputs, ...outputs]) {
      for (const dim of type.shape) for (const name of symbolsOf(dim)) extents.add(name);
    }
    for (const name of extentsOf({ inputs, outputs, regions, ...equation })) extents.add(name);
  }
  const all = captured.flatMap(({ leaves }) => leaves);
  for (const { type } of body.results) {
    for (const dim of type.shape) for (const name of symbolsOf(dim)) extents.add(name);
  }
  const told = new Set(
    all.filter((leaf) => read.has(leaf)).flatMap(({ type }) => type.shape.flatMap(symbolsOf)),
  );
  const tells = ({ type }: Value): boolean =>
    type.shape.flatMap(symbolsOf).some((name) => extents.has(name) && !told.has(name));
  return (leaf) => read.has(leaf) || tells(leaf);
}

/** What is passed of an argument: of records the fields that are needed. */
function partsOf(
  tree: Tree,
  leaves: readonly Value[],
  text: string,
  isNeeded: (leaf: Value) => boolean,
): { readonly tree: Tree; readonly leaves: readonly Value[]; readonly text: string } | undefined {
  if (!leaves.some(isNeeded)) return undefined;
  if (tree.kind !== "record" || leaves.every(isNeeded)) return { tree, leaves, text };
  let at = 0;
  const fields = tree.fields.flatMap(([name, field]) => {
    const own = leaves.slice(at, (at += leavesOf(field).length));
    const key = /^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
    const part = partsOf(field, own, text + key, isNeeded);
    return part === undefined ? [] : [{ name, part }];
  });
  const texts = fields.map(({ name, part }) => `${JSON.stringify(name)}: ${part.text}`);
  return {
    tree: { kind: "record", fields: fields.map(({ name, part }) => [name, part.tree] as const) },
    leaves: fields.flatMap(({ part }) => part.leaves),
    text: `{ ${texts.join(", ")} }`,
  };
}

/** The tuple of what the host reads afterwards. */
function resultOf(
  reader: Reader,
  statements: readonly ts.Statement[],
  outputs: readonly Output[],
  scope: Scope,
  entries: Entry[],
): ReaderValue {
  const at = statements[0] as ts.Node;
  if (runStatements(reader, statements, scope) !== normal) {
    throw new Error("a region is left by a jump");
  }
  const values = outputs.flatMap(({ name, fields }) => {
    const binding = scope.lookup(name);
    if (binding === undefined) throw new SilentFault("reported before");
    const value = reader.heap.read(binding.place);
    if (value.kind === "faulty") throw new SilentFault("reported before");
    if (value.kind === "unset") {
      return reader.fail(messages.unsetVariable({ name }, reader.span(at)));
    }
    if (value.kind === "conflict") return reader.fail(value.problem(name, reader.span(at)));
    if (fields === undefined || value.kind !== "record") {
      entries.push({ name });
      return [value];
    }
    return fields.map((field) => {
      entries.push({ name, field });
      return readField(reader, value, field, at) ?? undefinedValue;
    });
  });
  return newList(reader, values);
}

/**
 * Arrays and records are copied where a region ends, so each that leaves must be the region's own, and
 * leave once: the host could tell by writing one of them. Records are mostly read, so they are asked
 * only where the host does more.
 */
function checkIdentity(
  reader: Reader,
  result: ReaderValue,
  node: ts.Node,
  tellsRecords: boolean,
): void {
  const seen = new Set<Shared>();
  const leave = (name: string, shared: Shared, isPart: boolean): void => {
    const aliases = [shared, ...possibleAliases(shared)];
    const isTaken = aliases.some((alias) => alias.readOnly !== undefined || seen.has(alias));
    if (isTaken || isPart) reader.fail(messages.twoNames({ name }, reader.span(node)));
    seen.add(shared);
  };
  const visit = (value: ReaderValue, isResult: boolean): void => {
    if (value.kind === "record") {
      const { name, shared } = value.object;
      if (tellsRecords) leave(name, shared, value.at !== undefined);
      for (const place of reader.heap.read(value.object.fields).values()) {
        visit(reader.heap.read(place), false);
      }
    }
    if (value.kind !== "array") return;
    const state = reader.heap.read(value.object.state);
    const { shared } = value.object;
    if (state.form === "list") {
      for (const item of state.items) visit(reader.heap.read(item), false);
      if (isResult) return;
    }
    leave(value.object.name, shared, value.path.length > 0);
  };
  visit(result, true);
}
