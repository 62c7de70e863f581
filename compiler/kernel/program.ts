/** The state of one function while it is lowered: values and their places, buffers, kernels. */

import {
  addDims,
  type Dim,
  elementCount,
  multiplyDims,
  sameDim,
  sameShape,
  shapeText,
  symbolsOf,
} from "../ir/dim.ts";
import { allEquations } from "../ir/walk.ts";
import {
  type Block,
  type DType,
  type Equation,
  type Span,
  type Value,
  type ValueType,
} from "../ir/types.ts";
import type { Op } from "../ops/define.ts";
import { ops } from "../ops/index.ts";
import { dimExpr, flatIndex, localIndex } from "./affine.ts";
import { type Buffer, type BufferKind, rootsOf, touch } from "./buffer.ts";
import type { Conventions } from "./calls.ts";
import {
  add,
  constant,
  type Expr,
  isConstant,
  type Local,
  load,
  local,
  machine,
  multiply,
  op,
  type Origin,
  read,
  set,
  type SiteInfo,
  type Statement,
  store,
} from "./loop.ts";
import type { ModuleParts } from "./module.ts";
import { elementBytes, type ProgramOptions } from "./options.ts";
import { type Axis, axesOf, type ChooseRange, nest, settle, spellIndices } from "./nest.ts";
import { costOf } from "./cost.ts";
import { ElementReader, elementwise } from "./element.ts";
import { freeLocals } from "./outline.ts";
import { mapExpressions, visitExpression, visitStatements } from "./rewrite.ts";
import type { StackState } from "./streams.ts";
import {
  isAbove,
  countExpr,
  gridRange,
  maySplit,
  type Range,
  shareFunction,
  type Split,
  splitRange,
  threadCount,
  threadsSymbol,
  wholeRange,
} from "./tasks.ts";
import { diesHere, type Frame, type Uses, usesIn } from "./uses.ts";

/** Where a value of the graph is. */
export type Place =
  | { readonly kind: "scalar"; readonly expr: Expr }
  | { readonly kind: "array"; readonly buffer: Buffer }
  /** Computed element by element where it is read. `cheap`: as cheap as a load. */
  | { readonly kind: "lazy"; readonly element: ElementOf; readonly sources: readonly Value[] }
  /** Computed when it is read first, with what reads it then, if that has the same elements. */
  | { readonly kind: "pending"; readonly product: Product; readonly sources: readonly Value[] }
  /** Joins a kernel that is still being collected. */
  | { readonly kind: "member"; readonly group: Group; readonly equation: Equation }
  | { readonly kind: "stack"; readonly stack: Stack };

export type ElementOf = (reader: ElementReader, index: readonly Expr[]) => Expr;

/** A product or a convolution, which takes an epilogue into its blocks. */
export interface Product {
  /** Makes ready what it reads. Called again it gives the same. */
  readonly prepare: () => PreparedProduct;
}

export interface PreparedProduct {
  /** Expressions with the addresses of what it reads. */
  readonly operands: readonly Expr[];
  /**
   * Emits the kernel, with the product at that address. False, and nothing is emitted, where the
   * epilogue does not fit.
   */
  readonly emit: (address: Expr, epilogue?: Epilogue) => boolean;
}

/** A product that a kernel reads, and may be put into. */
export interface ReadProduct {
  readonly value: Value;
  readonly product: Product;
  /** Stands for its address until it is decided where it is. */
  readonly pointer: Local;
}

/** Independent rounds over the elements of a product, each run after its element is there. */
export interface Epilogue {
  readonly comment: string;
  readonly axes: readonly Axis[];
  readonly body: readonly Statement[];
}

/** Elementwise equations of one shape that will share one loop nest. */
export interface Group {
  readonly shape: readonly Dim[];
  readonly members: { readonly value: Value; readonly equation: Equation }[];
}

/** A growable array of arrays of one type. */
export interface Stack {
  readonly base: Local;
  readonly count: Local;
  /**
   * Room is made for so many: `count` itself, or, where a device counts, a number that the host
   * knows and that is no less.
   */
  readonly most: Local;
  readonly capacity: Local;
  readonly element: ValueType;
}

/** A frame with what must be given back to the host at its end. */
export interface ProgramFrame extends Frame {
  readonly heap: Buffer[];
  readonly stacks: Stack[];
  /** Places, outside of the block, of values that were computed into memory inside it. */
  readonly restore: Map<Value, Place>;
}

/** Threads do not write to one line of a cache. */
const cacheLine = 64;

