/**
 * Loops whose rounds may run at the same time, split among the threads of the host.
 *
 *   rounds(x, n)   →   rounds(x, n, thread, part, parts)
 *
 * A kernel runs a share of its rounds: part `part` of `parts`. Where its work is worth it, its
 * operands are written to the record, and every thread takes parts through the function `task`;
 * else it is called for all rounds, part 0 of 1. Borders between parts lie at multiples of a grain,
 * so that vectors, tiles and tails are the same however many threads there are, and so are results.
 */

import { type Dim, foldDim, symbol } from "../ir/dim.ts";
import { byteSize } from "../ir/types.ts";
import type { SymbolLocal } from "./affine.ts";
import {
  add,
  constant,
  divide,
  type Expr,
  isConstant,
  less,
  load,
  type Local,
  local,
  loop,
  type LoopFunction,
  maximum,
  minimum,
  multiply,
  op,
  read,
  set,
  type Statement,
  store,
  subtract,
} from "./loop.ts";
import { visitStatements } from "./rewrite.ts";

/** Where operands of a task are: below what the runtime allocates (`runtime/memory.ts`). */
const recordAddress = 512;
const mostOperands = 64;
/** As `partBits` of `runtime/worker.ts` has it. */
const mostParts = 255;

/** How many threads there are, as an extent that the runtime passes. No name of a user's is so. */
export const threadsSymbol = "#threads";
export const threadCount: Dim = symbol(threadsSymbol);

/** Rounds `from` to `to` of a loop: all of them, where `from` is the constant 0, or a part. */
export interface Rounds {
  readonly from: Expr;
  readonly to: Expr;
}

export interface Range extends Rounds {
  /** What a kernel with such a loop needs to be split; undefined where it is not. */
  readonly split: Split | undefined;
}

export interface Split {
  /** Number of the thread that runs the part, below the number of threads. */
  readonly thread: Local;
  readonly part: Local;
  readonly parts: Local;
  /** How many threads there are. */
  readonly threads: Expr;
  /** True at run time where the work is worth more threads than one. */
  readonly pays: Expr;
  /** Finds the borders of the part: in front of the kernel's code. */
  readonly prologue: Statement[];
  /** Where each round is a part, and a thread of a grid: how many there are. */
  readonly rounds?: Expr;
}

/** One round, which a thread of a grid does. */
export function gridRange(extent: Expr): Range {
  const [part, parts] = locals("part", "parts");
  const pays = constant(1);
  const split: Split = {
    thread: part,
    part,
    parts,
    threads: extent,
    pays,
    prologue: [],
    rounds: extent,
  };
  return { from: read(part), to: add(read(part), constant(1)), split };
}

export function wholeRange(extent: Expr): Range {
  return { from: constant(0), to: extent, split: undefined };
}

/** The rounds of a part: `from` and `to` are found by `shareFunction`. */
export function splitRange(extent: Expr, grain: number, threads: Expr, pays: Expr): Range {
  const [thread, part, parts] = locals("thread", "part", "parts");
  const { find, rounds } = partOf(extent, grain, read(part), read(parts));
  return { ...rounds, split: { thread, part, parts, threads, pays, prologue: [...find] } };
}

/** A part of a loop, and what finds its borders. */
export interface Part {
  readonly find: readonly Statement[];
  readonly rounds: Rounds;
}

export function partOf(extent: Expr, grain: number, part: Expr, parts: Expr): Part {
  const [from, to] = locals("from", "to");
  const find: Statement = {
    kind: "call",
    callee: shareFunction.name,
    operands: [extent, constant(grain), part, parts],
    results: [from, to],
  };
  return { find: [find], rounds: { from: read(from), to: read(to) } };
}

export function wholePart(extent: Expr): Part {
  return { find: [], rounds: wholeRange(extent) };
}

/** A part's rounds of so many, in grains: as many for each part, one more for the first ones. */
export const shareFunction: LoopFunction = (() => {
  const [extent, grain, part, parts] = locals("extent", "grain", "part", "parts");
  const [grains, each, more, from] = locals("grains", "each", "more", "from");
  const before = add(multiply(read(each), read(part)), minimum(read(part), read(more)));
  const mine = add(read(each), less(read(part), read(more)));
  return {
    name: "share",
    comment: "the rounds of a part",
    parameters: [extent, grain, part, parts],
    body: [
      set(grains, divide(subtract(add(read(extent), read(grain)), constant(1)), read(grain))),
      set(each, divide(read(grains), read(parts))),
      set(more, subtract(read(grains), multiply(read(each), read(parts)))),
      set(from, multiply(before, read(grain))),
    ],
    results: [read(from), minimum(read(extent), add(read(from), multiply(mine, read(grain))))],
    resultTypes: ["i32", "i32"],
  };
})();

function locals<const N extends readonly string[]>(...names: N): { [K in keyof N]: Local } {
  return names.map((name) => local(name, "i32")) as { [K in keyof N]: Local };
}

/** A dimension as a double: products of extents may be more than an i32 holds. */
export function countExpr(dim: Dim, symbolLocal: SymbolLocal): Expr {
  const binary = (name: string, a: Expr, b: Expr): Expr => op(name, "f64", [a, b]);
  return foldDim<Expr>(dim, {
    constant: (value) => constant(value, "f64"),
    symbol: (name) => ({
      kind: "cast",
      from: "i32",
      to: "f64",
      lanes: 1,
      value: read(symbolLocal(name)),
    }),
    add: (a, b) => binary("add", a, b),
    multiply: (a, b) => binary("mul", a, b),
    divide: (a, divisor) => binary("div", a, constant(divisor, "f64")),
  });
}

