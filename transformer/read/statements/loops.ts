/** `for`, `for … of`, `while` and `do`. */

import ts from "typescript";
import { type Diagnostic, DiagnosticError } from "../../../compiler/diagnostics/diagnostic.ts";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Value } from "../../../compiler/ir/types.ts";
import { branch } from "../branch.ts";
import { bind } from "../expressions/assign.ts";
import { elementOf } from "../expressions/access.ts";
import { assignedPlaces } from "../guess.ts";
import type { Place } from "../heap.ts";
import { identical } from "../join.ts";
import { conditionalLoop, countedLoop, isRunning, testAfter, withoutTargets } from "../loop.ts";
import { compareNumbers, compute, integer, rangeOf, toInteger, truth } from "../numbers.ts";
import { itemsOf, lengthOf } from "../objects.ts";
import { type Exit, NeedsStatic, normal, type Reader, SilentFault } from "../reader.ts";
import { type Jump, Scope } from "../scope.ts";
import {
  describe,
  faulty,
  fixed,
  isBoolean,
  isNumber,
  isStaticNumber,
  type ReaderValue,
  unset,
} from "../values.ts";
import { labelOf, runAll } from "./blocks.ts";
import { isAbrupt } from "./branches.ts";
import { type Counter, canonical, tripCount, turnValue } from "./counter.ts";
import { declare } from "./declarations.ts";

/** A loop of more turns is not unrolled. */
const mostUnrolled = 4096;

export function forStatement(reader: Reader, node: ts.ForStatement, scope: Scope): Exit {
  const outer = new Scope(scope);
  const { initializer } = node;
  const counter = canonical(reader, node, outer);
  if (counter !== undefined) {
    const count = tripCount(reader, counter, node);
    const exit = unrolledOr(reader, count, (attempt) =>
      attempt === "rolled"
        ? rolledFor(reader, node, outer, counter, count)
        : unrolledFor(reader, node, outer, counter, count as number),
    );
    if (exit !== undefined) return exit;
  }
  if (initializer !== undefined) {
    if (ts.isVariableDeclarationList(initializer)) declare(reader, initializer, outer);
    else reader.evaluate(initializer, outer);
  }
  return generalFor(reader, node, outer);
}

/** Reads a loop as a loop; where something must be known that it does not know, turn by turn. */
function unrolledOr(
  reader: Reader,
  count: number | Value,
  read: (attempt: "rolled" | "unrolled") => Exit | undefined,
): Exit | undefined {
  if (count === 0) return normal;
  const canUnroll = typeof count === "number" && count <= mostUnrolled;
  if (!canUnroll) return read("rolled");
  reader.unrollable++;
  const outerSince = reader.unrollableSince;
  reader.unrollableSince = reader.heap.now();
  const mark = reader.builder.equations.length;
  try {
    const { result, changes } = reader.heap.record(() => read("rolled"));
    reader.heap.apply(changes);
    return result;
  } catch (error) {
    if (!(error instanceof NeedsStatic)) throw error;
    reader.builder.equations.length = mark;
  } finally {
    reader.unrollable--;
    reader.unrollableSince = outerSince;
  }
  return read("unrolled");
}

function rolledFor(
  reader: Reader,
  node: ts.ForStatement,
  scope: Scope,
  counter: Counter,
  count: number | Value,
): Exit | undefined {
  const jump = newJump(reader, node);
  return countedLoop(reader, {
    node,
    guess: assignedPlaces([node.statement], scope),
    ...jump,
    count: typeof count === "number" ? reader.at(node).constant(count, "i32") : count,
    body: (turn) => {
      const inside = new Scope(scope, { jump });
      const value = turnValue(reader, counter, turn, node);
      const place = reader.heap.place(value, counter.name);
      inside.declare(counter.name, { place, constant: false });
      const exit = runAll(reader, [{ statement: node.statement, scope: inside }]);
      const boundMoves = reader.heap
        .written()
        .some(([other, before]) => counter.reads.has(other) && other.content !== before);
      return !identical(place.content, value) || boundMoves ? "writesCounter" : exit;
    },
  });
}

