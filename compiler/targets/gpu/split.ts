/**
 * A program of the loop IR → what the host does, and entries that a device runs.
 *
 *   n = 8; s = sum(x, n); for r < 3 { f(y, s) on a grid of n }
 *     →   host: n = 8; launch(0, 1, x, n); for r < 3 { launch(1, n, y) }
 *         entry 0: s = sum(x, n); cell 0 = s        entry 1: f(y, cell 0)
 *
 * The host knows its parameters and what it computes from them. All that comes from memory is known
 * to the device only: such locals live in _cells_, and code with them is one thread's, unless it is
 * a grid. A branch that the device decides becomes a guard of the entries in its arms.
 */

import type { Span } from "../../ir/types.ts";
import { meaning } from "../../kernel/module.ts";
import { freeLocals } from "../../kernel/outline.ts";
import {
  constant,
  divide,
  type Expr,
  isConstant,
  load,
  type Local,
  local,
  type LoopFunction,
  type LoopModule,
  op,
  type Origin,
  read,
  set,
  type Statement,
  store,
} from "../../kernel/loop.ts";
import {
  assignedBy,
  assignedIn,
  mapStatement,
  ownExpressions,
  nestedBodies,
  readIn,
  visitExpression,
  visitStatements,
} from "../../kernel/rewrite.ts";

export interface Entry {
  /** What it computes, where it is started first. */
  readonly comment: string;
  /** What the host passes: words of four bytes. */
  readonly parameters: readonly Local[];
  /** Locals that it finds in cells, and those that it leaves there. */
  readonly loads: readonly Local[];
  readonly stores: readonly Local[];
  readonly body: readonly Statement[];
  /** The number of the thread, where there are several. */
  readonly part: Local | undefined;
}

/** A place of the host's part that starts an entry. Several may start the same one. */
export interface LaunchSite {
  readonly entry: number;
  readonly origin: Origin;
}

export interface DeviceProgram {
  /** `run`, with calls of `launch(site, threads, …parameters)`. */
  readonly host: LoopFunction;
  readonly launches: readonly LaunchSite[];
  readonly entries: readonly Entry[];
  /** Functions that entries call. */
  readonly functions: readonly LoopFunction[];
  readonly cells: ReadonlyMap<Local, number>;
}

/** What a device cannot do: ask for memory that only it knows the size of, or call back into a call. */
export class NotOnDevice extends Error {
  readonly reason: "memory" | "recursion";
  /** The loop, the array or the call that is the reason, where that is known. */
  readonly span: Span | undefined;
  constructor(reason: "memory" | "recursion", span: Span | undefined) {
    super(`a device cannot do this: ${reason}`);
    this.reason = reason;
    this.span = span;
  }
}

export function splitProgram(module: LoopModule): DeviceProgram {
  const run = module.functions.find(({ name }) => name === "run");
  if (run === undefined) throw new Error("a module has a function `run`");
  const functions = new Map(module.functions.map((fn) => [fn.name, fn]));
  reached(run.body, functions);
  const known = deviceLocals(run);
  const splitter = new Splitter(known, functions);
  const body = splitter.list(run.body, undefined);
  const { drafts } = splitter;
  const exposed = new Set(
    drafts.flatMap(({ body: each, part }) =>
      freeLocals(each, []).filter((of) => known.has(of) && of !== part),
    ),
  );
  // What only some paths assign is kept as it was.
  for (let before = -1; before !== exposed.size;) {
    before = exposed.size;
    for (const { body: each } of drafts) {
      const left = [...assignedIn(each)].filter((of) => exposed.has(of));
      for (const of of freeLocals(each, left)) if (known.has(of)) exposed.add(of);
    }
  }
  const cells = new Map([...exposed].map((of, k) => [of, k]));
  const all = drafts.map(({ body: each, part, origin }): Entry => {
    const stores = [...assignedIn(each)].filter((of) => exposed.has(of));
    const free = freeLocals(each, stores).filter((of) => of !== part);
    return {
      comment: origin.comment,
      parameters: free.filter((of) => !known.has(of)),
      loads: free.filter((of) => known.has(of)),
      stores,
      body: each,
      part,
    };
  });
  const { entries, numbers } = distinct(all, cells);
  const rounded = roundedParameters(run.parameters, body);
  const host: LoopFunction = {
    ...run,
    body: [...rounded, ...withOperands(body, all)],
    results: [],
  };
  return {
    host: { ...host, resultTypes: [] },
    launches: drafts.map(({ origin }, k) => ({ entry: numbers[k] as number, origin })),
    entries,
    functions: withoutHost(
      reached(
        entries.flatMap(({ body: each }) => each),
        functions,
      ),
    ),
    cells,
  };
}