/** Whether work is more than a number: of so much for each of an extent, by the extent. */
export function isAbove(work: Expr, bound: number): Expr {
  if (work.kind === "cast" && work.from === "i32") {
    return op("gt", "i32", [work.value, constant(Math.min(Math.floor(bound), 2 ** 31 - 1))]);
  }
  if (work.kind === "op" && work.op === "mul") {
    const [a, b] = work.operands as readonly [Expr, Expr];
    if (isConstant(a) && a.value > 0) return isAbove(b, bound / a.value);
    if (isConstant(b) && b.value > 0) return isAbove(a, bound / b.value);
  }
  return op("gt", "f64", [work, constant(bound, "f64")]);
}

/** Whether all that the code does can be done on another thread: it neither asks the host nor fails. */
export function maySplit(
  body: readonly Statement[],
  isFunction: (callee: string) => boolean,
): boolean {
  let may = true;
  visitStatements(body, (statement) => {
    if (statement.kind === "fault") may = false;
    if (statement.kind !== "call") return;
    if (hostCalls.has(statement.callee) || isFunction(statement.callee)) may = false;
  });
  return may;
}

const hostCalls: ReadonlySet<string> = new Set(["allocate", "release", "fork"]);

interface Task {
  readonly callee: string;
  /** Of each parameter, what it is given: an operand, or what names the part. */
  readonly roles: readonly ("operand" | "thread" | "part" | "parts")[];
  readonly parameters: readonly Local[];
}

/** The kernels of a module that threads take parts of. */
export class Tasks {
  private readonly tasks: Task[] = [];
  private readonly recorders = new Map<string, LoopFunction>();

  /**
   * The call of a split kernel. Where it may fork, threads share it if it pays. `chunks`: parts that
   * it is split into at least, because calls should be short.
   */
  call(
    callee: string,
    parameters: readonly Local[],
    split: Split,
    mayFork: boolean,
    chunks?: Expr,
  ): Statement {
    const roles = parameters.map((parameter) => {
      if (parameter === split.thread) return "thread";
      if (parameter === split.part) return "part";
      return parameter === split.parts ? "parts" : "operand";
    });
    const operands = parameters.filter((_, k) => roles[k] === "operand");
    const chunk = local("chunk", "i32");
    const given = {
      thread: constant(0),
      part: chunks === undefined ? constant(0) : read(chunk),
      parts: chunks ?? constant(1),
    };
    const one: Statement = {
      kind: "call",
      callee,
      operands: parameters.map((parameter, k) => {
        const role = roles[k] as Task["roles"][number];
        return role === "operand" ? read(parameter) : given[role];
      }),
      results: [],
    };
    const alone = chunks === undefined ? one : loop(chunk, chunks, [one]);
    const wanted = chunks === undefined ? split.threads : maximum(split.threads, chunks);
    const scalars = operands.every(
      ({ type }) => type === "i32" || type === "f32" || type === "f64",
    );
    if (!mayFork || !scalars || operands.length > mostOperands) return alone;
    return {
      kind: "if",
      condition: split.pays,
      then: [
        {
          kind: "call",
          callee: this.recorder(operands),
          operands: operands.map(read),
          results: [],
        },
        {
          kind: "call",
          callee: "fork",
          operands: [
            constant(this.number({ callee, roles, parameters })),
            minimum(wanted, constant(mostParts)),
          ],
          results: [],
        },
      ],
      otherwise: [alone],
    };
  }

  /** The function that writes operands of such types to the record. */
  private recorder(operands: readonly Local[]): string {
    const name = `record_${operands.map(({ type }) => type).join("_")}`;
    if (!this.recorders.has(name)) {
      const parameters = operands.map(({ type }, k) => local(`operand${k}`, type));
      this.recorders.set(name, {
        name,
        comment: "operands of a kernel, for all threads",
        parameters,
        body: parameters.map((operand, k) =>
          store(record, place(operand, k), typeOf(operand), read(operand)),
        ),
        results: [],
        resultTypes: [],
      });
    }
    return name;
  }

  private number(task: Task): number {
    const same = (other: Task): boolean =>
      other.callee === task.callee && other.roles.join() === task.roles.join();
    const known = this.tasks.findIndex(same);
    return known >= 0 ? known : this.tasks.push(task) - 1;
  }

  /** The functions that the calls of tasks need. */
  get functions(): readonly LoopFunction[] {
    return [...this.recorders.values()];
  }

  /** The function that threads call, if there is something to do for them. */
  dispatcher(): LoopFunction | undefined {
    if (this.tasks.length === 0) return undefined;
    const [kernel, thread, part, parts] = locals("kernel", "thread", "part", "parts");
    const given = { thread: read(thread), part: read(part), parts: read(parts) };
    return {
      name: "task",
      comment: "a part of a kernel, with the operands of the record",
      parameters: [kernel, thread, part, parts],
      body: this.tasks.map(({ callee, roles, parameters }, number): Statement => {
        let k = 0;
        const operands = parameters.map((parameter, at) => {
          const role = roles[at] as Task["roles"][number];
          if (role !== "operand") return given[role];
          return load(record, place(parameter, k++), typeOf(parameter));
        });
        return {
          kind: "if",
          condition: op("eq", "i32", [read(kernel), constant(number)]),
          then: [{ kind: "call", callee, operands, results: [] }],
          otherwise: [],
        };
      }),
      results: [],
      resultTypes: [],
    };
  }
}

const record: Expr = constant(recordAddress);

/** Operands are eight bytes apart. */
function place(operand: Local, k: number): Expr {
  return constant((8 / byteSize(typeOf(operand))) * k);
}

function typeOf({ type }: Local): "i32" | "f32" | "f64" {
  if (type === "i32" || type === "f32" || type === "f64") return type;
  throw new Error("vectors are no operands of tasks");
}
