/**
 * Reads a piece of a function of the host as a program: statements, or an expression. What it reads
 * from around is a parameter, and what it leaves is the result: a tuple of variables, or the value of
 * the expression.
 */

import ts from "typescript";
import type { Diagnostic } from "../../compiler/diagnostics/diagnostic.ts";
import { patternFaults } from "../../compiler/autodiff/patternFaults.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Dim, dimText } from "../../compiler/ir/dim.ts";
import type { Block } from "../../compiler/ir/types.ts";
import type { SurfaceFunction } from "../../lang/surface/support.ts";
import { possibleAliases } from "./alias.ts";
import { newList, readField } from "./objects.ts";
import { normal, Reader } from "./reader.ts";
import { outgoing } from "./result.ts";
import { captureVariable, type ProgramRead, reachable } from "./root.ts";
import { Scope } from "./scope.ts";
import { runStatements } from "./statements/blocks.ts";
import type { Incoming } from "./types.ts";
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
  try {
    const read = readProgram(reader, request, node, entries);
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
    read: { program, entries, diagnostics, declarations, files: [...new Set(files)] },
    differing: differing && [dimText(differing[1]), differing[0]],
  };
}

function readProgram(
  reader: Reader,
  request: RegionRequest,
  node: ts.Node,
  entries: Entry[],
): ProgramRead {
  const { piece, written } = request;
  const captured: (Incoming & { readonly name: string })[] = [];
  const assigned = new Set<ts.Node>(written.map(({ declaration }) => declaration));
  const capture = (declaration: VariableLike, name: string, at: ts.Node): ReaderValue => {
    const read = captureVariable(reader, declaration, name, node, at);
    captured.push({ ...read, name });
    return read.value;
  };
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
  const body: Block = {
    parameters: captured.flatMap((argument) => argument.leaves),
    equations: reader.builder.equations,
    results: leaves,
  };
  const root = reader.freshName(request.name);
  const functions = reachable(body, reader.functions);
  functions.set(root, { name: root, body });
  const parameters = captured.map(({ name, tree: own }) => ({ name, tree: own }));
  return {
    graph: { root, functions },
    signature: { name: request.name, parameters, captured: [], result: tree },
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
