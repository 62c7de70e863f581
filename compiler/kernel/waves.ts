/**
 * Kernels on a grid that do not wait for each other become one: what a device starts costs time, and
 * small kernels leave most of it idle.
 *
 *   for r < 8 { f(x, y) }; for r < 4 { g(y, z) }; for r < 2 { h(x, w) }
 *     →   for r < 10 { if r < 8 { f(x, y) } else { h(x, w) } }; for r < 4 { g(y, z) }
 *
 * A statement is in the wave after the last one that it waits for: which writes what it reads or
 * writes, or reads what it writes. Kernels that may fail wait for each other, so that the first
 * failure is the program's first. Arrays live from their first wave to their last one.
 */

import { type Buffer, rootsOf } from "./buffer.ts";
import {
  add,
  constant,
  type Expr,
  less,
  type Local,
  local,
  type LoopFunction,
  read,
  set,
  type Statement,
  subtract,
} from "./loop.ts";
import type { Program } from "./program.ts";
import { nestedBodies, ownExpressions, visitExpression, visitStatements } from "./rewrite.ts";

type GridLoop = Extract<Statement, { readonly kind: "for" }>;

/** What a statement reads and writes: locals, and the arrays behind pointers. */
interface Effects {
  readonly reads: ReadonlySet<Local | Buffer>;
  readonly writes: ReadonlySet<Local | Buffer>;
}

interface Step {
  readonly statement: Statement;
  readonly effects: Effects;
  /** When it was emitted, on the clock of the memory plan. */
  readonly time: number;
  /** The wave that it is in. */
  level: number;
}

/** What kernels that may fail write: where their failure is told. */
const failure: Local = local("failure", "i32");

/** The statements of a program in waves; gives arrays their new times. */
export function inWaves(program: Program, body: readonly Statement[]): readonly Statement[] {
  const functions = new Map(program.parts.functions.map((fn) => [fn.name, fn]));
  const device = new Set<Local>();
  const result: Statement[] = [];
  let steps: Step[] = [];
  const close = (): void => {
    result.push(...wavesOf(steps, device));
    steps = [];
  };
  for (const statement of body) {
    const effects = effectsOf(program, statement, functions);
    noteDevice(statement, device);
    if (effects === undefined) {
      close();
      result.push(statement);
    } else {
      const time = program.timeOf(statement);
      steps.push({ statement, effects, time, level: levelOf(effects, steps) });
    }
  }
  close();
  return result;
}

function levelOf(effects: Effects, steps: readonly Step[]): number {
  return steps.reduce((level, before) => {
    const waits =
      meet(before.effects.writes, effects.reads) ||
      meet(before.effects.writes, effects.writes) ||
      meet(before.effects.reads, effects.writes);
    return waits ? Math.max(level, before.level + 1) : level;
  }, 0);
}

function meet<T>(a: ReadonlySet<T>, b: ReadonlySet<T>): boolean {
  for (const one of a) if (b.has(one)) return true;
  return false;
}

/** Undefined for what stays where it is: control flow, faults, memory of the host. */
function effectsOf(
  program: Program,
  statement: Statement,
  functions: ReadonlyMap<string, LoopFunction>,
): Effects | undefined {
  const reads = new Set<Local | Buffer>();
  const writes = new Set<Local | Buffer>();
  const buffers = (base: Expr): readonly Buffer[] | undefined => {
    const found: Buffer[] = [];
    visitExpression(base, (inner) => {
      const buffer = inner.kind === "local" ? program.bufferAt(inner.local) : undefined;
      if (buffer !== undefined) found.push(buffer, ...rootsOf(buffer));
    });
    return found.length === 0 ? undefined : found;
  };
  let isKnown = true;
  const note = (target: Set<Local | Buffer>, base: Expr): void => {
    const found = buffers(base);
    if (found === undefined) isKnown = false;
    for (const buffer of found ?? []) target.add(buffer);
  };
  const readsOf = (expr: Expr): void =>
    visitExpression(expr, (inner) => {
      if (inner.kind === "local") reads.add(inner.local);
      if (inner.kind === "load") note(reads, inner.base);
    });
  switch (statement.kind) {
    case "set":
      readsOf(statement.value);
      writes.add(statement.local);
      break;
    case "store":
      for (const expr of [statement.base, statement.index, statement.value]) readsOf(expr);
      // Slots of the frame are each written once, and read by nobody.
      if (!mentions(statement.base, program.frame)) note(writes, statement.base);
      break;
    case "copy":
      for (const expr of [statement.to, statement.from, statement.bytes]) readsOf(expr);
      note(reads, statement.from);
      note(writes, statement.to);
      break;
    case "clear":
      for (const expr of [statement.to, statement.bytes]) readsOf(expr);
      note(writes, statement.to);
      break;
    case "for": {
      const [call] = statement.body;
      if (statement.isGrid !== true || call?.kind !== "call") return undefined;
      readsOf(statement.to);
      noteCall(call);
      break;
    }
    case "call":
      if (!functions.has(statement.callee)) return undefined;
      noteCall(statement);
      for (const result of statement.results) writes.add(result);
      break;
    default:
      return undefined;
  }
  return isKnown ? { reads, writes } : undefined;

  function noteCall({ callee, operands }: Extract<Statement, { kind: "call" }>): void {
    const fn = functions.get(callee);
    if (fn === undefined) {
      isKnown = false;
      return;
    }
    const behind = addressesOf(fn);
    if (behind === undefined) {
      isKnown = false;
      return;
    }
    if (mayFail(fn)) writes.add(failure);
    for (const operand of operands) readsOf(operand);
    const noteAll = (target: Set<Local | Buffer>, places: readonly Place[]): void => {
      for (const place of places) {
        const found = [...place].flatMap((of) => {
          const operand = operands[fn.parameters.indexOf(of)];
          return (operand && buffers(operand)) ?? [];
        });
        if (found.length === 0) isKnown = false;
        for (const buffer of found) target.add(buffer);
      }
    };
    noteAll(reads, behind.read);
    noteAll(writes, behind.written);
  }
}