export class Program {
  readonly options: ProgramOptions;
  readonly parts: ModuleParts;
  readonly conventions: Conventions;
  readonly buffers: Buffer[] = [];
  readonly frames: ProgramFrame[] = [];
  readonly uses: Uses;
  readonly arena: Local = local("arena", "i32");
  /** Where scalar results are: at the start of the arena, or, where the host waits for a grid, apart. */
  readonly frame: Local;
  /** Memory for the arrays of functions that are called, from here up to `limit`. */
  readonly free: Local = local("free", "i32");
  readonly limit: Local = local("limit", "i32");
  /** Buffers for results of the function, by the value that is to be written there. */
  readonly resultBuffers: Map<Value, Buffer> = new Map();
  /** What is known of stacks in the loops being lowered. */
  readonly stacks: Map<Stack, StackState> = new Map();
  /** Values of stacks that have room for the next push, or something for the next pop. */
  readonly preparedStacks: Set<Value> = new Set();
  /** Statements of the block being lowered. */
  statements: Statement[] = [];
  /** Counts what has been emitted: the clock of the memory plan. */
  step = 0;
  /** Where the equation being lowered stands in the user's program. */
  span: Span | undefined;
  /** Where the equations stand that are computed with it. */
  private sources = new Set<Span>();
  private readonly places = new Map<Value, Place>();
  private readonly symbols = new Map<string, Local>();
  private readonly byPointer = new Map<Local, Buffer>();
  private readonly planned = new Set<string>();
  private readonly groups = new Map<string, Group>();
  private readonly definitions = new Map<Value, Equation>();

  constructor(body: Block, options: ProgramOptions, parts: ModuleParts, conventions: Conventions) {
    this.options = options;
    this.frame = options.grid === true ? local("frame", "i32") : this.arena;
    this.parts = parts;
    this.conventions = conventions;
    this.uses = usesIn(body);
    this.planned.add(threadsSymbol);
    for (const equation of allEquations(body)) {
      for (const output of equation.outputs) this.definitions.set(output, equation);
    }
  }

  /** The equation of a value, if it is not a parameter. */
  definition(value: Value | undefined): Equation | undefined {
    return value && this.definitions.get(value);
  }

  /** True of the name, in the loop IR, of a function of the user's program. */
  isFunction(callee: string): boolean {
    return [...this.conventions.values()].some(({ name }) => name === callee);
  }

  op(name: string): Op {
    const found = Object.hasOwn(ops, name) ? ops[name] : undefined;
    if (found === undefined) throw new Error(`the op table has no \`${name}\``);
    return found;
  }

  emit(...statements: readonly Statement[]): void {
    for (const given of statements) {
      const statement = this.placed(given);
      this.statements.push(statement);
      this.times.set(statement, this.step);
    }
  }

  /** A statement that says where it comes from, for targets that tell kernels apart by that. */
  private placed(statement: Statement): Statement {
    const { span } = this;
    if (this.options.grid !== true || span === undefined) return statement;
    switch (statement.kind) {
      case "set":
      case "store":
      case "copy":
      case "clear":
        return { ...statement, span: statement.span ?? span };
      default:
        return statement;
    }
  }

  /** When a statement was emitted. */
  timeOf(statement: Statement): number {
    return this.times.get(statement) ?? this.step;
  }
  private readonly times = new WeakMap<Statement, number>();

  /** The array whose address a local holds. */
  bufferAt(pointer: Local): Buffer | undefined {
    return this.byPointer.get(pointer);
  }

  /** What `build` emits comes from there, and from what it `computes`. */
  within<T>(span: Span | undefined, build: () => T): T {
    const around = { span: this.span, sources: this.sources };
    this.span = span;
    this.sources = new Set();
    const built = build();
    this.span = around.span;
    this.sources = around.sources;
    return built;
  }

  /** Notes code that is part of what is being emitted. */
  computes(span: Span | undefined): void {
    if (span !== undefined) this.sources.add(span);
  }

  /** What a kernel that is about to be called comes from. */
  private originOf(comment: string, body: readonly Statement[]): Origin | undefined {
    if (this.options.grid !== true) return undefined;
    const spans = new Set(this.sources);
    if (this.span !== undefined) spans.add(this.span);
    visitStatements(body, (statement) => {
      if ("span" in statement && statement.span !== undefined) spans.add(statement.span);
    });
    return { comment, spans: [...spans] };
  }

  /** What `build` emits, as a list of its own. */
  collect(build: () => void): Statement[] {
    const outer = this.statements;
    const inner: Statement[] = [];
    this.statements = inner;
    build();
    this.statements = outer;
    return inner;
  }

  bytesOf({ dtype, shape }: ValueType): Dim {
    return multiplyDims(elementBytes(dtype, this.options), elementCount(shape));
  }

  // Symbols

  symbolLocal = (name: string): Local => {
    let found = this.symbols.get(name);
    if (found === undefined) {
      found = local(name, "i32");
      this.symbols.set(name, found);
    }
    return found;
  };

