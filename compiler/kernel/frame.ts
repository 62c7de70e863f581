/** Blocks and control flow: regions become structured statements of the program's function. */

import { type Block, type Equation, type Value } from "../ir/types.ts";
import { addDims, type Dim, dimText, elementCount, multiplyDims, sameDim } from "../ir/dim.ts";
import { freeValues } from "../ir/walk.ts";
import { ops } from "../ops/index.ts";
import { type Buffer, rootsOf, touch } from "./buffer.ts";
import {
  constant,
  type Expr,
  isConstant,
  type Local,
  local,
  machine,
  op,
  read,
  set,
  type Statement,
} from "./loop.ts";
import { stackLocals } from "./calls.ts";
import { lowerEquation } from "./equation.ts";
import type { Place, Program, ProgramFrame, Stack } from "./program.ts";
import { assignedIn } from "./rewrite.ts";
import { emitFor, emitWhile } from "./rounds.ts";
import { emptyStack, openArms, openStreams } from "./streams.ts";
import { type Range, wholeRange } from "./tasks.ts";

/** Lowers a block; `finish` is called with everything in scope, before what dies is given back. */
export function lowerBlock(
  program: Program,
  block: Block,
  repeats: boolean,
  start: () => void,
  finish: (results: readonly Value[]) => readonly (Buffer | Stack)[],
): void {
  const frame: ProgramFrame = {
    block,
    position: 0,
    repeats,
    defined: new Set(),
    heap: [],
    stacks: [],
    restore: new Map(),
  };
  program.frames.push(frame);
  start();
  block.equations.forEach((equation, position) => {
    frame.position = position;
    lowerEquation(program, equation);
    program.step++;
  });
  frame.position = block.equations.length;
  program.flushAll();
  const escaping = new Set<Buffer | Stack>();
  for (const kept of finish(block.results)) {
    escaping.add(kept);
    if ("kind" in kept) for (const root of rootsOf(kept)) escaping.add(root);
  }
  program.frames.pop();
  const parent = program.frames.at(-1);
  for (const buffer of frame.heap) {
    if (escaping.has(buffer)) parent?.heap.push(buffer);
    else program.emit(release(buffer.home));
  }
  for (const stack of frame.stacks) {
    if (escaping.has(stack)) parent?.stacks.push(stack);
    else program.emit(release(stack.base));
  }
  program.forget(frame);
}

function release(pointer: Local): Statement {
  return { kind: "call", callee: "release", operands: [read(pointer)], results: [] };
}

/** A stack's elements in another stack, which had none; its own memory is no longer its. */
function moveStack(from: Stack, to: Stack): readonly Statement[] {
  const targets = stackLocals(to);
  return stackLocals(from).flatMap((part, k) => [
    set(targets[k] as Local, read(part)),
    set(part, constant(0)),
  ]);
}

/** What regions read from outside is in memory before they start. */
function settleCaptures(program: Program, equation: Equation): void {
  program.flushAll();
  for (const region of equation.regions) {
    for (const value of freeValues(region)) program.settle(value);
  }
}

// if

export function lowerIf(program: Program, equation: Equation): void {
  const [condition] = equation.inputs;
  const [then, otherwise] = equation.regions;
  if (condition === undefined || then === undefined || otherwise === undefined) {
    throw new Error("an `if` needs a condition and two regions");
  }
  settleCaptures(program, equation);
  const test = program.scalar(condition);
  const joins = equation.outputs.map((output) => new Join(program, output));
  const arm = (block: Block): Statement[] =>
    program.collect(() =>
      lowerBlock(program, block, false, nothing, (results) =>
        results.flatMap((result, k) => (joins[k] as Join).arrive(result)),
      ),
    );
  const closeArms = openArms(program, equation);
  const thenBody = arm(then);
  const otherwiseBody = arm(otherwise);
  closeArms();
  joins.forEach((join) => join.joinStacks(thenBody, otherwiseBody));
  // What an arm allocates and hands on is given back by the block around, on both paths.
  for (const heap of program.frames.at(-1)?.heap ?? []) {
    if (allocates(thenBody, heap.home) || allocates(otherwiseBody, heap.home)) {
      program.emit(set(heap.home, constant(0)));
    }
  }
  program.emit({ kind: "if", condition: test, then: thenBody, otherwise: otherwiseBody });
  program.step++;
  equation.outputs.forEach((output, k) => program.define(output, (joins[k] as Join).place()));
}