/** Numbers that the host computes with are those that the device has. */
function roundedParameters(
  parameters: readonly Local[],
  body: readonly Statement[],
): readonly Statement[] {
  const reads = readIn(body);
  return parameters
    .filter((of) => of.type === "f32" && reads.has(of))
    .map((of) => set(of, { kind: "cast", from: "f64", to: "f32", lanes: 1, value: read(of) }));
}

/** Entries that do the same are one: for each, the number of the one that stands for it. */
function distinct(
  all: readonly Entry[],
  cells: ReadonlyMap<Local, number>,
): { readonly entries: readonly Entry[]; readonly numbers: readonly number[] } {
  const entries: Entry[] = [];
  const known = new Map<string, number>();
  const cellOf = (of: Local): string | undefined => {
    const cell = cells.get(of);
    return cell === undefined ? undefined : `cell ${cell}`;
  };
  const numbers = all.map((entry) => {
    const { parameters, body, loads, stores, part } = entry;
    const text = meaning({ parameters, body, results: [...loads, ...stores].map(read) }, cellOf);
    const key = `${part === undefined ? "one" : "grid"} ${loads.length} ${text}`;
    const number = known.get(key) ?? entries.push(entry) - 1;
    known.set(key, number);
    return number;
  });
  return { entries, numbers };
}

// What is known where

/** Locals that the device alone knows. */
function deviceLocals({ body }: LoopFunction): ReadonlySet<Local> {
  const known = new Set<Local>();
  const arms = new OwnLocals();
  for (let before = -1; before !== known.size;) {
    before = known.size;
    taint(body, known, { arms, around: [] });
  }
  return known;
}

/** Where a piece of code is. */
interface Surroundings {
  readonly arms: OwnLocals;
  /** The lists of statements that it is in, from the outermost, and in which statement of each. */
  readonly around: readonly Around[];
  /** The locals of an arm that the device runs or does not run, if there is one around. */
  readonly own?: ReadonlySet<Local> | undefined;
}

interface Around {
  readonly list: readonly Statement[];
  readonly statement: Statement;
}

function taint(body: readonly Statement[], known: Set<Local>, outside: Surroundings): void {
  const { arms, own } = outside;
  for (const statement of body) {
    if (!isHostWork(statement)) {
      const isHost =
        isHostCode(statement, known) && (own === undefined || !mayNotReturn(statement));
      for (const of of assignedIn([statement]))
        if (!isHost || own?.has(of) === false) known.add(of);
      continue;
    }
    const inside = { ...outside, around: [...outside.around, { list: body, statement }] };
    switch (statement.kind) {
      case "for":
        if (isKnown(statement.from, known) && isKnown(statement.to, known)) {
          if (statement.isGrid !== true) taint(statement.body, known, inside);
          else for (const of of assignedIn(statement.body)) known.add(of);
        } else for (const of of assignedIn([statement])) known.add(of);
        break;
      case "if": {
        const isDecided = !isKnown(statement.condition, known);
        for (const arm of [statement.then, statement.otherwise]) {
          taint(arm, known, isDecided ? { ...inside, own: arms.of(arm, inside.around) } : inside);
        }
        break;
      }
      case "while":
        if (isHostLoop(statement, known) && own === undefined) {
          taint(statement.before, known, inside);
          taint(statement.body, known, inside);
        } else for (const of of assignedIn([statement])) known.add(of);
        break;
      default:
        break;
    }
  }
}