  /** A symbol whose value the caller passes: sizes that mention only such are planned. */
  declareSymbol(name: string): Local {
    this.planned.add(name);
    return this.symbolLocal(name);
  }

  isPlanned(dim: Dim): boolean {
    return symbolsOf(dim).every((name) => this.planned.has(name));
  }

  dim(dim: Dim): Expr {
    return dimExpr(dim, this.symbolLocal);
  }

  // Places

  define(value: Value, place: Place): void {
    this.places.set(value, place);
    this.frames.at(-1)?.defined.add(value);
    if (place.kind === "array") {
      for (const buffer of new Set([place.buffer, ...rootsOf(place.buffer)])) {
        buffer.values.push(value);
      }
    }
    if (place.kind === "lazy" || place.kind === "pending") this.watch(place.sources, value);
  }

  /**
   * What was computed on demand is in memory from now on. Where that happened in a region, it is
   * so in the region only: other paths, and later rounds, do not pass there.
   */
  private settleAt(value: Value, buffer: Buffer): void {
    const frame = this.frames.at(-1);
    const before = this.places.get(value);
    if (frame !== undefined && before !== undefined && !frame.defined.has(value)) {
      if (!frame.restore.has(value)) frame.restore.set(value, before);
    }
    this.places.set(value, { kind: "array", buffer });
    buffer.values.push(value);
  }

  placeOf(value: Value): Place {
    const place = this.places.get(value);
    if (place === undefined) throw new Error("a value is read before it is defined");
    return place;
  }

  /** A scalar, as an expression that may be evaluated more than once. */
  scalar(value: Value): Expr {
    const place = this.placeOf(value);
    if (place.kind !== "scalar") throw new Error("an array stands where a scalar is needed");
    return place.expr;
  }

  /** A scalar, where it is computed already. */
  scalarIfKnown(value: Value): Expr | undefined {
    const place = this.places.get(value);
    return place?.kind === "scalar" ? place.expr : undefined;
  }

  /** A scalar, also one that is computed later, from what is known now. */
  foreseen(value: Value): Expr | undefined {
    const known = this.scalarIfKnown(value);
    const definition = this.definition(value);
    if (known !== undefined || definition === undefined) return known;
    const { op: name, inputs, parameters } = definition;
    if (name === "constant") {
      return constant((parameters["values"] as readonly number[])[0] ?? 0, value.type.dtype);
    }
    if (name === "extent") {
      const dim = parameters["dim"] as Dim;
      return this.isPlanned(dim) ? this.dim(dim) : undefined;
    }
    if (value.type.shape.length > 0 || ops[name]?.lower.kind !== "elementwise") return undefined;
    const operands = inputs.map((input) => this.foreseen(input));
    if (!operands.every((operand) => operand !== undefined)) return undefined;
    const dtypes = inputs.map(({ type }) => type.dtype);
    return elementwise(name, dtypes, operands, value.type.dtype);
  }

  setScalar(value: Value, expr: Expr): void {
    if (expr.kind === "const") {
      this.define(value, { kind: "scalar", expr });
      return;
    }
    const target = local(value.name ?? "v", machine(value.type.dtype));
    this.emit(set(target, expr));
    this.define(value, { kind: "scalar", expr: read(target) });
  }

  stack(value: Value): Stack {
    const place = this.placeOf(value);
    if (place.kind !== "stack") throw new Error("a stack is needed");
    return place.stack;
  }

  /** The memory that holds an array; computes it there first if it is not yet anywhere. */
  buffer(value: Value): Buffer {
    const place = this.placeOf(value);
    switch (place.kind) {
      case "array":
        touch(place.buffer, this.step);
        return place.buffer;
      case "member": {
        this.flush(place.group);
        return this.buffer(value);
      }
      case "lazy":
        this.materialise(value, place.element);
        return this.buffer(value);
      case "pending":
        this.emitProduct(value, place.product);
        return this.buffer(value);
      case "scalar":
      case "stack":
        throw new Error("an array is needed");
    }
  }

  /** A place for an array that is about to be written. */
  fresh(value: Value): Buffer {
    const result = this.resultBuffers.get(value);
    if (result !== undefined) {
      this.resultBuffers.delete(value);
      result.from = this.step;
      result.to = this.step;
      return result;
    }
    return this.allocate(value.name ?? "buffer", this.bytesOf(value.type), this.spanOf(value));
  }

  /** Where a value is computed; where nobody knows, where that is asked for. */
  private spanOf(value: Value): Span | undefined {
    return this.definition(value)?.span ?? this.span;
  }

  allocate(name: string, bytes: Dim, span = this.span): Buffer {
    const planned = this.isPlanned(bytes);
    if (planned && this.sharedLoop !== undefined) {
      return this.perThread(name, bytes, this.sharedLoop);
    }
    const buffer = this.makeBuffer(planned ? "arena" : "heap", name, bytes);
    if (!planned) {
      const statement: Statement = {
        kind: "call",
        callee: "allocate",
        operands: [this.dim(bytes)],
        results: [buffer.home],
        span,
      };
      this.emit(statement);
      this.frames.at(-1)?.heap.push(buffer);
    }
    return buffer;
  }