function nothing(): void {}

function allocates(body: readonly Statement[], pointer: Local): boolean {
  return assignedIn(body).has(pointer);
}

/** One result of an `if`: where both arms leave it. */
class Join {
  private readonly program: Program;
  private readonly output: Value;
  private readonly target: Local;
  private buffer: Buffer | undefined;
  /** Where each arm leaves a stack. */
  private readonly stacks: Stack[] = [];

  constructor(program: Program, output: Value) {
    this.program = program;
    this.output = output;
    const { dtype, shape } = output.type;
    this.target = local(output.name ?? "v", shape.length === 0 ? machine(dtype) : "i32");
  }

  arrive(result: Value): readonly (Buffer | Stack)[] {
    const { program } = this;
    if (result.type.stack) return this.arriveStack(program.stack(result));
    if (result.type.shape.length === 0) {
      program.emit(set(this.target, program.scalar(result)));
      return [];
    }
    let buffer = program.buffer(result);
    const fixed = rootsOf(buffer).every(({ kind }) => kind === "parameter" || kind === "constant");
    if (!fixed && !program.bufferDies(result)) buffer = program.copyOf(result, buffer);
    program.emit(set(this.target, read(buffer.pointer)));
    if (this.buffer === undefined) {
      const { name, type } = this.output;
      this.buffer = program.makeBuffer(
        "joined",
        name ?? "joined",
        program.bytesOf(type),
        this.target,
      );
    }
    this.buffer.sources.push(buffer);
    touch(this.buffer, program.step);
    return [buffer];
  }

  private arriveStack(stack: Stack): readonly Stack[] {
    this.stacks.push(stack);
    return [stack];
  }

  /** Mostly both arms hand on the one stack that they were given; else each moves its own. */
  joinStacks(...arms: readonly Statement[][]): void {
    const { program, stacks } = this;
    const [first] = stacks;
    if (first === undefined || stacks.every((stack) => stack === first)) return;
    const joined = emptyStack(program, first.element);
    arms.forEach((arm, k) => arm.push(...moveStack(stacks[k] as Stack, joined)));
    this.stacks.splice(0, stacks.length, joined);
  }

  place(): Place {
    const [stack] = this.stacks;
    if (stack !== undefined) return { kind: "stack", stack };
    if (this.buffer !== undefined) {
      // Where both arms leave the array in one place, that is where it is.
      const [first, ...others] = this.buffer.sources;
      const same = first !== undefined && others.every((other) => other === first);
      return { kind: "array", buffer: same ? first : this.buffer };
    }
    return { kind: "scalar", expr: read(this.target) };
  }
}

// for and while

export function lowerFor(program: Program, equation: Equation): void {
  const [count, ...initial] = equation.inputs;
  const [body] = equation.regions;
  if (count === undefined || body === undefined) throw new Error("a `for` needs a count, a body");
  settleCaptures(program, equation);
  const limit = keep(program, program.scalar(count), "count");
  const whole = initial.map((_, k) => isOverwritten(program, equation, k));
  const carried = new Carried(program, initial, whole);
  const [index, ...parameters] = body.parameters as [Value, ...Value[]];
  const counter = local(index.name ?? "i", "i32");
  const closeStreams = openStreams(program, equation, limit, counter);
  const range = sharedRange(program, equation, limit);
  const outer = program.sharedLoop;
  program.sharedLoop ??= range.split;
  const statements = carried.loop(() =>
    lowerBlock(
      program,
      body,
      true,
      () => {
        program.define(index, { kind: "scalar", expr: read(counter) });
        carried.enter(parameters);
      },
      (results) => carried.next(results),
    ),
  );
  program.sharedLoop = outer;
  // Threads are at different places of a round: nobody may have the memory of their arrays.
  if (range.split !== undefined) carried.keepBuffers();
  emitFor(program, counter, limit, statements, carried.locals(), range);
  closeStreams();
  equation.outputs.forEach((output, k) => program.define(output, carried.place(k)));
}

