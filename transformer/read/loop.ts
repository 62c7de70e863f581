/**
 * Loops: what a body writes is carried from turn to turn. The body is read until what is carried is
 * known; the first guess comes from the assignments in its text.
 */

import type ts from "typescript";
import * as messages from "../../compiler/diagnostics/messages.ts";
import {
  type Block,
  sameType,
  scalarType,
  type Value,
  type ValueType,
} from "../../compiler/ir/types.ts";
import { newGroup } from "./alias.ts";
import { branch, exitCode, isArrayState, isFields, isReaderValue, targetsOf } from "./branch.ts";
import type { Place } from "./heap.ts";
import {
  flatten,
  join,
  leafTypes,
  rebuild,
  sameTemplate,
  type Template,
  templateOf,
  widen,
  withOlderOrigins,
} from "./join.ts";
import { growing, rename, stackItems } from "./objects.ts";
import { stackOf } from "./stacks.ts";
import { type Exit, normal, type Reader } from "./reader.ts";
import {
  type ArrayState,
  fixed,
  type ReaderValue,
  RowsToken,
  scalar,
  type StackItem,
} from "./values.ts";

export interface Loop {
  readonly node: ts.Node;
  /** Places that the text of the body assigns. */
  readonly guess: readonly Place<unknown>[];
  readonly breakTarget: number;
  readonly continueTarget: number;
}

export interface CountedLoop extends Loop {
  /** An i32; none where it is not above zero. */
  readonly count: Value;
  /** Given the number of the turn, an i32. `writesCounter` where the body changes the counter. */
  readonly body: (turn: Value) => Exit | "writesCounter";
}

export interface ConditionalLoop extends Loop {
  /** Known to be true or false, or a bool. */
  readonly condition: () => boolean | Value;
  readonly body: () => Exit;
  /** What a `for` does after the body and after `continue`. */
  readonly update?: (() => void) | undefined;
}

/** What a place carries: a thing, or the contents of a dense array or of a stack. */
type Carried = Template | Contents;
interface Contents {
  readonly kind: "contents";
  readonly type: ValueType;
  /** What a stack holds. */
  readonly item?: StackItem | undefined;
}
export type CarriedPlaces = ReadonlyMap<Place<unknown>, Carried>;
/** Objects that a turn writes under another name: from the second turn on they are outdated. */
export type Outdated = Map<Place<unknown>, unknown>;

interface Turn {
  readonly block: Block;
  readonly exit: Exit;
  /** What must be carried beyond what was; undefined where that was enough. */
  readonly growth: CarriedPlaces | undefined;
}

/** Undefined where the loop writes its counter, or leaves early: it is then read as a `while`. */
export function countedLoop(reader: Reader, loop: CountedLoop): Exit | undefined {
  const { node } = loop;
  const settled = settle(reader, loop, (carried, outdated) => {
    let writesCounter = false;
    const turn = readTurn(reader, node, carried, outdated, [scalarType("i32")], ([i]) => {
      const exit = loop.body(i as Value);
      writesCounter = exit === "writesCounter";
      return { exit: exit === "writesCounter" ? normal : exit, results: [] };
    });
    const others = [...targetsOf(turn.exit)].filter((target) => target !== loop.continueTarget);
    return writesCounter || others.length > 0 ? undefined : turn;
  });
  if (settled === undefined) return undefined;
  const initial = resultsOf(reader, settled.carried, node);
  const outputs = reader.at(node).for(loop.count, initial, settled.turn.block);
  writeAfter(reader, settled, outputs);
  return normal;
}

/** Any other loop. Its exit is whatever leaves it but `break`. */
export function conditionalLoop(reader: Reader, loop: ConditionalLoop): Exit {
  const exits = new Set<number>();
  for (let rotated = false; ;) {
    const known = exits.size;
    const mark = reader.builder.equations.length;
    const { result: exit, changes } = reader.heap.record(() =>
      readConditional(reader, loop, exits, rotated),
    );
    if (exit !== "rotate" && exits.size === known) {
      reader.heap.apply(changes);
      return exit;
    }
    // Read again from the start, as if nothing had been read.
    reader.builder.equations.length = mark;
    rotated ||= exit === "rotate";
  }
}

/**
 * `do body while (c)` as `first = true; while (first || c) { first = false; body }`, where the
 * first turn does not test.
 */