  makeBuffer(kind: BufferKind, name: string, bytes: Dim, pointer?: Local): Buffer {
    const home = pointer ?? local(`${name}_at`, "i32");
    const { step } = this;
    const buffer: Buffer = {
      kind,
      name,
      pointer: home,
      home,
      bytes,
      sources: [],
      from: step,
      to: step,
      overlays: new Set(),
      values: [],
    };
    this.buffers.push(buffer);
    this.byPointer.set(home, buffer);
    return buffer;
  }

  /** True when two pointers may lead to the same memory. Those of stacks lead to no array. */
  mayAlias(a: Local, b: Local): boolean {
    const [one, other] = [this.byPointer.get(a), this.byPointer.get(b)];
    if (one === undefined || other === undefined) {
      return !(this.streamPointers.has(a) || this.streamPointers.has(b));
    }
    const roots = rootsOf(other);
    return rootsOf(one).some((root) => roots.includes(root));
  }

  /** Pointers to the elements that the rounds of a loop push or pop. */
  readonly streamPointers: Set<Local> = new Set();
  /** The block that has made room on a stack last. */
  readonly roomMade: Map<Stack, Block | undefined> = new Map();

  /** True for a function that the program calls, which may be again and again. */
  isCalled = false;
  /** True when the block being lowered runs again and again. */
  isRepeated(): boolean {
    return this.isCalled || this.frames.some(({ repeats }) => repeats);
  }

  /** An array that may be overwritten, for an equation that consumes `value`. */
  own(value: Value): Buffer {
    this.flushAll();
    if (this.placeOf(value).kind === "pending") this.buffer(value);
    const place = this.placeOf(value);
    // Others that are computed from it later are computed from what it is computed from.
    if (place.kind === "lazy") return this.computed(value, place.element);
    if (place.kind !== "array") return this.buffer(value);
    const { buffer } = place;
    touch(buffer, this.step);
    const writable = rootsOf(buffer).every(
      ({ kind }) => kind === "arena" || kind === "heap" || kind === "result",
    );
    const shared = [buffer, ...rootsOf(buffer)].some(({ values }) =>
      values.some((other) => other !== value && this.livesIn(other, buffer)),
    );
    if (!writable || shared || this.hasOuterReaders(buffer, value)) {
      return this.copyOf(value, buffer);
    }
    this.materialiseReaders(buffer, value);
    // It is written after its readers are computed, even if nobody reads it any more.
    touch(buffer, this.step);
    return buffer;
  }

  /** As `own`, in memory that none of `others` is in: they are read while it is written. */
  ownApart(value: Value, others: readonly Buffer[]): Buffer {
    const own = this.own(value);
    const roots = rootsOf(own);
    const isRead = others.some((other) => rootsOf(other).some((root) => roots.includes(root)));
    return isRead ? this.copyOf(value, own) : own;
  }

  /**
   * True where views from around the region still read a buffer after it: computing them in here
   * would serve this path only.
   */
  private hasOuterReaders(buffer: Buffer, except: Value): boolean {
    const here = this.frames.at(-1);
    return [...this.readersOf(buffer)].some(
      (reader) =>
        reader !== except &&
        this.isComputedLater(reader) &&
        here?.defined.has(reader) === false &&
        !diesHere(this.uses, this.frames, reader),
    );
  }

  /** True of a value that is nowhere yet, and will be computed from others. */
  private isComputedLater(value: Value): boolean {
    const kind = this.places.get(value)?.kind;
    return kind === "lazy" || kind === "pending";
  }

  /** True when `other` is the same memory under another name and is read later. */
  private livesIn(other: Value, buffer: Buffer): boolean {
    const place = this.places.get(other);
    if (place?.kind !== "array" || diesHere(this.uses, this.frames, other)) return false;
    const roots = rootsOf(buffer);
    return rootsOf(place.buffer).some((root) => roots.includes(root));
  }

  copyOf(value: Value, from: Buffer): Buffer {
    const copy = this.fresh(value);
    touch(from, this.step);
    this.emit({
      kind: "copy",
      to: read(copy.pointer),
      from: read(from.pointer),
      bytes: this.dim(this.bytesOf(value.type)),
    });
    this.step++;
    return copy;
  }

  /** A captured value is in memory before code that runs again and again reads it. */
  settle(value: Value): void {
    const place = this.placeOf(value);
    const { kind } = place;
    if (kind === "member" || kind === "pending" || (kind === "lazy" && !this.isUniform(value))) {
      this.buffer(value);
    }
  }

