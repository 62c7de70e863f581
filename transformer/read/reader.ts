/** The state of reading one root: where equations go, what is written, what went wrong. */

import ts from "typescript";
import { type Diagnostic, DiagnosticError } from "../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { type Dim, dimText, symbol, symbolsOf } from "../../compiler/ir/dim.ts";
import type { Fn, Span, Value, ValueType } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { TypeFault } from "../../compiler/ops/define.ts";
import { newBuilder } from "../../compiler/ops/index.ts";
import { Heap } from "./heap.ts";
import type { SurfaceFunction } from "../../lang/surface/support.ts";
import { Mentions } from "./mentions.ts";
import type { Frame } from "./recursion.ts";
import type { Scope } from "./scope.ts";
import type { FunctionValue, ReaderValue } from "./values.ts";
import type { World } from "./world.ts";

/** How control leaves a statement. Codes of targets are unique; 0 is going on. */
export type Exit =
  | { readonly kind: "normal" }
  | { readonly kind: "abrupt"; readonly target: number }
  /** Known at run time: an i32 that is 0 or one of the targets. */
  | { readonly kind: "mixed"; readonly code: Value; readonly targets: ReadonlySet<number> };

export const normal: Exit = { kind: "normal" };

export interface Visitors {
  readonly evaluate: (reader: Reader, node: ts.Expression, scope: Scope) => ReaderValue;
  readonly run: (reader: Reader, node: ts.Statement, scope: Scope) => Exit;
  readonly call: (
    reader: Reader,
    callee: FunctionValue,
    args: readonly ReaderValue[],
    node: ts.Node,
  ) => ReaderValue;
}