export function testAfter(reader: Reader, loop: ConditionalLoop): ConditionalLoop {
  const { node } = loop;
  const first = reader.heap.place<ReaderValue>(fixed(true), "the first turn");
  return {
    ...loop,
    guess: [...loop.guess, first as Place<unknown>],
    condition: () => {
      const isFirst = reader.heap.read(first);
      if (isFirst.kind !== "scalar") {
        return isFirst.kind === "static" && isFirst.value === true ? true : loop.condition();
      }
      const tested = (): ReaderValue => asThing(loop.condition());
      const met = branch(
        reader,
        isFirst.value,
        () => ({ exit: normal, value: fixed(true) }),
        () => ({ exit: normal, value: tested() }),
        node,
      ).value;
      return met?.kind === "scalar" ? met.value : true;
    },
    body: () => {
      reader.heap.write(first, fixed(false));
      return loop.body();
    },
  };
}

/**
 * With exits, an i32 that says how the loop was left is carried, 0 while it runs. Where the test
 * writes something, it is made before the loop and at the end of the body, and its answer carried.
 * An endless loop, `while (true)`, with one exit is left by that exit.
 */
function readConditional(
  reader: Reader,
  given: ConditionalLoop,
  exits: Set<number>,
  rotated: boolean,
): Exit | "rotate" {
  const { node } = given;
  let endless = true;
  const loop: ConditionalLoop = {
    ...given,
    condition: () => {
      const tested = given.condition();
      endless &&= tested === true;
      return tested;
    },
  };
  const withCode = exits.size > 0;
  const extra: ValueType[] = [];
  if (withCode) extra.push(scalarType("i32"));
  if (rotated) extra.push(scalarType("bool"));
  const first: Value[] = [];
  if (withCode) first.push(reader.at(node).constant(0, "i32"));
  if (rotated) first.push(test(reader, loop));

  let condition: Block | undefined;
  const settled = settle(reader, loop, (carried, outdated) => {
    if (!rotated) {
      condition = readCondition(reader, loop, carried, outdated, withCode ? extra : []);
      if (condition === undefined) return undefined;
    }
    return readTurn(reader, node, carried, outdated, extra, () => {
      const exit = loop.body();
      for (const target of targetsOf(exit)) {
        if (target !== loop.continueTarget) exits.add(target);
      }
      const going = withoutTargets(reader, exit, [loop.continueTarget], node);
      const next = afterBody(reader, loop, going, rotated);
      const results = withCode ? [exitCode(reader, going, node)] : [];
      return { exit, results: next === undefined ? results : [...results, next] };
    });
  });
  if (settled === undefined) return "rotate";
  if (exits.size > 0 && !withCode) return normal;
  const { carried, turn } = settled;
  const initial = [...first, ...resultsOf(reader, carried, node)];
  const regions = [condition ?? carriedTest(turn.block, first.length - 1), turn.block];
  const types = initial.map(({ type }) => type);
  const outputs = reader.at(node).append("while", initial, {}, regions, types);
  writeAfter(reader, settled, outputs.slice(extra.length));
  const [code] = outputs;
  if (!withCode || code === undefined) return normal;
  const [only] = exits;
  if (endless && exits.size === 1 && only !== undefined) {
    return withoutTargets(reader, { kind: "abrupt", target: only }, [loop.breakTarget], node);
  }
  const exit: Exit = { kind: "mixed", code, targets: new Set(exits) };
  return withoutTargets(reader, exit, [loop.breakTarget], node);
}

/** The block of the test; undefined where the test writes something. */
function readCondition(
  reader: Reader,
  loop: ConditionalLoop,
  carried: CarriedPlaces,
  outdated: Outdated,
  extra: readonly ValueType[],
): Block | undefined {
  const { node } = loop;
  let writes = false;
  const turn = readTurn(reader, node, carried, outdated, extra, ([code]) => {
    const { result, changes } = reader.heap.record(() => {
      if (code === undefined) return test(reader, loop);
      const running = isRunning(reader, code, node);
      const met = branch(
        reader,
        running,
        () => ({ exit: normal, value: scalar(test(reader, loop)) }),
        () => ({ exit: normal, value: fixed(false) }),
        node,
      ).value;
      return met?.kind === "scalar" ? met.value : reader.at(node).constant(0, "bool");
    });
    writes = changes.size > 0;
    return { exit: normal, results: [result] };
  });
  return writes ? undefined : { ...turn.block, results: turn.block.results.slice(0, 1) };
}