  /** Counts the uses of values in equations that stand for `original`. */
  declareUses(equations: readonly Equation[], original: Equation): void {
    this.uses.replace(equations, original);
  }

  /** Reads of an array at an index, or of the scalar that it is. */
  scalarOrBuffer(value: Value): (index: readonly Expr[]) => Expr {
    const { dtype, shape } = value.type;
    if (shape.length === 0) {
      const expr = this.scalar(value);
      return () => expr;
    }
    const buffer = this.buffer(value);
    return (index) => load(read(buffer.pointer), flatIndex(shape, index), dtype);
  }

  /** True when computing `value` later reads the memory where `x` is now. */
  readsMemoryOf(value: Value, x: Value): boolean {
    const place = this.placeOf(x);
    return place.kind !== "array" || this.readersOf(place.buffer).has(value);
  }

  /** True when the block being lowered hands the value on. */
  isResult(value: Value): boolean {
    const frame = this.frames.at(-1);
    return frame !== undefined && frame.block.results.includes(value);
  }

  /** Locals that loops assign again in every round. */
  readonly reassigned: Set<Local> = new Set();
  isReassigned(of: Local): boolean {
    return this.reassigned.has(of);
  }

  /** True when an array is computed from scalars alone. */
  isUniform(value: Value): boolean {
    const place = this.placeOf(value);
    if (place.kind === "scalar") return true;
    return place.kind === "lazy" && place.sources.every((source) => this.isUniform(source));
  }

  /** The values of a block that has ended are nowhere any more, and names of no memory. */
  forget({ defined: values, restore }: ProgramFrame): void {
    for (const [value, place] of restore) {
      const inside = this.places.get(value);
      if (inside?.kind === "array") {
        const kept = inside.buffer.values.filter((other) => other !== value);
        inside.buffer.values.splice(0, inside.buffer.values.length, ...kept);
      }
      this.places.set(value, place);
    }
    for (const value of values) {
      const place = this.places.get(value);
      this.places.delete(value);
      if (place?.kind !== "array") continue;
      for (const root of [place.buffer, ...rootsOf(place.buffer)]) {
        const kept = root.values.filter((other) => !values.has(other));
        root.values.splice(0, root.values.length, ...kept);
      }
    }
  }

  /** Views that still read a buffer are computed before it is overwritten. */
  materialiseReaders(buffer: Buffer, except: Value): void {
    for (const reader of this.readersOf(buffer)) {
      if (reader === except || diesHere(this.uses, this.frames, reader)) continue;
      const place = this.places.get(reader);
      if (place?.kind === "lazy") this.materialise(reader, place.element);
      if (place?.kind === "pending") this.buffer(reader);
    }
  }

  /** The values that live in a buffer, and those not yet computed that will be from them. */
  private readersOf(buffer: Buffer): ReadonlySet<Value> {
    const found = new Set<Value>();
    const visit = (value: Value): void => {
      if (found.has(value)) return;
      found.add(value);
      for (const dependent of this.dependents.get(value) ?? []) {
        if (this.isComputedLater(dependent)) visit(dependent);
      }
    };
    for (const root of [buffer, ...rootsOf(buffer)]) root.values.forEach(visit);
    return found;
  }

  /** True when nothing reads the memory of `value` after the equation being lowered. */
  bufferDies(value: Value): boolean {
    const place = this.placeOf(value);
    if (place.kind !== "array") return false;
    const readers = [...this.readersOf(place.buffer)];
    return readers.every((other) => diesHere(this.uses, this.frames, other));
  }

  // Constants

  constantBuffer(dtype: DType, values: readonly number[]): Buffer {
    const { constantsBase } = this.parts;
    const offset = this.parts.constant(dtype, values);
    const pointer = local("constant_at", "i32");
    const bytes = values.length * elementBytes(dtype, this.options);
    const buffer = this.makeBuffer("constant", "constant", bytes, pointer);
    this.constantPointers.push(
      set(pointer, op("add", "i32", [read(constantsBase), constant(offset)])),
    );
    return buffer;
  }
  /** Statements for the start of the program. */
  readonly constantPointers: Statement[] = [];

  // Sites

  site(kind: SiteInfo["kind"], opName: string, span: Span | undefined, name?: string): number {
    return this.parts.site(kind, opName, span, name);
  }

  /** Ends the program unless `0 <= index < extent`. */
  checkIndex(index: Expr, extent: Expr, site: number): void {
    this.emit({
      kind: "if",
      condition: op("ge", "u32", [index, extent]),
      then: [{ kind: "fault", site, index, extent }],
      otherwise: [],
    });
  }

  // Threads

  /** While the rounds of a loop are lowered that threads may share: how. */
  sharedLoop: Split | undefined;
  /** True when the program asks how many threads there are. */
  usesThreads = false;