function mayFail({ body }: LoopFunction): boolean {
  let found = false;
  visitStatements(body, ({ kind }) => {
    if (kind === "fault") found = true;
  });
  return found;
}

function mentions(expr: Expr, of: Local): boolean {
  let found = false;
  visitExpression(expr, (inner) => {
    if (inner.kind === "local" && inner.local === of) found = true;
  });
  return found;
}

/** The parameters that an address is computed from: one of them at least is one, others are extents. */
type Place = ReadonlySet<Local>;

interface Addresses {
  readonly read: readonly Place[];
  readonly written: readonly Place[];
}

/** Where a function reads and writes; undefined where it calls others. */
function addressesOf({ parameters, body }: LoopFunction): Addresses | undefined {
  /** What a local was computed from. */
  const origins = new Map<Local, Set<Local>>();
  for (const parameter of parameters) origins.set(parameter, new Set([parameter]));
  const of = (expr: Expr): readonly Local[] => {
    const found: Local[] = [];
    visitExpression(expr, (inner) => {
      if (inner.kind === "local") found.push(...(origins.get(inner.local) ?? []));
    });
    return found;
  };
  for (let before = -1, size = 0; before !== size;) {
    before = size;
    visitStatements(body, (statement) => {
      if (statement.kind !== "set" || statement.local.type !== "i32") return;
      const known = origins.get(statement.local) ?? new Set<Local>();
      for (const origin of of(statement.value)) known.add(origin);
      origins.set(statement.local, known);
    });
    size = [...origins.values()].reduce((sum, { size: each }) => sum + each, 0);
  }
  const [read, written] = [new Map<string, Place>(), new Map<string, Place>()];
  const note = (target: Map<string, Place>, base: Expr): void => {
    const place = new Set(of(base));
    target.set([...place].map((each) => parameters.indexOf(each)).join(), place);
  };
  let calls = false;
  visitStatements(body, (statement) => {
    if (statement.kind === "store") note(written, statement.base);
    if (statement.kind === "copy" || statement.kind === "clear") note(written, statement.to);
    if (statement.kind === "copy") note(read, statement.from);
    if (statement.kind === "call" && statement.callee !== "share") calls = true;
    for (const expr of ownExpressions(statement)) {
      visitExpression(expr, (inner) => {
        if (inner.kind === "load") note(read, inner.base);
      });
    }
  });
  if (calls) return undefined;
  return { read: [...read.values()], written: [...written.values()] };
}

/** Locals that only the device knows: what comes from memory, and what is decided by that. */
function noteDevice(statement: Statement, device: Set<Local>, isDecided = false): void {
  const inside = (decided: boolean): void => {
    // A round may read what the round before has assigned.
    for (let before = -1; before !== device.size;) {
      before = device.size;
      for (const body of nestedBodies(statement)) {
        for (const inner of body) noteDevice(inner, device, decided);
      }
    }
  };
  switch (statement.kind) {
    case "set":
      if (isDecided || !isHostKnown(statement.value, device)) device.add(statement.local);
      break;
    case "call":
      if (statement.callee === "allocate") break;
      for (const result of statement.results) device.add(result);
      break;
    case "for":
      inside(isDecided || ![statement.from, statement.to].every((of) => isHostKnown(of, device)));
      break;
    case "if":
    case "while":
      inside(isDecided || !isHostKnown(statement.condition, device));
      break;
    default:
      break;
  }
}