export function lowerWhile(program: Program, equation: Equation): void {
  const [condition, body] = equation.regions;
  if (condition === undefined || body === undefined) {
    throw new Error("a `while` needs a condition and a body");
  }
  settleCaptures(program, equation);
  const carried = new Carried(program, equation.inputs);
  const goOn = local("go_on", "i32");
  let before: Statement[] = [];
  const statements = carried.loop(() => {
    before = program.collect(() =>
      lowerBlock(
        program,
        condition,
        true,
        () => carried.enter(condition.parameters),
        ([result]) => {
          program.emit(set(goOn, program.scalar(result as Value)));
          return [];
        },
      ),
    );
    lowerBlock(
      program,
      body,
      true,
      () => carried.enter(body.parameters),
      (results) => carried.next(results),
    );
  });
  emitWhile(program, before, goOn, statements, carried.locals());
  equation.outputs.forEach((output, k) => program.define(output, carried.place(k)));
}

/** True where round `r` of a loop writes row `r` of an array that it carries, and nothing reads it. */
function writesOwnRow(program: Program, { regions }: Equation, k: number): boolean {
  const [body] = regions;
  const index = body?.parameters[0];
  const array = body?.parameters[k + 1];
  const written = program.definition(body?.results[k]);
  if (written?.op !== "update" || array === undefined || body === undefined) return false;
  const [target, , ...place] = written.inputs;
  return (
    target === array &&
    place.length === 1 &&
    place[0] === index &&
    program.uses.count(array) === 1 &&
    body.equations.includes(written)
  );
}

/** True where such a loop has a round for each row. */
function isOverwritten(program: Program, equation: Equation, k: number): boolean {
  const [count, ...initial] = equation.inputs;
  const [rows] = initial[k]?.type.shape ?? [];
  const isWhole = rows !== undefined && sameDim(countOf(program, count), rows);
  return isWhole && writesOwnRow(program, equation, k);
}

/** The rounds of a loop that carries nothing but arrays of which each round writes its own row. */
function sharedRange(program: Program, equation: Equation, limit: Expr): Range {
  const [body] = equation.regions;
  const carried = equation.outputs.map((_, k) => k);
  const isShared = carried.length > 0 && carried.every((k) => writesOwnRow(program, equation, k));
  if (body === undefined || !isShared) return wholeRange(limit);
  const workOfRound = workIn(body);
  // A short loop that runs again and again is done before others have heard of it.
  if (program.options.grid === true && needsMemory(body)) return wholeRange(limit);
  const isShort = program.isRepeated() && typeof workOfRound === "number" && workOfRound < 100;
  if (isShort || !program.isPlanned(workOfRound)) return wholeRange(limit);
  const perRound = program.work(workOfRound, 1);
  const rounds: Expr = isConstant(limit)
    ? constant(limit.value, "f64")
    : { kind: "cast", from: "i32", to: "f64", lanes: 1, value: limit };
  const isKnown = isConstant(rounds) && isConstant(perRound);
  const work = isKnown
    ? constant(rounds.value * perRound.value, "f64")
    : op("mul", "f64", [rounds, perRound]);
  return program.range(limit, 1, work);
}

/** True where something in a block is an array of its own. */
function needsMemory({ equations }: Block): boolean {
  return equations.some(({ op: name, outputs, regions }) => {
    const isOwn = ops[name]?.laws.consumes === undefined;
    return (
      (isOwn && outputs.some(({ type }) => type.shape.length > 0)) || regions.some(needsMemory)
    );
  });
}

/** What the equations of a block compute, roughly, in units of `costOf`. */
function workIn({ equations }: Block): Dim {
  return equations.reduce<Dim>((sum, { op: name, outputs, regions }) => {
    const { costly, consumes } = ops[name]?.laws ?? {};
    // What is written in place is a part of the result, which is counted where it is computed.
    const elements = outputs.map(({ type }) =>
      elementCount(consumes === undefined ? type.shape : []),
    );
    const own = multiplyDims(costly === true ? costlyWork : 2, elements.reduce(addDims, 0));
    const inside = regions.map(workIn).reduce(addDims, 0);
    return addDims(sum, addDims(own, multiplyDims(name === "if" ? 1 : typicalRounds, inside)));
  }, 0);
}

const costlyWork = 16;
/** Rounds of a loop of which the number is not known. */
const typicalRounds = 64;