  /**
   * All rounds of a loop in a kernel, or those of a part where threads may share it. Rounds on both
   * sides of a border may run at the same time. The work is a double in units of `costOf`.
   */
  range(extent: Expr, grain: number, work: Expr): Range {
    const { forkAbove, grid } = this.options;
    const isInside = this.isCalled || this.sharedLoop !== undefined;
    if (grid === true && !isInside) return gridRange(extent);
    if (forkAbove === undefined || isInside) return wholeRange(extent);
    // One grain is one part.
    if (isConstant(extent) && extent.value <= grain) return wholeRange(extent);
    if (isConstant(work) && work.value <= forkAbove) return wholeRange(extent);
    this.usesThreads = true;
    this.parts.library(shareFunction);
    const threads = read(this.symbolLocal(threadsSymbol));
    const several = op("gt", "i32", [threads, constant(1)]);
    const enough = isAbove(work, forkAbove);
    const pays = isConstant(work) ? several : op("and", "bool", [several, enough]);
    return splitRange(extent, grain, threads, pays);
  }

  /** So much of something that costs so much each: a constant where it is known. */
  work(count: Dim, cost: number): Expr {
    if (typeof count === "number") return constant(count * cost, "f64");
    return op("mul", "f64", [countExpr(count, this.symbolLocal), constant(cost, "f64")]);
  }

  /** The address of memory that each thread has of its own while it runs a part of a kernel. */
  allocatePerThread(name: string, bytes: Dim, split: Split | undefined): Local {
    if (split === undefined) return this.allocate(name, bytes).pointer;
    return this.perThread(name, bytes, split).pointer;
  }

  private perThread(name: string, bytes: Dim, split: Split): Buffer {
    const size = addDims(bytes, cacheLine);
    const buffer = this.makeBuffer("arena", name, multiplyDims(size, threadCount));
    buffer.home = local(`${name}_of_all`, "i32");
    this.byPointer.set(buffer.home, buffer);
    const address = add(read(buffer.home), multiply(read(split.thread), this.dim(size)));
    split.prologue.push(set(buffer.pointer, address));
    this.ofThread.set(buffer, address);
    return buffer;
  }

  /** The addresses of buffers that each thread has of its own. */
  private readonly ofThread = new Map<Buffer, Expr>();

  /** The address that was planned for a buffer whose pointer a loop will assign. */
  plannedAddress(buffer: Buffer): Expr {
    const address = this.ofThread.get(buffer);
    if (address !== undefined) return address;
    buffer.home = local(`${buffer.name}_home`, "i32");
    return read(buffer.home);
  }

  // Kernels

  /**
   * Emits code as a function of its own that is called here; `results` are needed afterwards.
   * With the range of its loop, threads may share it.
   */
  kernel(
    name: string,
    comment: string,
    body: readonly Statement[],
    results: readonly Local[] = [],
    range?: Range,
  ): void {
    const all = [...(range?.split?.prologue ?? []), ...body];
    this.outlined(name, comment, this.settled(all), results, range);
    this.step++;
  }

  /** Code without index forms, and, where nobody else does that, nothing computed twice in loops. */
  private settled(body: readonly Statement[]): readonly Statement[] {
    if (this.options.grid === true) return spellIndices(body, this.symbolLocal, new Map());
    return settle(body, this.symbolLocal);
  }

  /** A kernel whose loops `build` makes: threads may share the one that it chooses a range for. */
  sharedKernel(
    name: string,
    comment: string,
    work: { readonly count: Dim; readonly cost: number },
    build: (choose: ChooseRange) => readonly Statement[],
  ): void {
    let range: Range | undefined;
    const choose = (extent: Dim, grain: number): Range => {
      range = this.range(this.dim(extent), grain, this.work(work.count, work.cost));
      return range;
    };
    const body = build(Object.assign(choose, { flat: this.options.grid === true }));
    this.kernel(name, comment, body, [], range);
  }

  /** A kernel of independent rounds. */
  nestKernel(
    name: string,
    comment: string,
    axes: readonly Axis[],
    body: readonly Statement[],
  ): void {
    const work = { count: elementCount(axes.map(({ extent }) => extent)), cost: costOf(body) };
    const { vectors } = this.options;
    this.sharedKernel(name, comment, work, (choose) => nest(axes, body, vectors, choose));
  }