/**
 * Locals that an arm assigns and that mean nothing outside of it: the host may assign them whether
 * the arm is run or not.
 */
class OwnLocals {
  /** What a piece of code reads of what was before. */
  private readonly free = new Map<Statement | readonly Statement[], ReadonlySet<Local>>();
  private readonly found = new Map<readonly Statement[], ReadonlySet<Local>>();

  of(arm: readonly Statement[], around: readonly Around[]): ReadonlySet<Local> {
    let own = this.found.get(arm);
    if (own === undefined) {
      const read = [this.freeIn(arm), ...around.flatMap((each) => this.readBeside(each))];
      own = new Set([...assignedIn(arm)].filter((of) => !read.some((each) => each.has(of))));
      this.found.set(arm, own);
    }
    return own;
  }

  /** What is read in a list of statements, the inside of one of them left out, and by its condition. */
  private readBeside({ list, statement }: Around): readonly ReadonlySet<Local>[] {
    const others = list.filter((other) => other !== statement);
    const lists = nestedBodies(statement);
    const head = mapStatement(
      statement,
      (expr) => expr,
      () => [],
    );
    return [
      ...[...others, head].map((each) => this.freeIn(each)),
      ...lists.map((each) => this.freeIn(each)),
    ];
  }

  private freeIn(code: Statement | readonly Statement[]): ReadonlySet<Local> {
    let free = this.free.get(code);
    if (free === undefined) {
      free = new Set(freeLocals(Array.isArray(code) ? code : [code as Statement], []));
      this.free.set(code, free);
    }
    return free;
  }
}

/** True of code that must not run where its arm does not: it may fail, or go on for ever. */
function mayNotReturn(statement: Statement): boolean {
  let found = false;
  visitStatements([statement], ({ kind }) => {
    if (kind === "fault" || kind === "while") found = true;
  });
  return found;
}

/** True of what has a grid in it, or asks the host for memory. */
function isHostWork(statement: Statement): boolean {
  let found = false;
  visitStatements([statement], (inner) => {
    if (inner.kind === "for" && inner.isGrid === true) found = true;
    if (inner.kind === "copy" || inner.kind === "clear") found = true;
    if (inner.kind === "call" && isHostCall(inner.callee)) found = true;
  });
  return found;
}

function isHostCall(callee: string): boolean {
  return callee === "allocate" || callee === "release" || callee === "hand_over";
}

/** True of code that only computes numbers for the host, from what it knows. */
function isHostCode(statement: Statement, known: ReadonlySet<Local>): boolean {
  let isHost = true;
  visitStatements([statement], (inner) => {
    if (inner.kind === "store" || inner.kind === "call") isHost = false;
    if (assignedBy(inner).some((of) => known.has(of))) isHost = false;
    if (ownExpressions(inner).some((expr) => !isKnown(expr, known))) isHost = false;
  });
  return isHost;
}

function isHostLoop(
  statement: Extract<Statement, { kind: "while" }>,
  known: ReadonlySet<Local>,
): boolean {
  return isKnown(statement.condition, known);
}

/** True of what the host can compute. */
function isKnown(expr: Expr, known: ReadonlySet<Local>): boolean {
  let isHost = true;
  visitExpression(expr, (inner) => {
    if (inner.kind === "load" || (inner.kind === "local" && known.has(inner.local))) isHost = false;
  });
  return isHost;
}

// Entries

interface Draft {
  readonly body: readonly Statement[];
  readonly part: Local | undefined;
  readonly origin: Origin;
}

class Splitter {
  /** One for each launch, by its number. */
  readonly drafts: Draft[] = [];
  private readonly known: ReadonlySet<Local>;
  private readonly functions: ReadonlyMap<string, LoopFunction>;
  /** Code of one thread that is not started yet. */
  private waiting: Statement[] = [];

  constructor(known: ReadonlySet<Local>, functions: ReadonlyMap<string, LoopFunction>) {
    this.known = known;
    this.functions = functions;
  }