/** A number of rounds that is known, as a dimension. */
function countOf(program: Program, count: Value | undefined): Dim {
  const definition = program.definition(count);
  if (definition?.op === "extent") return definition.parameters["dim"] as Dim;
  if (definition?.op !== "constant") return -1;
  return (definition.parameters["values"] as readonly number[])[0] ?? -1;
}

/** The values that a loop carries from one round to the next. */
class Carried {
  /** Statements in front of the loop. */
  private readonly program: Program;
  private readonly slots: Slot[];
  private swapped: Buffer[] = [];
  private start = 0;
  private first = 0;
  private end = 0;

  /** `overwritten` are the arrays that the loop writes all over: what they begin with is nothing. */
  constructor(program: Program, initial: readonly Value[], overwritten: readonly boolean[] = []) {
    this.program = program;
    const taken = new Set<Buffer>();
    this.slots = initial.map((value, k): Slot => {
      const { type, name } = value;
      if (type.stack) return { kind: "stack", stack: program.stack(value) };
      if (type.shape.length === 0) {
        const target = local(name ?? "carried", machine(type.dtype));
        program.reassigned.add(target);
        program.emit(set(target, program.scalar(value)));
        return { kind: "scalar", local: target };
      }
      let buffer =
        overwritten[k] === true && program.isUniform(value)
          ? program.fresh(value)
          : program.own(value);
      if (rootsOf(buffer).some((root) => taken.has(root))) buffer = program.copyOf(value, buffer);
      for (const root of [buffer, ...rootsOf(buffer)]) {
        taken.add(root);
        root.values.length = 0;
      }
      const pointer = local(name ?? "carried", "i32");
      program.emit(set(pointer, read(buffer.pointer)));
      const joined = program.makeBuffer(
        "joined",
        name ?? "carried",
        program.bytesOf(type),
        pointer,
      );
      joined.sources.push(buffer);
      return { kind: "array", buffer: joined };
    });
  }

  /** The statements of the loop's body; keeps alive around the loop what the body reads. */
  loop(build: () => void): Statement[] {
    const { program } = this;
    this.start = program.step++;
    this.first = program.buffers.length;
    const statements = program.collect(build);
    for (const slot of this.slots) {
      if (slot.kind === "array") touch(slot.buffer, program.step);
    }
    const end = program.step++;
    this.end = end;
    for (const buffer of program.buffers) {
      if (buffer.from <= this.start && buffer.to > this.start) touch(buffer, end);
    }
    // Buffers that take turns are there from before the loop to its end.
    for (const buffer of this.swapped) {
      buffer.from = this.start;
      touch(buffer, end);
      if (buffer.kind === "heap") moveAllocation(program, statements, buffer);
      if (buffer.kind === "arena") {
        program.emit(set(buffer.pointer, program.plannedAddress(buffer)));
      }
    }
    return statements;
  }

  /** What the rounds have allocated is theirs from before the loop to its end. */
  keepBuffers(): void {
    for (const buffer of this.program.buffers.slice(this.first)) {
      if (buffer.kind !== "arena") continue;
      buffer.from = this.start;
      touch(buffer, this.end);
    }
  }

  enter(parameters: readonly Value[]): void {
    parameters.forEach((parameter, k) => this.program.define(parameter, this.place(k)));
  }

  place(k: number): Place {
    const slot = this.slots[k] as Slot;
    switch (slot.kind) {
      case "scalar":
        return { kind: "scalar", expr: read(slot.local) };
      case "array":
        return { kind: "array", buffer: slot.buffer };
      case "stack":
        return { kind: "stack", stack: slot.stack };
    }
  }

  /** Locals that hold what is carried. */
  locals(): readonly Local[] {
    return this.slots.flatMap((slot) => {
      if (slot.kind === "scalar") return [slot.local];
      if (slot.kind === "array") return [slot.buffer.pointer];
      return stackLocals(slot.stack);
    });
  }