  /**
   * As `kernel`, for code that is already settled. `chunks`: into how many parts to split it even
   * where one thread does all of them.
   */
  outlined(
    name: string,
    comment: string,
    body: readonly Statement[],
    results: readonly Local[],
    range?: Range,
    chunks?: Expr,
  ): void {
    const parameters = freeLocals(body, results).filter(
      (used) => used !== this.parts.constantsBase,
    );
    for (const used of parameters) {
      const buffer = this.byPointer.get(used);
      if (buffer !== undefined) touch(buffer, this.step);
    }
    const full = this.parts.shared({
      name,
      comment,
      parameters,
      body,
      results: results.map(read),
      resultTypes: results.map(({ type }) => type),
    });
    const origin = this.originOf(comment, body);
    const { split } = range ?? {};
    if (split === undefined) {
      this.emit({ kind: "call", callee: full, operands: parameters.map(read), results, origin });
      return;
    }
    if (split.rounds !== undefined) {
      const one: Statement = {
        kind: "call",
        callee: full,
        operands: parameters.map(read),
        results,
        origin,
      };
      this.emit({
        kind: "for",
        local: split.part,
        from: constant(0),
        to: split.rounds,
        step: 1,
        body: [one],
        isGrid: true,
      });
      return;
    }
    const mayFork = results.length === 0 && maySplit(body, (callee) => this.isFunction(callee));
    this.emit(this.parts.tasks.call(full, parameters, split, mayFork, chunks));
  }

  // Fusion

  /** Elementwise equations that several others read: computed together with their neighbours. */
  join(equation: Equation): void {
    const value = equation.outputs[0] as Value;
    const { shape } = value.type;
    this.flushReached(equation, shape);
    const key = shapeText(shape);
    let group = this.groups.get(key);
    if (group === undefined) {
      group = { shape, members: [] };
      this.groups.set(key, group);
    }
    group.members.push({ value, equation });
    this.define(value, { kind: "member", group, equation });
  }

  /** Computes everything that is still being collected. */
  flushAll(): void {
    for (const group of [...this.groups.values()]) this.flush(group);
  }

  /** A lazy array computed into memory now. */
  materialise(value: Value, element: ElementOf): void {
    this.settleAt(value, this.computed(value, element));
  }

  /** Fresh memory with the elements of a lazy array. */
  computed(value: Value, element: ElementOf): Buffer {
    return this.within(this.spanOf(value), () => this.computedHere(value, element));
  }

  private computedHere(value: Value, element: ElementOf): Buffer {
    const { dtype, shape } = value.type;
    const place = this.places.get(value);
    const product = this.productBehind(place?.kind === "lazy" ? place.sources : [], shape);
    const buffer = this.fresh(value);
    const reader = new ElementReader(this);
    const axes = axesOf(shape);
    const index = axes.map(({ counter }) => localIndex(counter));
    reader.identity = index;
    reader.product = product;
    const result = element(reader, index);
    const body: Statement[] = [
      ...reader.statements,
      store(read(buffer.pointer), flatIndex(shape, index), dtype, result),
    ];
    this.elementsKernel(reader, [buffer], { comment: describe(value), axes, body }, product);
    return buffer;
  }

  /** Stores of elements as a kernel of their own, or in the kernel of a product that they read. */
  private elementsKernel(
    reader: ElementReader,
    outputs: readonly Buffer[],
    elements: Epilogue,
    product: ReadProduct | undefined,
  ): void {
    if (product === undefined) {
      // Reading may have flushed a group: the arrays start to live only now.
      reader.finish(outputs);
      this.nestKernel("elements", elements.comment, elements.axes, elements.body);
      return;
    }
    const { value, pointer } = product;
    this.computes(this.definition(value)?.span);
    const at = (buffer: Buffer): readonly Statement[] =>
      mapExpressions(elements.body, (expr) =>
        expr.kind === "local" && expr.local === pointer ? read(buffer.pointer) : expr,
      );
    if (this.placeOf(value).kind === "pending") {
      const { operands, emit } = product.product.prepare();
      reader.finish(outputs);
      for (const operand of operands) this.keepFrom(operand, outputs);
      const host = this.hostOf(product, reader, outputs);
      const buffer = host ?? this.fresh(value);
      if (host === undefined) for (const output of outputs) output.overlays.add(buffer);
      const taken = emit(read(buffer.pointer), { ...elements, body: at(buffer) });
      if (taken || host === undefined) {
        if (!taken) emit(read(buffer.pointer));
        this.settleAt(value, buffer);
        if (taken) return;
      }
    }
    const buffer = this.buffer(value);
    reader.note(buffer, true);
    reader.finish(outputs);
    this.nestKernel("elements", elements.comment, elements.axes, at(buffer));
  }

  /** What is read again after the first elements are written is in none of their places. */
  private keepFrom(operand: Expr, outputs: readonly Buffer[]): void {
    visitExpression(operand, (inner) => {
      const buffer = inner.kind === "local" ? this.byPointer.get(inner.local) : undefined;
      if (buffer === undefined) return;
      for (const root of [buffer, ...rootsOf(buffer)]) {
        for (const output of outputs) output.overlays.delete(root);
      }
    });
  }