  list(body: readonly Statement[], guard: Expr | undefined): readonly Statement[] {
    const host = body.flatMap((statement) => this.statement(statement, guard));
    return [...host, ...this.flush(guard)];
  }

  private statement(statement: Statement, guard: Expr | undefined): readonly Statement[] {
    const { known } = this;
    if (!isHostWork(statement)) {
      const isHost = isHostCode(statement, known);
      if (isHost && (guard === undefined || !mayNotReturn(statement))) {
        // What waits reads what the host knows now.
        const reads = readIn(this.waiting);
        const changes = [...assignedIn([statement])].some((of) => reads.has(of));
        return changes ? [...this.flush(guard), statement] : [statement];
      }
      this.waiting.push(statement);
      return [];
    }
    switch (statement.kind) {
      case "for": {
        if (!isKnown(statement.from, known) || !isKnown(statement.to, known)) {
          return this.alone(statement);
        }
        const before = this.flush(guard);
        if (statement.isGrid === true) {
          const { body, local: part, to, origin } = statement;
          return [...before, ...this.start(body, guard, part, to, origin)];
        }
        return [...before, { ...statement, body: this.list(statement.body, guard) }];
      }
      case "if": {
        const { condition, then, otherwise } = statement;
        if (isKnown(condition, known)) {
          const before = this.flush(guard);
          return [
            ...before,
            { ...statement, then: this.list(then, guard), otherwise: this.list(otherwise, guard) },
          ];
        }
        return this.guarded(condition, then, otherwise, guard);
      }
      case "while": {
        if (!isHostLoop(statement, known) || guard !== undefined) return this.alone(statement);
        const before = this.flush(guard);
        const head = this.list(statement.before, guard);
        return [...before, { ...statement, before: head, body: this.list(statement.body, guard) }];
      }
      case "call": {
        // Memory is asked for whatever the device decides.
        if (statement.operands.some((operand) => !isKnown(operand, known))) {
          throw new NotOnDevice("memory", statement.span);
        }
        if (statement.results.some((result) => known.has(result))) {
          throw new NotOnDevice("memory", statement.span);
        }
        return [...this.flush(guard), statement];
      }
      case "copy":
      case "clear":
        return this.move(statement, guard);
      default:
        throw new Error(`the host has no work with a \`${statement.kind}\``);
    }
  }

  /** One thread does it all, grids in it round by round. */
  private alone(statement: Extract<Statement, { kind: "for" | "while" }>): readonly Statement[] {
    visitStatements([statement], (inner) => {
      if (inner.kind === "call" && isHostCall(inner.callee)) {
        throw new NotOnDevice("memory", statement.span ?? inner.span);
      }
    });
    this.waiting.push(statement);
    return [];
  }

  /** Both arms are walked through; which one does something is decided by a cell. */
  private guarded(
    condition: Expr,
    then: readonly Statement[],
    otherwise: readonly Statement[],
    guard: Expr | undefined,
  ): readonly Statement[] {
    const before = this.flush(guard);
    const taken = local("taken", "i32");
    (this.known as Set<Local>).add(taken);
    const both = (a: Expr): Expr => (guard === undefined ? a : op("and", "bool", [guard, a]));
    const isTaken = op("ne", "i32", [read(taken), constant(0)]);
    this.waiting.push(set(taken, condition));
    const decided = this.flush(undefined);
    const arms = [
      ...this.list(then, both(isTaken)),
      ...this.list(otherwise, both(op("not", "bool", [isTaken]))),
    ];
    return [...before, ...decided, ...arms];
  }

  private move(
    statement: Extract<Statement, { kind: "copy" | "clear" }>,
    guard: Expr | undefined,
  ): readonly Statement[] {
    const word = local("word", "i32");
    const { kind, span } = statement;
    const value = kind === "clear" ? constant(0, "u32") : load(statement.from, read(word), "u32");
    const one = store(statement.to, read(word), "u32", value);
    const count = divide(statement.bytes, constant(4));
    const loop: Statement = {
      kind: "for",
      local: word,
      from: constant(0),
      to: count,
      step: 1,
      body: [one],
      isGrid: true,
      origin: {
        comment: kind === "clear" ? "zeros" : "copy of an array",
        spans: span === undefined ? [] : [span],
      },
    };
    return this.statement(loop, guard);
  }

