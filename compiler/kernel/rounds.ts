/**
 * Loops of the program as statements. An engine does not replace a running function by faster
 * code, so a loop is a function of its own that runs some rounds and is called again and again.
 */

import {
  add,
  constant,
  divide,
  type Expr,
  isConstant,
  less,
  type Local,
  local,
  minimum,
  op,
  read,
  set,
  type Statement,
} from "./loop.ts";
import { vectorLoop } from "./independent.ts";
import { settle, spellIndices } from "./nest.ts";
import { freeLocals } from "./outline.ts";
import type { Program } from "./program.ts";
import { type Range, wholeRange } from "./tasks.ts";
import { assignedIn, visitStatements } from "./rewrite.ts";

/** An innermost loop of at most so many rounds runs where it stands: a call would cost more. */
const fewRounds = 1024;
/** Statements of a loop that may stand in the program twice. */
const fewStatements = 40;

/** Rounds in one call of an outlined loop: enough to be worth a call, few enough to return soon. */
function chunkOf(body: readonly Statement[]): number {
  let weight = 0;
  visitStatements(body, (statement) => {
    weight += statement.kind === "for" || statement.kind === "while" ? 64 : 4;
  });
  return Math.max(32, Math.min(4096, Math.round(200_000 / Math.max(1, weight))));
}

/** Locals that a round assigns and that are read in the next one or after the loop. */
function handedOn(body: readonly Statement[], carried: readonly Local[]): readonly Local[] {
  const assigned = assignedIn(body);
  const wanted = new Set([...freeLocals(body, []), ...carried]);
  return [...wanted].filter((of) => assigned.has(of));
}

/**
 * `round` is one round, `carried` the locals that hold what it hands to the next one. With a range,
 * threads may share the rounds.
 */
export function emitFor(
  program: Program,
  counter: Local,
  limit: Expr,
  round: readonly Statement[],
  carried: readonly Local[],
  range: Range = wholeRange(limit),
): void {
  const spelled = spellIndices(round, program.symbolLocal, new Map());
  const results = handedOn(spelled, carried);
  const between = (from: Expr, to: Expr): readonly Statement[] => {
    const alike = (a: Local, b: Local): boolean => program.mayAlias(a, b);
    const vectors = program.options.vectors
      ? vectorLoop(round, counter, from, to, results, alike)
      : undefined;
    if (vectors !== undefined) return settle(vectors, program.symbolLocal);
    const { span } = program;
    return [{ kind: "for", local: counter, from, to, step: 1, body: spelled, span }];
  };
  const { split } = range;
  if (split !== undefined && results.length === 0) {
    const chunks = local("chunks", "i32");
    const most = chunkOf(round);
    program.emit(set(chunks, divide(add(limit, constant(most - 1)), constant(most))));
    const body = [...split.prologue, ...between(range.from, range.to)];
    const rounds = spellIndices(body, program.symbolLocal, new Map());
    program.outlined("rounds", "a part of the rounds of a loop", rounds, [], range, read(chunks));
    return;
  }
  if (split !== undefined) {
    // One thread does all of it, in its own memory.
    const zero = constant(0);
    program.emit(set(split.thread, zero), set(split.part, zero), set(split.parts, constant(1)));
    program.emit(...split.prologue);
  }
  const whole = (): readonly Statement[] => between(constant(0), limit);
  const short = isConstant(limit) && limit.value <= 16;
  if (!program.options.chunks || short || callsAgain(program, round)) {
    program.emit(...whole());
    return;
  }
  const start = local("start", "i32");
  const end = local("end", "i32");
  const call = program.collect(() =>
    program.outlined("rounds", "some rounds of a loop", between(read(start), read(end)), results),
  );
  const chunks: Statement[] = [
    set(start, constant(0)),
    {
      kind: "while",
      before: [],
      condition: less(read(start), limit),
      body: [
        set(end, minimum(add(read(start), constant(chunkOf(round))), limit)),
        ...call,
        set(start, read(end)),
      ],
    },
  ];
  if (!program.isRepeated() || !isSmall(round)) {
    program.emit(...chunks);
    return;
  }
  const condition = op("le", "i32", [limit, constant(fewRounds)]);
  if (isConstant(limit)) program.emit(...(limit.value <= fewRounds ? whole() : chunks));
  else program.emit({ kind: "if", condition, then: whole(), otherwise: chunks });
}

/**
 * True of a loop in a function that is called, whose rounds call one, as recursion does: the next
 * call finds faster code where there is some.
 */
function callsAgain(program: Program, round: readonly Statement[]): boolean {
  let calls = false;
  visitStatements(round, (statement) => {
    calls ||= statement.kind === "call" && program.isFunction(statement.callee);
  });
  return calls && program.isCalled;
}

/** An innermost loop of few statements. */
function isSmall(round: readonly Statement[]): boolean {
  let count = 0;
  let inner = false;
  visitStatements(round, ({ kind }) => {
    count++;
    inner ||= kind === "for" || kind === "while";
  });
  return !inner && count <= fewStatements;
}

export function emitWhile(
  program: Program,
  test: readonly Statement[],
  goOn: Local,
  round: readonly Statement[],
  carried: readonly Local[],
): void {
  const before = spellIndices(test, program.symbolLocal, new Map());
  const body = spellIndices(round, program.symbolLocal, new Map());
  const { span } = program;
  const plain: Statement = { kind: "while", before, condition: read(goOn), body, span };
  if (!program.options.chunks || callsAgain(program, round)) {
    program.emit(plain);
    return;
  }
  // `left` rounds, then back to the caller; `go_on` is false when the loop itself has ended.
  const left = local("left", "i32");
  const all = [...before, ...body];
  const inner: Statement[] = [
    set(left, constant(chunkOf(all))),
    set(goOn, constant(1)),
    {
      kind: "while",
      before: [
        {
          kind: "if",
          condition: read(left),
          then: [...before],
          otherwise: [],
        },
      ],
      condition: {
        kind: "op",
        op: "and",
        dtype: "bool",
        lanes: 1,
        operands: [
          { kind: "op", op: "ne", dtype: "i32", lanes: 1, operands: [read(left), constant(0)] },
          read(goOn),
        ],
      },
      body: [...body, set(left, add(read(left), constant(-1)))],
    },
  ];
  const results = [goOn, ...handedOn(all, carried).filter((of) => of !== goOn)];
  const call = program.collect(() =>
    program.outlined("rounds", "some rounds of a loop", inner, results),
  );
  program.emit(set(goOn, constant(1)), {
    kind: "while",
    before: [],
    condition: read(goOn),
    body: call,
  });
}