  /** Hands the results of a round to the next one: all assignments happen at once. */
  next(results: readonly Value[]): readonly (Buffer | Stack)[] {
    const { program } = this;
    const moves: { readonly to: Local; readonly from: Expr }[] = [];
    const used = new Set<Buffer>();
    const escaping: (Buffer | Stack)[] = [];
    results.forEach((result, k) => {
      const slot = this.slots[k] as Slot;
      if (slot.kind === "scalar") {
        moves.push({ to: slot.local, from: program.scalar(result) });
        return;
      }
      if (slot.kind === "stack") {
        const stack = program.stack(result);
        if (stack !== slot.stack) {
          program.emit(release(slot.stack.base), ...moveStack(stack, slot.stack));
        }
        escaping.push(slot.stack);
        return;
      }
      let buffer = this.simplify(program.buffer(result));
      const mine = this.slots.some((other) => other.kind === "array" && other.buffer === buffer);
      const fresh =
        (buffer.kind === "arena" || buffer.kind === "heap") &&
        program.buffers.indexOf(buffer) >= this.first;
      if (used.has(buffer) || (!mine && !fresh)) buffer = program.copyOf(result, buffer);
      used.add(buffer);
      escaping.push(buffer);
      if (buffer !== slot.buffer)
        moves.push({ to: slot.buffer.pointer, from: read(buffer.pointer) });
    });
    this.swap(used, moves);
    emitMoves(program, moves);
    return escaping;
  }

  /** Buffers that the round has left behind take the places of those that it handed on. */
  private swap(used: ReadonlySet<Buffer>, moves: { to: Local; from: Expr }[]): void {
    const carried = this.slots.flatMap((slot) => (slot.kind === "array" ? [slot.buffer] : []));
    const fresh = [...used].filter((buffer) => !carried.includes(buffer));
    const left = carried.filter((buffer) => !used.has(buffer));
    for (const buffer of fresh) {
      const at = left.findIndex((other) => dimText(other.bytes) === dimText(buffer.bytes));
      const [other] = left.splice(at, 1);
      if (at < 0 || other === undefined)
        throw new Error("the arrays that a loop carries change size");
      moves.push({ to: buffer.pointer, from: read(other.pointer) });
      this.swapped.push(buffer);
    }
    // Where arrays change places, each may be where any other of its size was.
    const changing = carried.filter(({ pointer }) => moves.some(({ to }) => to === pointer));
    const turns = [...changing.map(({ sources }) => sources[0] as Buffer), ...fresh];
    for (const slot of changing) {
      for (const other of turns) {
        const isOther = dimText(other.bytes) === dimText(slot.bytes);
        if (isOther && !slot.sources.includes(other)) slot.sources.push(other);
      }
    }
  }

  /** A join of one and the same buffer is that buffer. */
  private simplify(buffer: Buffer): Buffer {
    if (this.slots.some((slot) => slot.kind === "array" && slot.buffer === buffer)) return buffer;
    if (buffer.kind !== "joined") return buffer;
    const sources = new Set(buffer.sources.map((source) => this.simplify(source)));
    const [only] = sources;
    return sources.size === 1 && only !== undefined ? only : buffer;
  }
}

type Slot =
  | { readonly kind: "scalar"; readonly local: Local }
  | { readonly kind: "array"; readonly buffer: Buffer }
  | { readonly kind: "stack"; readonly stack: Stack };

/** Assignments that all read the old values. */
function emitMoves(program: Program, moves: readonly { to: Local; from: Expr }[]): void {
  const real = moves.filter(({ to, from }) => !(from.kind === "local" && from.local === to));
  const targets = new Set(real.map(({ to }) => to));
  const late: Statement[] = [];
  for (const { to, from } of real) {
    if (from.kind === "local" && targets.has(from.local)) {
      const kept = local("next", to.type);
      program.emit(set(kept, from));
      late.push(set(to, read(kept)));
    } else late.push(set(to, from));
  }
  program.emit(...late);
}

/** The host is asked once, in front of the loop, for a buffer that takes turns. */
function moveAllocation(program: Program, statements: Statement[], buffer: Buffer): void {
  const at = statements.findIndex(
    (statement) =>
      statement.kind === "call" &&
      statement.callee === "allocate" &&
      statement.results[0] === buffer.home,
  );
  const [statement] = statements.splice(at, 1);
  if (at < 0 || statement === undefined) {
    throw new Error(`a loop cannot carry ${buffer.name}, whose size is found inside it`);
  }
  program.emit(statement);
}

function keep(program: Program, expr: Expr, name: string): Expr {
  if (expr.kind === "const" || expr.kind === "local") return expr;
  const kept = local(name, "i32");
  program.emit(set(kept, expr));
  return read(kept);
}