  private flush(guard: Expr | undefined): readonly Statement[] {
    const body = this.waiting;
    this.waiting = [];
    return body.length === 0 ? [] : this.start(body, guard, undefined, constant(1));
  }

  private start(
    body: readonly Statement[],
    guard: Expr | undefined,
    part: Local | undefined,
    count: Expr,
    origin = originOf(body, this.functions),
  ): readonly Statement[] {
    const guarded: readonly Statement[] =
      guard === undefined
        ? body
        : [{ kind: "if", condition: guard, then: [...body], otherwise: [] }];
    this.drafts.push({ body: guarded, part, origin });
    const number = constant(this.drafts.length - 1);
    return [{ kind: "call", callee: "launch", operands: [number, count], results: [] }];
  }
}

/** The host's code with the parameters of the entries as operands of their launches. */
function withOperands(body: readonly Statement[], entries: readonly Entry[]): readonly Statement[] {
  return withLaunches(body, (site, operands) => {
    const { parameters } = entries[site] as Entry;
    return [...operands, ...parameters.map(read)];
  });
}

/** The host's code with the operands of each launch, by its site. */
export function withLaunches(
  body: readonly Statement[],
  change: (site: number, operands: readonly Expr[]) => readonly Expr[],
): readonly Statement[] {
  return body.map((statement): Statement => {
    const [site] = statement.kind === "call" ? statement.operands : [];
    if (statement.kind === "call" && statement.callee === "launch") {
      if (site === undefined || !isConstant(site)) throw new Error("a launch of no entry");
      return { ...statement, operands: change(site.value, statement.operands) };
    }
    return mapStatement(
      statement,
      (expr) => expr,
      (inner) => withLaunches(inner, change),
    );
  });
}

/** The functions that code calls, and those that they call, callees first. */
export function reached(
  body: readonly Statement[],
  functions: ReadonlyMap<string, LoopFunction>,
): readonly LoopFunction[] {
  const done = new Set<LoopFunction>();
  const open = new Set<LoopFunction>();
  const visit = (statements: readonly Statement[]): void => {
    visitStatements(statements, (statement) => {
      if (statement.kind !== "call" || isHostCall(statement.callee)) return;
      const fn = functions.get(statement.callee);
      if (fn === undefined) throw new Error(`there is no function \`${statement.callee}\``);
      if (done.has(fn)) return;
      if (open.has(fn)) throw new NotOnDevice("recursion", statement.span);
      open.add(fn);
      visit(fn.body);
      done.add(fn);
    });
  };
  visit(body);
  return [...done];
}

/** Functions of the device, which do not ask the host for memory. */
function withoutHost(functions: readonly LoopFunction[]): readonly LoopFunction[] {
  for (const { body } of functions) {
    visitStatements(body, (statement) => {
      if (statement.kind === "call" && isHostCall(statement.callee)) {
        throw new NotOnDevice("memory", statement.span);
      }
    });
  }
  return functions;
}

/** What the kernels in a piece of code compute, and all that it comes from. */
function originOf(
  body: readonly Statement[],
  functions: ReadonlyMap<string, LoopFunction>,
): Origin {
  const comments = new Set<string>();
  const spans = new Set<Span>();
  visitStatements(body, (statement) => {
    if ("span" in statement && statement.span !== undefined) spans.add(statement.span);
    if (statement.kind !== "call" && statement.kind !== "for") return;
    const { origin } = statement;
    for (const span of origin?.spans ?? []) spans.add(span);
    const callee = statement.kind === "call" ? functions.get(statement.callee) : undefined;
    const comment = origin?.comment ?? callee?.comment ?? "";
    if (comment !== "") comments.add(comment);
  });
  const comment = comments.size === 0 ? "numbers of the program" : [...comments].join("; ");
  return { comment, spans: [...spans] };
}
