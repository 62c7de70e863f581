/**
 * Functions that call themselves. Met again while it is being read, a function becomes one of the
 * graph. Its parameters are the numbers and arrays of its arguments, what it writes of its
 * surroundings, and what it captures; all of this is found by reading the body again until it no
 * longer grows. What is the same at every depth is not passed at all.
 *
 * Where known numbers alone decide how deep it goes, the calls are read one in the other instead.
 */

import type ts from "typescript";
import { encodeCallee } from "../../compiler/autodiff/callee.ts";
import * as messages from "../../compiler/diagnostics/messages.ts";
import { sameDim } from "../../compiler/ir/dim.ts";
import type { Block, Fn, Value, ValueType } from "../../compiler/ir/types.ts";
import { freeValues, renameBlock } from "../../compiler/ir/walk.ts";
import { newGroup } from "./alias.ts";
import {
  checkNames,
  generalised,
  linkResult,
  type Released,
  released,
  writeBack,
} from "./arguments.ts";
import type { Place } from "./heap.ts";
import { flatten, leafTypes, rebuild, sameTemplate, type Template, templateOf } from "./join.ts";
import {
  type CarriedPlaces,
  compare,
  enter,
  type Outdated,
  resultsOf,
  writeAfter,
} from "./loop.ts";
import { NoResult, type Reader, Signal, SilentFault } from "./reader.ts";
import { declaredResult } from "./types.ts";
import {
  fixed,
  type FunctionValue,
  isStaticNumber,
  type ReaderValue,
  undefinedValue,
} from "./values.ts";

/** A call that is being read, of a function that may call itself. */
export type Frame = Inlined | Recursion;

interface Inlined {
  readonly kind: "inlined";
  readonly callee: FunctionValue;
  readonly arguments: readonly ReaderValue[];
  readonly attempt: Attempt;
}

/** The calls of one attempt to read all depths one in the other. */
interface Attempt {
  count: number;
}

interface Recursion {
  readonly kind: "function";
  readonly callee: FunctionValue;
  /** What it is called in the graph. */
  readonly name: string;
  /** How many transforms were being read around it. */
  readonly lifts: number;
  calls: number;
  known: Known;
}

/** What has been found out about a function so far. */
interface Known {
  readonly arguments: readonly Template[];
  /** Leaves of the arguments that the function writes, by position. */
  readonly written: ReadonlySet<number>;
  /** Undefined as long as no path is known that returns. */
  readonly result: Released | undefined;
  readonly carried: CarriedPlaces;
  readonly outdated: Outdated;
  readonly captured: readonly Value[];
  /** Places from around the function that it reads. */
  readonly reads: ReadonlySet<Place<unknown>>;
}

/** Thrown where more has been learned about a function: its body is read again. */
class Again extends Signal {
  readonly recursion: Recursion;
  constructor(recursion: Recursion) {
    super("read again");
    this.recursion = recursion;
  }
}

/** Thrown where known numbers do not decide how deep a function goes. */
class Unsettled extends Signal {
  readonly attempt: Attempt;
  constructor(attempt: Attempt) {
    super("unsettled");
    this.attempt = attempt;
  }
}

const mostInlined = 64;
/** Each is read several times for each around it. */
const mostSpecialised = 6;
const mostRounds = 32;

export type ReadBody = (args: readonly ReaderValue[]) => ReaderValue;