function unrolledFor(
  reader: Reader,
  node: ts.ForStatement,
  scope: Scope,
  counter: Counter,
  count: number,
): Exit {
  const start = isStaticNumber(counter.start) ? counter.start.value : undefined;
  if (start === undefined) return reader.needsStatic("the start of the loop", node);
  const values = Array.from({ length: count }, (_, k) => fixed(start + k * counter.step));
  return eachTurn(reader, node, scope, values, (value, inside) => {
    const place = reader.heap.place<ReaderValue>(value, counter.name);
    inside.declare(counter.name, { place, constant: true });
  });
}

/** The body once for each value, `break` and `continue` included. */
function eachTurn(
  reader: Reader,
  node: ts.IterationStatement,
  scope: Scope,
  values: readonly ReaderValue[],
  enter: (value: ReaderValue, inside: Scope) => void,
): Exit {
  const jump = newJump(reader, node);
  const from = (k: number): Exit => {
    const value = values[k];
    if (value === undefined) return normal;
    const inside = new Scope(scope, { jump });
    enter(value, inside);
    const read = runAll(reader, [{ statement: node.statement, scope: inside }]);
    const exit = withoutTargets(reader, read, [jump.continueTarget], node);
    if (exit.kind === "abrupt") return exit;
    if (exit.kind === "normal") return from(k + 1);
    return branch(
      reader,
      isRunning(reader, exit.code, node),
      () => ({ exit: from(k + 1) }),
      () => ({ exit }),
      node,
    ).exit;
  };
  return withoutTargets(reader, from(0), [jump.breakTarget], node);
}

/** Any `for`, as a `while` over what its initializer has declared. */
function generalFor(reader: Reader, node: ts.ForStatement, scope: Scope): Exit {
  const { condition, incrementor, statement } = node;
  const jump = newJump(reader, node);
  return conditionalLoop(reader, {
    node,
    guess: assignedPlaces([condition, incrementor, statement], scope),
    ...jump,
    condition: () =>
      condition === undefined ? true : truth(reader, reader.evaluate(condition, scope), condition),
    body: () => runAll(reader, [{ statement, scope: new Scope(scope, { jump }) }]),
    update: incrementor === undefined ? undefined : () => void reader.evaluate(incrementor, scope),
  });
}

export function whileStatement(reader: Reader, node: ts.WhileStatement, scope: Scope): Exit {
  return conditionalLoop(reader, whileLoop(reader, node, scope));
}

export function doStatement(reader: Reader, node: ts.DoStatement, scope: Scope): Exit {
  if (isAbrupt(node.statement) === "all") {
    const jump = newJump(reader, node);
    const inside = new Scope(scope, { jump });
    const exit = runAll(reader, [{ statement: node.statement, scope: inside }]);
    if (exit.kind === "abrupt" && exit.target !== jump.continueTarget) {
      return withoutTargets(reader, exit, [jump.breakTarget], node);
    }
  }
  const loop = whileLoop(reader, node, scope);
  giveBeginnings(reader, loop);
  return conditionalLoop(reader, testAfter(reader, loop));
}

/**
 * Variables that have no value yet, `let x: number; do { x = … } while (x > 0)`, and that the first
 * turn makes a number or a truth: they begin as 0 or false, which nothing reads, for TypeScript has
 * checked that a variable is assigned on every path to where it is read. Of others the faults of the
 * first turn say why they have no value.
 */
function giveBeginnings(reader: Reader, { guess, body }: WhileLoop): void {
  const open = guess.filter(({ content }) => content === unset);
  if (open.length === 0) return;
  const { values, faults } = afterOnce(reader, open, body);
  open.forEach((place, k) => {
    const value = values[k];
    if (value !== undefined && (isNumber(value) || isBoolean(value))) {
      reader.heap.write(place, fixed(isBoolean(value) ? false : 0));
    } else if (faults.length > 0) {
      for (const fault of faults) reader.report(fault);
      reader.heap.write(place, faulty);
    }
  });
}