/** Said of an array that grows while the program runs, or is of one length here and another there. */
export function openLength(name: string | undefined, span: Span): Diagnostic {
  return messages.notStatic(
    {
      what: `the length of ${name === undefined || name.includes(" ") ? "the array" : `\`${name}\``}`,
      wayOut:
        "an array that grows while the program runs is a stack, for `push` and `pop` alone: make it " +
        "`new Float64Array(n)`, as long as it can get, and write it at an index that counts",
    },
    span,
  );
}

/** Thrown where a value must be known that a loop does not know: the loop is then unrolled. */
export class NeedsStatic extends DiagnosticError {}

export class Reader {
  readonly heap = new Heap();
  readonly diagnostics: Diagnostic[] = [];
  readonly functions = new Map<string, Fn>();
  readonly visitors: Visitors;
  readonly world: World;
  readonly surface: Readonly<Record<string, SurfaceFunction>>;
  /** User functions being read, innermost last. */
  readonly calls: { readonly callee: FunctionValue; readonly span: Span }[] = [];
  /** The functions of the user that have been read. */
  readonly declarations = new Set<ts.Node>();
  /** The same, of functions that may call themselves: how each is read. */
  readonly frames: Frame[] = [];
  readonly mentions: Mentions;
  /** How many functions are being read to be transformed, one in the other. */
  lifts = 0;
  builder: GraphBuilder;
  /** Above zero while a loop is read that can be unrolled instead. */
  unrollable = 0;
  /** When the innermost of these loops began, by the clock of the heap. */
  unrollableSince = 0;
  /** Symbols whose extent is bound in the block being read, for each open block. */
  private bound: Map<Value, string>[] = [new Map()];
  /** Variables from around the root, as they have been read. */
  readonly hostValues = new Map<ts.Node, ReaderValue>();
  private targets = 0;
  private readonly names = new Map<string, number>();
  /** What the host finds by a path, `loader.current`, from something that cannot be passed itself. */
  hostPath:
    ((node: ts.PropertyAccessExpression, scope: Scope) => ReaderValue | undefined) | undefined;
  /** Reads a variable of the host, from the declaration. Set by the root. */
  capture: (declaration: ts.Node, name: string, node: ts.Node) => ReaderValue;

  constructor(
    world: World,
    visitors: Visitors,
    surface: Readonly<Record<string, SurfaceFunction>>,
  ) {
    this.world = world;
    this.mentions = new Mentions(world);
    this.visitors = visitors;
    this.surface = surface;
    this.builder = newBuilder();
    this.capture = (_, name, node) =>
      this.fail(messages.unreachableCapture({ name }, this.span(node)));
  }

  span(node: ts.Node): Span {
    const file = node.getSourceFile();
    const start = node.getStart(file);
    return { file: file.fileName, start, length: node.getEnd() - start };
  }

  /** The builder, with its equations placed at a node. */
  at(node: ts.Node): GraphBuilder {
    this.builder.span = this.spanInCall(node);
    return this.builder;
  }

  /** The place of a node, with the calls that led there. */
  spanInCall(node: ts.Node): Span {
    return { ...this.span(node), caller: this.calls.at(-1)?.span };
  }

  /** The place that is being read, for messages without a better one. */
  here(): ts.Node {
    if (this.current === undefined) throw new Error("nothing is being read");
    return this.current;
  }
  current: ts.Node | undefined;

  evaluate(node: ts.Expression, scope: Scope): ReaderValue {
    return this.visitors.evaluate(this, node, scope);
  }

  run(node: ts.Statement, scope: Scope): Exit {
    return this.visitors.run(this, node, scope);
  }

  call(callee: FunctionValue, args: readonly ReaderValue[], node: ts.Node): ReaderValue {
    return this.visitors.call(this, callee, args, node);
  }

  fail(diagnostic: Diagnostic): never {
    throw new DiagnosticError(diagnostic);
  }

  /** When the innermost turn of a loop that is being read began. */
  turnSince = 0;

  /** What must be known at compile time and is not. */
  needsStatic(
    what: string,
    node: ts.Node,
    wayOut = "write it as a literal, or as a `const` with a literal value",
  ): never {
    throw new NeedsStatic(messages.notStatic({ what, wayOut }, this.span(node)));
  }

  /** The length of an array, which only the run tells, must be known. */
  needsLength(name: string | undefined, node: ts.Node): never {
    throw new NeedsStatic(openLength(name, this.span(node)));
  }

  hasErrors(): boolean {
    return this.diagnostics.some(({ severity }) => severity === "error");
  }

  /** Each message once: a piece of code may be read several times. */
  report(diagnostic: Diagnostic): void {
    const same = (other: Diagnostic): boolean =>
      other.code === diagnostic.code &&
      other.message === diagnostic.message &&
      other.span?.file === diagnostic.span?.file &&
      other.span?.start === diagnostic.span?.start;
    if (!this.diagnostics.some(same)) this.diagnostics.push(diagnostic);
  }

  /** Turns whatever was thrown while reading `node` into a diagnostic, or throws it on. */
  reportThrown(error: unknown, node: ts.Node): void {
    if (error instanceof SilentFault) return;
    if (error instanceof Signal) throw error;
    if (error instanceof NeedsStatic && this.unrollable > 0) throw error;
    if (error instanceof DiagnosticError) this.report(error.diagnostic);
    else if (error instanceof TypeFault) {
      this.noteDiffering(error);
      this.report(messages.shapeFault({ sentence: error.message }, this.span(node)));
    } else {
      const message = error instanceof Error ? error.message : String(error);
      this.report(messages.internalFault({ message }, this.span(node)));
    }
  }

  /** Extents that would have to be one. */
  readonly differing: (readonly [Dim, Dim])[] = [];

  noteDiffering({ differing }: TypeFault): void {
    if (differing !== undefined) this.differing.push(differing);
  }

  /** Extents of the host that only their names tell apart, and what they are taken for. */
  known: ReadonlyMap<string, Dim> = new Map();
  /** All such extents. */
  readonly open = new Set<string>();

  /** An extent that the host knows when it calls, as a type that says `number` gives it. */
  openDim(name: string): Dim {
    const own = this.freshName(name);
    this.open.add(own);
    let dim: Dim = symbol(own);
    // What one is taken for may be taken for another.
    for (let next: Dim | undefined = dim; next !== undefined;) {
      dim = next;
      next = typeof dim === "number" ? undefined : this.known.get(dimText(dim));
    }
    return dim;
  }

  /** Reads something whose equations go to a new block. */
  inBlock<T>(body: () => T): { readonly builder: GraphBuilder; readonly result: T } {
    const outer = this.builder;
    const builder = newBuilder();
    builder.span = outer.span;
    this.builder = builder;
    this.bound.push(new Map());
    try {
      return { builder, result: body() };
    } finally {
      this.builder = outer;
      this.bound.pop();
    }
  }

  /** Reads a function that is transformed. */
  lifted<T>(body: () => T): { readonly builder: GraphBuilder; readonly result: T } {
    this.lifts++;
    try {
      return this.inBlock(body);
    } finally {
      this.lifts--;
    }
  }

  /** Appends to a block that was read before. */
  inBuilder<T>(builder: GraphBuilder, body: () => T): T {
    const outer = this.builder;
    this.builder = builder;
    try {
      return body();
    } finally {
      this.builder = outer;
    }
  }

  /** The symbol for a length known at run time; the same for the same value. */
  symbolFor(length: Value, make: () => string): string {
    for (const open of this.bound) {
      const known = open.get(length);
      if (known !== undefined) return known;
    }
    const name = make();
    this.bound.at(-1)?.set(length, name);
    this.boundNames.add(name);
    return name;
  }
  private readonly boundNames = new Set<string>();

  /** Inside of `body`, lengths have these symbols, which are bound by now. */
  withLengths<T>(lengths: ReadonlyMap<Value, string>, body: () => T): T {
    if (lengths.size === 0) return body();
    const outer = this.bound;
    this.bound = [new Map(lengths), ...outer];
    try {
      return body();
    } finally {
      this.bound = outer;
    }
  }

  /** True if a type mentions a length that is computed in a block that is closed by now. */
  escapes(type: ValueType): boolean {
    const open = new Set(this.bound.flatMap((symbols) => [...symbols.values()]));
    return type.shape.some((dim) =>
      symbolsOf(dim).some((name) => this.boundNames.has(name) && !open.has(name)),
    );
  }

  /** True if a type mentions a length that is computed in the block being read. */
  isBoundHere(type: ValueType): boolean {
    return this.lengthsBoundHere(type).length > 0;
  }

  /** The lengths that are computed in the block being read, of those that a type mentions. */
  lengthsBoundHere({ shape }: ValueType): readonly Value[] {
    const mentioned = new Set(shape.flatMap(symbolsOf));
    const here = [...(this.bound.at(-1) ?? [])];
    return here.flatMap(([length, name]) => (mentioned.has(name) ? [length] : []));
  }

  newTarget(): number {
    return ++this.targets;
  }

  /** The symbol of a type parameter: one for each parameter, whatever it is called. */
  dimName(name: string, type: ts.Type): string {
    const known = this.dimNames.get(type);
    if (known !== undefined) return known;
    const fresh = this.freshName(name);
    this.dimNames.set(type, fresh);
    return fresh;
  }
  private readonly dimNames = new Map<ts.Type, string>();

  /** A name that no other function or symbol of this root has. */
  freshName(name: string): string {
    const clean = name.replaceAll(/\W/g, "_") || "f";
    const count = this.names.get(clean) ?? 0;
    this.names.set(clean, count + 1);
    return count === 0 ? clean : `${clean}_${count}`;
  }
}

/** Thrown where an error has been reported already. */
export class SilentFault extends Error {}

/** Thrown by the reader to itself: no error of the user's. */
export class Signal extends Error {}

/** Thrown on a path that needs a result which is not known yet. Another path tells what it is like. */
export class NoResult extends Signal {}