/** Calls a function that may call itself; `read` reads its body on arguments. */
export function recursiveCall(
  reader: Reader,
  callee: FunctionValue,
  given: readonly ReaderValue[],
  node: ts.Node,
  read: ReadBody,
): ReaderValue {
  const { length } = callee.declaration.parameters;
  const args = Array.from({ length: Math.max(length, given.length) }, (_, k) =>
    k < given.length ? (given[k] as ReaderValue) : undefinedValue,
  );
  const own = reader.frames.filter((frame) => isSame(frame.callee, callee)).toReversed();
  if (own.some((frame) => hasOtherStack(argumentsOf(frame), args))) {
    return refuse(reader, callee, node, {
      reason: "with an array that has grown while the program ran: of another length each time",
      wayOut:
        "pass the whole arrays at each depth, with an offset, a stride and a count as numbers",
    });
  }
  for (const frame of own) {
    if (frame.kind !== "function") continue;
    const next = generalised(reader, frame.known.arguments, args);
    if (next === undefined) continue;
    if (
      !next.every((template, k) => sameTemplate(template, frame.known.arguments[k] as Template))
    ) {
      frame.known = { ...frame.known, arguments: next };
      throw new Again(frame);
    }
    if (frame.lifts !== reader.lifts) {
      return refuse(reader, callee, node, {
        reason: "inside of what it differentiates or maps",
        wayOut: "differentiate the whole function, from outside",
      });
    }
    frame.calls++;
    return emitCall(reader, frame, args, node);
  }
  const grows = own.some(
    (frame) =>
      frame.kind === "function" &&
      frame.known.arguments.some((template, k) => {
        const arg = args[k];
        if (arg === undefined) return false;
        const open = template.kind === "fixed" ? templateOf(reader, template.value) : template;
        return hasOtherLengths(open, templateOf(reader, arg));
      }),
  );
  if (grows || own.filter(({ kind }) => kind === "function").length >= mostSpecialised) {
    return refuse(reader, callee, node, {
      reason: "each time with another function, or with arrays of other lengths",
      wayOut:
        "pass the same functions and the whole arrays at each depth, with an offset, a stride and " +
        "a count as numbers",
    });
  }
  const around = own.find((frame) => frame.kind === "inlined");
  if (around !== undefined) {
    const { attempt } = around;
    if (++attempt.count > mostInlined || !progresses(reader, around.arguments, args)) {
      throw new Unsettled(attempt);
    }
    return inFrame(reader, { kind: "inlined", callee, arguments: args, attempt }, () =>
      read(given),
    );
  }
  const attempted = args.some(isKnown)
    ? attemptInlined(reader, callee, args, () => read(given))
    : undefined;
  return attempted ?? callFunctionOfGraph(reader, callee, args, given.length, node, read);
}

function argumentsOf(frame: Frame): readonly (ReaderValue | undefined)[] {
  if (frame.kind === "inlined") return frame.arguments;
  return frame.known.arguments.map(({ value }) => value);
}

/** True where an array that grows at run time is passed that was not passed before. */
function hasOtherStack(
  before: readonly (ReaderValue | undefined)[],
  now: readonly ReaderValue[],
): boolean {
  return now.some((value, k) => {
    if (value.kind !== "array" || value.object.state.content.form !== "stack") return false;
    const earlier = before[k];
    return earlier?.kind !== "array" || earlier.object !== value.object;
  });
}

/**
 * True where arrays of two depths have lengths that only the run tells, and not the same: no
 * number of versions of the function would be enough.
 */
function hasOtherLengths(known: Template, next: Template): boolean {
  if (known.kind === "array" && next.kind === "array") {
    return known.type.shape.some((dim, axis) => {
      const other = next.type.shape[axis];
      const open = typeof dim !== "number" && typeof other !== "number";
      return open && other !== undefined && !sameDim(dim, other);
    });
  }
  if (known.kind === "list" && next.kind === "list") {
    return known.items.some((item, k) => {
      const other = next.items[k];
      return other !== undefined && hasOtherLengths(item, other);
    });
  }
  if (known.kind === "record" && next.kind === "record") {
    const others = new Map(next.fields);
    return known.fields.some(([name, field]) => {
      const other = others.get(name);
      return other !== undefined && hasOtherLengths(field, other);
    });
  }
  return false;
}

function isSame(one: FunctionValue, other: FunctionValue): boolean {
  // A function of a module has a new, empty scope at each mention.
  const sameScope =
    one.scope === other.scope ||
    (one.scope.parent === undefined && other.scope.parent === undefined);
  return one.declaration === other.declaration && sameScope;
}

function refuse(
  reader: Reader,
  { name }: FunctionValue,
  node: ts.Node,
  why: { readonly reason: string; readonly wayOut: string },
): never {
  return reader.fail(messages.recursiveCall({ name, ...why }, reader.span(node)));
}

function inFrame<T>(reader: Reader, frame: Frame, body: () => T): T {
  reader.frames.push(frame);
  try {
    return body();
  } finally {
    reader.frames.pop();
  }
}

/** Numbers, and arrays whose lengths are known, may decide how deep a function goes. */
function isKnown(value: ReaderValue): boolean {
  if (value.kind !== "array") return isStaticNumber(value);
  const state = value.object.state.content;
  if (state.form === "dense") return typeof state.value.type.shape[0] === "number";
  return state.form === "list";
}

/** True where a known argument has changed, so that the calls may come to an end. */
function progresses(
  reader: Reader,
  before: readonly ReaderValue[],
  now: readonly ReaderValue[],
): boolean {
  const counts = now.some((value, k) => {
    const earlier = before[k];
    return (
      isStaticNumber(value) &&
      earlier !== undefined &&
      isStaticNumber(earlier) &&
      earlier.value !== value.value
    );
  });
  const templates = before.map((value) => templateOf(reader, value));
  return counts || generalised(reader, templates, now) === undefined;
}