/** Updates, and tests where the test is carried; skipped once the loop has been left. */
function afterBody(
  reader: Reader,
  loop: ConditionalLoop,
  going: Exit,
  rotated: boolean,
): Value | undefined {
  const { node } = loop;
  const after = (): Value | undefined => {
    loop.update?.();
    return rotated ? test(reader, loop) : undefined;
  };
  const over = rotated ? reader.at(node).constant(0, "bool") : undefined;
  if (going.kind === "normal") return after();
  if (going.kind === "abrupt" || (loop.update === undefined && !rotated)) return over;
  const met = branch(
    reader,
    isRunning(reader, going.code, node),
    () => {
      const tested = after();
      return { exit: normal, value: tested === undefined ? fixed(false) : scalar(tested) };
    },
    () => ({ exit: normal, value: over === undefined ? fixed(false) : scalar(over) }),
    node,
  ).value;
  return met?.kind === "scalar" ? met.value : over;
}

function test(reader: Reader, loop: ConditionalLoop): Value {
  const tested = loop.condition();
  if (typeof tested !== "boolean") return tested;
  return reader.at(loop.node).constant(Number(tested), "bool");
}

function asThing(tested: boolean | Value): ReaderValue {
  return typeof tested === "boolean" ? fixed(tested) : scalar(tested);
}

export function isRunning(reader: Reader, code: Value, node: ts.Node): Value {
  const builder = reader.at(node);
  return builder.binary("eq", code, builder.constant(0, "i32"));
}

/** An exit with some of its targets reached. */
export function withoutTargets(
  reader: Reader,
  exit: Exit,
  reached: readonly number[],
  node: ts.Node,
): Exit {
  if (exit.kind === "normal") return exit;
  if (exit.kind === "abrupt") return reached.includes(exit.target) ? normal : exit;
  const targets = new Set([...exit.targets].filter((target) => !reached.includes(target)));
  if (targets.size === 0) return normal;
  if (targets.size === exit.targets.size) return exit;
  const builder = reader.at(node);
  let { code } = exit;
  for (const target of reached) {
    if (!exit.targets.has(target)) continue;
    const there = builder.binary("eq", code, builder.constant(target, "i32"));
    code = builder.select(there, builder.constant(0, "i32"), code);
  }
  return { kind: "mixed", code, targets };
}

interface Settled {
  readonly carried: CarriedPlaces;
  readonly outdated: Outdated;
  readonly turn: Turn;
}

/** Reads turns until what they carry no longer grows. Undefined where `read` gives up. */
function settle(
  reader: Reader,
  loop: Loop,
  read: (carried: CarriedPlaces, outdated: Outdated) => Turn | undefined,
): Settled | undefined {
  const outdated: Outdated = new Map();
  let carried: CarriedPlaces = new Map(
    loop.guess.flatMap((place) => {
      const first = carriedAtEntry(reader, place);
      return first === undefined ? [] : [[place, first] as const];
    }),
  );
  for (let round = 0; round < 16; round++) {
    const known = outdated.size;
    const turn = read(carried, outdated);
    if (turn === undefined) return undefined;
    if (turn.growth === undefined && outdated.size === known) return { carried, outdated, turn };
    carried = turn.growth ?? carried;
  }
  throw new Error("what this loop carries does not settle");
}

function carriedAtEntry(reader: Reader, place: Place<unknown>): Carried | undefined {
  const { content } = place;
  if (isArrayState(content)) return carriedContents(content);
  if (!isReaderValue(content)) return undefined;
  const template = widen(templateOf(reader, content));
  return template.kind === "fixed" ? undefined : template;
}

/** Reads one turn, with parameters for `extra` and then for what is carried. */
function readTurn(
  reader: Reader,
  node: ts.Node,
  carried: CarriedPlaces,
  outdated: Outdated,
  extra: readonly ValueType[],
  body: (extra: readonly Value[]) => { readonly exit: Exit; readonly results: readonly Value[] },
): Turn {
  const start = reader.heap.now();
  const outerSince = reader.turnSince;
  reader.turnSince = start;
  try {
    const { builder, result } = reader.heap.record(() =>
      reader.inBlock(() => {
        const own = extra.map((type): Value => ({ type }));
        const parameters = [...own, ...enter(reader, carried)];
        for (const [place, content] of outdated) reader.heap.write(place, content);
        const { exit, results } = body(own);
        const growth = compare(reader, carried, outdated, node);
        const ends = growth === undefined ? resultsOf(reader, carried, node) : [];
        return { parameters, results: [...results, ...ends], exit, growth };
      }),
    ).result;
    const { parameters, results, exit, growth } = result;
    return { block: { parameters, equations: builder.equations, results }, exit, growth };
  } finally {
    reader.turnSince = outerSince;
    // What the turn has made is gone: whatever leaves it is made anew around the loop.
    reader.heap.bury(start);
  }
}