function isHostKnown(expr: Expr, device: ReadonlySet<Local>): boolean {
  let isHost = true;
  visitExpression(expr, (inner) => {
    if (inner.kind === "load" || (inner.kind === "local" && device.has(inner.local))) {
      isHost = false;
    }
  });
  return isHost;
}

function wavesOf(steps: readonly Step[], device: ReadonlySet<Local>): readonly Statement[] {
  if (steps.length === 0) return [];
  retime(steps);
  const last = steps.reduce((most, { level }) => Math.max(most, level), 0);
  return Array.from({ length: last + 1 }, (_, level) => {
    const own = steps.filter((step) => step.level === level).map(({ statement }) => statement);
    const isGrid = (statement: Statement): statement is GridLoop =>
      statement.kind === "for" && isHostKnown(statement.to, device);
    const isAlone = (statement: Statement): boolean =>
      statement.kind === "store" ||
      (statement.kind === "set" && device.has(statement.local)) ||
      (statement.kind === "call" && statement.results.every((result) => device.has(result)));
    const grids = own.filter(isGrid);
    const alone = own.filter((statement) => !isGrid(statement) && isAlone(statement));
    const others = own.filter((statement) => !isGrid(statement) && !isAlone(statement));
    if (grids.length === 0) return [...others, ...alone];
    return [...others, ...together(grids, alone)];
  }).flat();
}

/** One grid for several, and for what one thread does. */
function together(grids: readonly GridLoop[], alone: readonly Statement[]): readonly Statement[] {
  const [first, ...others] = grids;
  if (first === undefined || (others.length === 0 && alone.length === 0)) return grids;
  const part = local("part", "i32");
  const before: Statement[] = [];
  /** From the last one: where it begins is where those in front of it end. */
  const ends: Expr[] = [];
  let end: Expr = constant(0);
  for (const { to } of grids) {
    const next = local("end", "i32");
    before.push(set(next, add(end, to)));
    end = read(next);
    ends.push(end);
  }
  const turn = (k: number): readonly Statement[] => {
    const grid = grids[k];
    if (grid === undefined) return alone;
    const start = k === 0 ? constant(0) : (ends[k - 1] as Expr);
    const own: readonly Statement[] = [set(grid.local, subtract(read(part), start)), ...grid.body];
    const isLast = k === grids.length - 1 && alone.length === 0;
    if (isLast) return own;
    const condition = less(read(part), ends[k] as Expr);
    return [{ kind: "if", condition, then: [...own], otherwise: [...turn(k + 1)] }];
  };
  const to = alone.length === 0 ? end : add(end, constant(1));
  return [
    ...before,
    { kind: "for", local: part, from: constant(0), to, step: 1, body: turn(0), isGrid: true },
  ];
}

/** Arrays live in waves now: what two statements of one wave use is not in one place. */
function retime(steps: readonly Step[]): void {
  // What touches no array may have been emitted out of its turn.
  const touching = steps.filter(({ effects }) =>
    [...effects.reads, ...effects.writes].some((one) => "bytes" in one),
  );
  if (touching.length === 0) return;
  const times = touching.map(({ time }) => time);
  const [start, end] = [Math.min(...times), Math.max(...times)];
  const levels = steps.reduce((most, { level }) => Math.max(most, level), 0) + 1;
  const width = (end - start + 0.5) / levels;
  const uses = new Map<Buffer, number[]>();
  for (const { effects, level } of steps) {
    const used = new Set([...effects.reads, ...effects.writes]);
    for (const one of used) {
      if (!("bytes" in one)) continue;
      const known = uses.get(one);
      if (known === undefined) uses.set(one, [level]);
      else known.push(level);
    }
  }
  for (const [buffer, at] of uses) {
    const [low, high] = [Math.min(...at), Math.max(...at)];
    if (buffer.from >= start && buffer.from <= end) buffer.from = start + low * width;
    if (buffer.to > end || buffer.to < start) continue;
    // What another statement of the wave reads too cannot be written in place by one of them.
    const isShared = at.filter((level) => level === high).length > 1;
    buffer.to = start + high * width + (isShared ? width / 2 : 0);
  }
}