function attemptInlined(
  reader: Reader,
  callee: FunctionValue,
  args: readonly ReaderValue[],
  read: () => ReaderValue,
): ReaderValue | undefined {
  const attempt: Attempt = { count: 0 };
  const mark = reader.builder.equations.length;
  const reported = reader.diagnostics.length;
  try {
    const { result, changes } = reader.heap.record(() =>
      inFrame(reader, { kind: "inlined", callee, arguments: args, attempt }, read),
    );
    reader.heap.apply(changes);
    return result;
  } catch (error) {
    if (!(error instanceof Unsettled) || error.attempt !== attempt) throw error;
    reader.builder.equations.length = mark;
    reader.diagnostics.length = reported;
    return undefined;
  }
}

/** Reads the body until all is known, and emits the first call. */
function callFunctionOfGraph(
  reader: Reader,
  callee: FunctionValue,
  args: readonly ReaderValue[],
  count: number,
  node: ts.Node,
  read: ReadBody,
): ReaderValue {
  const declared = declaredResult(reader, callee.declaration);
  const recursion: Recursion = {
    kind: "function",
    callee,
    name: reader.freshName(callee.name),
    lifts: reader.lifts,
    calls: 0,
    known: {
      arguments: args.map((value): Template => ({ kind: "fixed", value })),
      written: new Set(),
      result: declared && { template: declared, returnsArguments: false },
      carried: new Map(),
      outdated: new Map(),
      captured: [],
      reads: new Set(),
    },
  };
  const body = (own: readonly ReaderValue[]): ReaderValue => read(own.slice(0, count));
  for (let round = 0; round < mostRounds; round++) {
    const reported = reader.diagnostics.length;
    const outdated = recursion.known.outdated.size;
    const { known } = recursion;
    recursion.calls = 0;
    const next = readRound(reader, recursion, node, body);
    if (next !== "again" && !grown(known, next.known) && known.outdated.size === outdated) {
      // Its arguments kept it from being met again, or a fault.
      if (recursion.calls === 0) {
        if (reader.diagnostics.length > reported) throw new SilentFault("reported before");
        return read(args.slice(0, count));
      }
      recursion.known = next.known;
      reader.functions.set(recursion.name, next.fn);
      return emitCall(reader, recursion, args, node);
    }
    reader.diagnostics.length = reported;
    if (next !== "again") recursion.known = next.known;
  }
  throw new Error(`what \`${callee.name}\` takes and gives does not settle`);
}

interface Round {
  readonly known: Known;
  readonly fn: Fn;
}

function readRound(
  reader: Reader,
  recursion: Recursion,
  node: ts.Node,
  read: ReadBody,
): Round | "again" {
  const { known, callee } = recursion;
  const start = reader.heap.now();
  const outerReads = reader.heap.reads;
  const reads = new Set<Place<unknown>>();
  reader.heap.reads = reads;
  try {
    const { builder, result } = reader.heap.record(() =>
      reader.inBlock(() =>
        inFrame(reader, recursion, () => readOnce(reader, recursion, node, read)),
      ),
    ).result;
    const { parameters, results, next } = result;
    const open: Block = { parameters, equations: builder.equations, results };
    // What only its own calls pass on is not captured.
    const captured = freeValues(withoutPassedOn(open, recursion.name, known.captured.length));
    const own = captured.map(({ type, name }): Value => ({ type, name }));
    const renaming = new Map(captured.map((value, k) => [value, own[k] as Value] as const));
    const body = { ...renameBlock(open, renaming), parameters: [...parameters, ...own] };
    const { name } = recursion;
    const outside = [...reads].filter((place) => place.birth < start);
    return {
      known: { ...next, captured, reads: new Set(outside) },
      fn: { name, moves: movesOf(next), body },
    };
  } catch (error) {
    if (error instanceof Again && error.recursion === recursion) return "again";
    if (error instanceof NoResult && known.result === undefined) {
      // Its paths may have ended in faults.
      if (reader.hasErrors()) throw new SilentFault("reported before");
      return refuse(reader, callee, node, {
        reason: "on every path",
        wayOut: "return on some path before it does",
      });
    }
    throw error;
  } finally {
    reader.heap.reads = outerReads;
    for (const place of reads) outerReads?.add(place);
    // What the round has made is gone.
    reader.heap.bury(start);
  }
}

/** A body whose calls of the function itself do not mention what it captures. */
function withoutPassedOn(block: Block, name: string, count: number): Block {
  const callee = encodeCallee({ kind: "function", name });
  const equations = block.equations.map((equation) => {
    const own = equation.op === "call" && equation.parameters["callee"] === callee;
    const inputs = own ? equation.inputs.slice(0, equation.inputs.length - count) : equation.inputs;
    const regions = equation.regions.map((region) => withoutPassedOn(region, name, count));
    return { ...equation, inputs, regions };
  });
  return { ...block, equations };
}