  /**
   * An output in whose place a product can be until each of its elements is read, if nobody else
   * reads it, and the output is in no other array's place.
   */
  private hostOf(
    { value }: ReadProduct,
    reader: ElementReader,
    outputs: readonly Buffer[],
  ): Buffer | undefined {
    if (this.uses.count(value) > reader.readsInside(value)) return undefined;
    const bytes = this.bytesOf(value.type);
    const host = outputs.find(
      (output) =>
        sameDim(output.bytes, bytes) &&
        ![...output.overlays].some((other) => sameDim(other.bytes, bytes)),
    );
    host?.overlays.clear();
    return host;
  }

  /** A product that nobody has read yet, among values that are read at their own elements. */
  private productBehind(values: readonly Value[], shape: readonly Dim[]): ReadProduct | undefined {
    for (const value of values) {
      const place = this.placeOf(value);
      if (place.kind === "pending" && sameShape(value.type.shape, shape)) {
        return { value, product: place.product, pointer: local("product_at", "i32") };
      }
      if (place.kind !== "lazy" || !this.isElementwise(value)) continue;
      const found = this.productBehind(place.sources, shape);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private emitProduct(value: Value, product: Product): void {
    this.within(this.spanOf(value), () => {
      const { emit } = product.prepare();
      const buffer = this.fresh(value);
      emit(read(buffer.pointer));
      this.settleAt(value, buffer);
    });
  }

  /** The nest of a group. Members that only other members read stay in registers. */
  private flush(group: Group): void {
    const key = shapeText(group.shape);
    if (this.groups.get(key) !== group) return;
    this.groups.delete(key);
    // What asks for it is no part of it.
    this.within(group.members.at(-1)?.equation.span, () => this.computeGroup(group));
  }

  private computeGroup(group: Group): void {
    const reader = new ElementReader(this);
    const axes = axesOf(group.shape);
    const index = axes.map(({ counter }) => localIndex(counter));
    reader.identity = index;
    const product = this.productBehind(
      group.members.flatMap(({ equation }) => equation.inputs),
      group.shape,
    );
    reader.product = product;
    const values = new Map<Value, Expr>();
    for (const { value, equation } of group.members) {
      const expr = reader.equation(equation, index, value.type.dtype);
      values.set(value, reader.keep(value, expr));
    }
    const stored = group.members.filter(
      ({ value }) => this.uses.count(value) > reader.readsInside(value),
    );
    const outputs: Buffer[] = [];
    const stores: Statement[] = [];
    for (const { value } of stored) {
      const buffer = this.fresh(value);
      outputs.push(buffer);
      const at = flatIndex(group.shape, index);
      stores.push(store(read(buffer.pointer), at, value.type.dtype, values.get(value) as Expr));
    }
    if (stores.length > 0) {
      const comment = stored.map(({ value }) => describe(value)).join(", ");
      const body = [...reader.statements, ...stores];
      this.elementsKernel(reader, outputs, { comment, axes, body }, product);
    }
    stored.forEach(({ value }, k) => {
      this.settleAt(value, outputs[k] as Buffer);
    });
  }

  /**
   * Before an equation joins the group of `shape`: open groups that it reads at other elements
   * than its own, or through other shapes, are computed first.
   */
  private flushReached(equation: Equation, shape: readonly Dim[]): void {
    const visit = (value: Value, aligned: boolean): void => {
      const place = this.placeOf(value);
      if (place.kind === "member") {
        const sameGroup = shapeText(place.group.shape) === shapeText(shape);
        if (!aligned || !sameGroup) this.flush(place.group);
      } else if (place.kind === "lazy") {
        const elementwise = this.isElementwise(value);
        for (const source of place.sources) visit(source, aligned && elementwise);
      }
    };
    for (const input of equation.inputs) visit(input, true);
  }

  /** Lazy values computed at their own index from inputs at the same index. */
  readonly elementwiseValues: Set<Value> = new Set();
  private isElementwise(value: Value): boolean {
    return this.elementwiseValues.has(value);
  }

  private readonly dependents = new Map<Value, Value[]>();

  /** Remembers that `reader` will be computed from `sources` later. */
  private watch(sources: readonly Value[], reader: Value): void {
    for (const source of sources) {
      const known = this.dependents.get(source);
      if (known === undefined) this.dependents.set(source, [reader]);
      else known.push(reader);
    }
  }
}

/** What a kernel computes, for readers of the code. */
export function describe(value: Value): string {
  const { dtype, shape } = value.type;
  return `${value.name ?? "value"}: ${dtype}${shapeText(shape)}`;
}

/** True when the array has no more elements than `other`, as far as can be proved. */
export function noLarger(a: ValueType, b: ValueType): boolean {
  const left = elementCount(a.shape);
  const right = elementCount(b.shape);
  return typeof left === "number" && typeof right === "number"
    ? left <= right
    : sameDim(left, right);
}