/** Writes what is carried as parameters; the parameters. */
export function enter(reader: Reader, carried: CarriedPlaces): readonly Value[] {
  const group = newGroup();
  const parameters: Value[] = [];
  for (const [place, what] of carried) {
    const types = what.kind === "contents" ? [what.type] : leafTypes(what);
    const values = types.map((type): Value => ({ type }));
    parameters.push(...values);
    put(reader, place, what, values.values(), group);
  }
  return parameters;
}

export function writeAfter(
  reader: Reader,
  { carried, outdated }: Pick<Settled, "carried" | "outdated">,
  outputs: readonly Value[],
): void {
  for (const [place, content] of outdated) reader.heap.write(place, content);
  const group = newGroup();
  const values = outputs.values();
  for (const [place, what] of carried) put(reader, place, what, values, group);
}

function put(
  reader: Reader,
  place: Place<unknown>,
  what: Carried,
  values: Iterator<Value>,
  group: ReturnType<typeof newGroup>,
): void {
  if (what.kind !== "contents") {
    return reader.heap.write(place, rebuild(reader, what, values, place.name, group));
  }
  const value = values.next().value as Value;
  rename(value, place.name);
  const { item } = what;
  reader.heap.write(
    place,
    item === undefined ? { form: "dense", value } : { form: "stack", value, item },
  );
}

/** The values of what is carried, as things are now. */
export function resultsOf(reader: Reader, carried: CarriedPlaces, node: ts.Node): readonly Value[] {
  return [...carried].flatMap(([place, what]) =>
    what.kind === "contents"
      ? [contents(reader, place.content as ArrayState, what, node)]
      : flatten(reader, what, place.content as ReaderValue, node),
  );
}

function carriedContents(state: ArrayState): Contents | undefined {
  if (state.form !== "dense" && state.form !== "stack") return undefined;
  const { type } = state.value;
  return { kind: "contents", type, item: state.form === "stack" ? state.item : undefined };
}

function contents(
  reader: Reader,
  state: ArrayState,
  { type, item }: Contents,
  node: ts.Node,
): Value {
  if (item !== undefined) return stackOf(reader, state, type, node);
  if (state.form === "dense") return state.value;
  if (state.form === "stack") return growing(reader, node);
  if (state.form === "table") throw new Error("a table is not carried as one");
  const items = state.items.map((item) => reader.heap.read(item));
  return stackItems(reader, items, node);
}

/** What a turn has changed, against what it was given to carry. */
export function compare(
  reader: Reader,
  carried: CarriedPlaces,
  outdated: Outdated,
  node: ts.Node,
): CarriedPlaces | undefined {
  const next = new Map(carried);
  let grown = false;
  for (const [place, before] of reader.heap.written()) {
    const { content } = place;
    if (content === before) continue;
    const known = carried.get(place);
    const grow = (what: Carried): void => {
      next.set(place, what);
      grown = true;
    };
    if (isFields(content)) {
      reader.needsStatic(`the fields of \`${place.name}\``, node);
    } else if (isArrayState(content)) {
      const now = carriedContents(content);
      if (now === undefined) return reader.needsLength(place.name, node);
      if (known?.kind === "contents" && !sameType(known.type, now.type)) {
        reader.needsLength(place.name, node);
      }
      if (now.item !== undefined && reader.isBoundHere(now.type)) {
        reader.fail(messages.lengthEscapes({ name: place.name }, reader.span(node)));
      }
      if (known === undefined) grow(now);
    } else if (isReaderValue(content)) {
      const start = known as Template | undefined;
      const joined = bounded(
        reader,
        widen(
          join(
            start ?? templateOf(reader, before as ReaderValue),
            withOlderOrigins(reader, templateOf(reader, content)),
          ),
        ),
      );
      if (start === undefined || !sameTemplate(start, joined)) grow(joined);
    } else if (before === undefined || (content instanceof RowsToken && !outdated.has(place))) {
      outdated.set(place, content);
    }
  }
  return grown ? next : undefined;
}

/** Nothing of a length that is computed in a turn can leave it. */
function bounded(reader: Reader, template: Template): Template {
  if (!leafTypes(template).some((type) => reader.isBoundHere(type))) return template;
  return { kind: "conflict", problem: (name, span) => messages.lengthEscapes({ name }, span) };
}

/** The test of a loop that carries its answer. */
function carriedTest(body: Block, position: number): Block {
  const parameters = body.parameters.map(({ type, name }): Value => ({ type, name }));
  return { parameters, equations: [], results: [parameters[position] as Value] };
}