/** What places hold after the body, and its faults. The body is read and forgotten. */
function afterOnce(
  reader: Reader,
  places: WhileLoop["guess"],
  body: () => Exit,
): { readonly values: readonly ReaderValue[]; readonly faults: readonly Diagnostic[] } {
  const reported = reader.diagnostics.length;
  let values: readonly ReaderValue[] = [];
  try {
    values = reader.heap.record(() =>
      reader.inBlock(() => {
        body();
        return places.map(({ content }) => content as ReaderValue);
      }),
    ).result.result;
  } catch (error) {
    const isFault = error instanceof DiagnosticError || error instanceof SilentFault;
    if (!isFault || error instanceof NeedsStatic) throw error;
    reader.reportThrown(error, reader.here());
  }
  return { values, faults: reader.diagnostics.splice(reported) };
}

type WhileLoop = Parameters<typeof conditionalLoop>[1];

function whileLoop(
  reader: Reader,
  node: ts.WhileStatement | ts.DoStatement,
  scope: Scope,
): WhileLoop {
  const { expression, statement } = node;
  const jump = newJump(reader, node);
  return {
    node,
    guess: assignedPlaces([expression, statement], scope),
    ...jump,
    condition: () => truth(reader, reader.evaluate(expression, scope), expression),
    body: () => runAll(reader, [{ statement, scope: new Scope(scope, { jump }) }]),
  };
}

export function forOfStatement(reader: Reader, node: ts.ForOfStatement, scope: Scope): Exit {
  if (node.awaitModifier !== undefined) {
    reader.fail(
      messages.unsupportedSyntax(
        {
          what: "`for await`",
          reason: "compiled code does not wait",
          wayOut: "await outside, and pass the results as an array",
        },
        reader.span(node.awaitModifier),
      ),
    );
  }
  const array = reader.evaluate(node.expression, scope);
  if (array.kind !== "array") {
    return reader.fail(
      messages.notIndexable({ what: describe(array) }, reader.span(node.expression)),
    );
  }
  const { initializer } = node;
  const enter = (value: ReaderValue, inside: Scope): void => {
    if (ts.isVariableDeclarationList(initializer)) {
      const [declaration] = initializer.declarations;
      if (declaration !== undefined) bind(reader, declaration.name, value, inside, false);
    } else {
      reader.fail(
        messages.notYetSupported(
          {
            what: "`for … of` over a variable that is declared before",
            wayOut: "declare it in the loop, `for (const x of …)`",
          },
          reader.span(initializer),
        ),
      );
    }
  };
  const items = itemsOf(reader, array, node.expression);
  if (items !== undefined) return eachTurn(reader, node, scope, items, enter);

  const jump = newJump(reader, node);
  const length = lengthOf(reader, array, node.expression);
  const guess = assignedPlaces([node.statement], scope);
  const body = (index: ReaderValue): Exit => {
    const inside = new Scope(scope, { jump });
    enter(elementOf(reader, array, index, initializer), inside);
    return runAll(reader, [{ statement: node.statement, scope: inside }]);
  };
  const high = (rangeOf(length)?.high ?? 2 ** 31 - 1) - 1;
  const rolled = countedLoop(reader, {
    node,
    guess,
    ...jump,
    count: toInteger(reader, length, node.expression),
    body: (turn) => body(integer(turn, 0, high)),
  });
  if (rolled !== undefined) return rolled;
  return leavingForOf(reader, node, length, guess, jump, body);
}

/** A `for … of` that may leave early, over a counter of its own. */
function leavingForOf(
  reader: Reader,
  node: ts.ForOfStatement,
  length: ReaderValue,
  guess: Parameters<typeof countedLoop>[1]["guess"],
  jump: LoopJump,
  body: (index: ReaderValue) => Exit,
): Exit {
  const index = reader.heap.place<ReaderValue>(fixed(0), "the index");
  const now = (): ReaderValue => reader.heap.read(index);
  return conditionalLoop(reader, {
    node,
    guess: [...guess, index as Place<unknown>],
    ...jump,
    condition: () => truth(reader, compareNumbers(reader, "lt", now(), length, node), node),
    body: () => body(now()),
    update: () => reader.heap.write(index, compute(reader, "add", now(), fixed(1), node)),
  });
}

type LoopJump = Jump & { readonly continueTarget: number };

function newJump(reader: Reader, node: ts.Statement): LoopJump {
  return {
    label: labelOf(node),
    breakTarget: reader.newTarget(),
    continueTarget: reader.newTarget(),
    plain: true,
  };
}