/** Reads the body in a block of its own, with parameters for what is passed. */
function readOnce(
  reader: Reader,
  recursion: Recursion,
  node: ts.Node,
  read: ReadBody,
): {
  readonly parameters: readonly Value[];
  readonly results: readonly Value[];
  readonly next: Known;
} {
  const { known, callee } = recursion;
  const leaves = known.arguments.flatMap(leafTypes).map((type): Value => ({ type }));
  const values = leaves.values();
  const args = known.arguments.map((template, k) =>
    rebuild(reader, template, values, parameterName(callee, k)),
  );
  const carriedParameters = enter(reader, known.carried);
  for (const [place, content] of known.outdated) reader.heap.write(place, content);
  const value = read(args);
  const after = known.arguments.flatMap((template, k) =>
    flatten(reader, template, args[k] as ReaderValue, node),
  );
  const written = new Set(known.written);
  after.forEach((leaf, k) => leaf !== leaves[k] && written.add(k));
  const carried = compare(reader, known.carried, known.outdated, node) ?? known.carried;
  const result = released(reader, known.result, value, args, callee.name, node);
  const next: Known = { ...recursion.known, written, carried, result };
  const settled = recursion.known === known && !grown(known, { ...next, captured: known.captured });
  const results = settled
    ? [
        ...flatten(reader, result.template, value, node),
        ...after.filter((_, k) => written.has(k)),
        ...resultsOf(reader, carried, node),
      ]
    : [];
  return { parameters: [...leaves, ...carriedParameters], results, next };
}

function parameterName({ declaration }: FunctionValue, position: number): string {
  return declaration.parameters[position]?.name.getText() ?? `x${position}`;
}

/** True where a round has found more than was known. */
function grown(before: Known, after: Known): boolean {
  const sameResult =
    before.result !== undefined &&
    after.result !== undefined &&
    before.result.returnsArguments === after.result.returnsArguments &&
    sameTemplate(before.result.template, after.result.template);
  return !(
    sameResult &&
    before.arguments === after.arguments &&
    before.carried === after.carried &&
    before.written.size === after.written.size &&
    before.captured.length === after.captured.length &&
    before.captured.every((value, k) => value === after.captured[k])
  );
}

/** Emits a call, and what it leaves behind. */
function emitCall(
  reader: Reader,
  recursion: Recursion,
  args: readonly ReaderValue[],
  node: ts.Node,
): ReaderValue {
  const { known, callee } = recursion;
  if (known.result === undefined) throw new NoResult("not known yet");
  const { template } = known.result;
  checkNames(reader, known, args, callee.name, node);
  const inputs = [
    ...known.arguments.flatMap((part, k) =>
      flatten(reader, part, args[k] ?? fixed(undefined), node),
    ),
    ...resultsOf(reader, known.carried, node),
    ...known.captured,
  ];
  const parameters = {
    callee: encodeCallee({ kind: "function", name: recursion.name }),
    moves: movesOf(known).map((pair) => [...pair]),
  };
  const outputs = reader
    .at(node)
    .append("call", inputs, parameters, [], resultTypes(known))
    .values();
  const result = rebuild(reader, template, outputs, callee.name, newGroup());
  writeBack(reader, known, args, outputs, node);
  writeAfter(reader, known, [...outputs]);
  linkResult(known, result, args);
  return result;
}

function resultTypes({ result, arguments: own, written, carried }: Known): readonly ValueType[] {
  const leaves = own.flatMap(leafTypes);
  return [
    ...(result === undefined ? [] : leafTypes(result.template)),
    ...leaves.filter((_, k) => written.has(k)),
    ...carriedTypes(carried),
  ];
}

function carriedTypes(carried: CarriedPlaces): readonly ValueType[] {
  return [...carried.values()].flatMap((what) =>
    what.kind === "contents" ? [what.type] : leafTypes(what),
  );
}

/** The arrays that the function takes over: written arguments, and contents that it carries. */
function movesOf({ result, arguments: own, written, carried }: Known): NonNullable<Fn["moves"]> {
  const moves: [number, number][] = [];
  let to = result === undefined ? 0 : leafTypes(result.template).length;
  const leaves = own.flatMap(leafTypes);
  for (const [from, type] of leaves.entries()) {
    if (!written.has(from)) continue;
    if (type.shape.length > 0) moves.push([from, to]);
    to++;
  }
  let from = leaves.length;
  for (const what of carried.values()) {
    const count = what.kind === "contents" ? 1 : leafTypes(what).length;
    if (what.kind === "contents" && what.type.shape.length > 0 && !what.type.stack)
      moves.push([from, to]);
    from += count;
    to += count;
  }
  return moves;
}
