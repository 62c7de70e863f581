/**
 * Methods of arrays that look for an element. A test that writes nothing is asked of every element,
 * in a loop of known length; one that writes is asked until the answer is known, as in JavaScript.
 */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Value } from "../../../compiler/ir/types.ts";
import { branch, plain } from "../branch.ts";
import { invoke } from "../expressions/calls.ts";
import { elementOf } from "../expressions/access.ts";
import { identical } from "../join.ts";
import { conditionalLoop, countedLoop } from "../loop.ts";
import {
  compareNumbers,
  compute,
  integer,
  rangeOf,
  toDtype,
  toInteger,
  truth,
} from "../numbers.ts";
import { itemsOf, lengthOf } from "../objects.ts";
import { normal, type Reader } from "../reader.ts";
import {
  type ArrayReference,
  describe,
  fixed,
  isBoolean,
  isNumber,
  isStaticNumber,
  type NativeCall,
  type ReaderValue,
  scalar,
  undefinedValue,
} from "../values.ts";
import { limits } from "./limits.ts";

/** A truth: known, or a bool. */
type Truth = boolean | Value;
type Test = (item: ReaderValue, index: ReaderValue) => Truth;

/** `each` of every element, in order. */
function eachElement(
  reader: Reader,
  array: ArrayReference,
  node: ts.Node,
  each: (item: ReaderValue, index: ReaderValue) => void,
): void {
  const visit = (index: ReaderValue): void => each(elementOf(reader, array, index, node), index);
  const items = itemsOf(reader, array, node);
  if (items !== undefined) {
    for (const k of items.keys()) visit(fixed(k));
    return;
  }
  const length = lengthOf(reader, array, node);
  const high = (rangeOf(length)?.high ?? 2 ** 31 - 1) - 1;
  countedLoop(reader, {
    node,
    guess: [],
    breakTarget: reader.newTarget(),
    continueTarget: reader.newTarget(),
    count: toInteger(reader, length, node),
    body: (turn) => {
      visit(integer(turn, 0, Math.max(0, high)));
      return normal;
    },
  });
}

/** The function that a method is given, of every element. */
export function overElements(
  reader: Reader,
  array: ArrayReference,
  call: NativeCall,
  use: (value: ReaderValue, index: ReaderValue) => void,
): void {
  const each = functionOf(reader, call);
  eachElement(reader, array, call.node, (item, index) => use(each(item, index, array), index));
}

function functionOf(
  reader: Reader,
  call: NativeCall,
): (item: ReaderValue, index: ReaderValue, array: ArrayReference) => ReaderValue {
  const [each] = call.arguments;
  if (each === undefined) return notAFunction(reader, call.node);
  return (...args) => invoke(reader, each, { ...call, arguments: args });
}

export function notAFunction(reader: Reader, node: ts.Node): never {
  return reader.fail(messages.notCallable({ what: "the argument" }, reader.span(node)));
}

export function some(reader: Reader, array: ArrayReference, call: NativeCall): ReaderValue {
  const test = testOf(reader, array, call);
  if (!writes(reader, array, call, test)) return anyOf(reader, array, call.node, test);
  return isFound(reader, firstHit(reader, array, call.node, test), call.node);
}

export function every(reader: Reader, array: ArrayReference, call: NativeCall): ReaderValue {
  const { node } = call;
  const test = testOf(reader, array, call);
  const fails: Test = (item, index) => negated(reader, test(item, index), node);
  const found = writes(reader, array, call, test)
    ? isFound(reader, firstHit(reader, array, node, fails), node)
    : anyOf(reader, array, node, fails);
  return truthValue(negated(reader, truth(reader, found, node), node));
}

/** `findIndex` and `findLastIndex`. */
export function indexWhere(
  reader: Reader,
  array: ArrayReference,
  call: NativeCall,
  which: "first" | "last",
): ReaderValue {
  const test = testOf(reader, array, call);
  if (!writes(reader, array, call, test)) return indexOfAny(reader, array, call.node, which, test);
  if (which === "first") return firstHit(reader, array, call.node, test);
  const what = { what: "`findLastIndex` with a test that writes", wayOut: "loop with a counter" };
  return reader.fail(messages.notYetSupported(what, reader.span(call.node)));
}

/** `indexOf` and `lastIndexOf`: by `===`, so that NaN is nowhere. */
export function indexOf(
  reader: Reader,
  array: ArrayReference,
  call: NativeCall,
  which: "first" | "last",
): ReaderValue {
  const { node } = call;
  const [wanted = undefinedValue, from] = call.arguments;
  if (from === undefined) {
    return indexOfAny(reader, array, node, which, (item) => same(reader, item, wanted, call));
  }
  if (which === "last") {
    const what = { what: "`lastIndexOf` with a start", wayOut: "take a `slice` up to there" };
    return reader.fail(messages.notYetSupported(what, reader.span(node)));
  }
  const inRange = after(reader, array, from, node);
  return indexOfAny(reader, array, node, which, (item, k) =>
    both(reader, inRange(k), same(reader, item, wanted, call), node),
  );
}

/** `includes`: as `indexOf`, and NaN is NaN. */
export function includes(reader: Reader, array: ArrayReference, call: NativeCall): ReaderValue {
  const { node } = call;
  const [wanted = undefinedValue, from] = call.arguments;
  const inRange = from === undefined ? () => true : after(reader, array, from, node);
  return anyOf(reader, array, node, (item, k) => {
    const equal = same(reader, item, wanted, call);
    const bothNaN = both(reader, isNaN(reader, item, node), isNaN(reader, wanted, node), node);
    return both(reader, inRange(k), either(reader, equal, bothNaN, node), node);
  });
}

function after(
  reader: Reader,
  array: ArrayReference,
  from: ReaderValue,
  node: ts.Node,
): (index: ReaderValue) => Truth {
  const [start] = limits(reader, lengthOf(reader, array, node), from, undefined, node);
  return (index) => truth(reader, compareNumbers(reader, "ge", index, start, node), node);
}

/** `===` of numbers, truths and what is known; objects are not compared. */
function same(reader: Reader, a: ReaderValue, b: ReaderValue, call: NativeCall): Truth {
  const { node } = call;
  if (isNumber(a) && isNumber(b)) {
    if ([a, b].some((side) => isStaticNumber(side) && Number.isNaN(side.value))) return false;
    return truth(reader, compareNumbers(reader, "eq", a, b, node), node);
  }
  if (isBoolean(a) && isBoolean(b)) {
    if (a.kind === "static" && b.kind === "static") return a.value === b.value;
    const [x, y] = [toDtype(reader, a, "bool", node), toDtype(reader, b, "bool", node)];
    return reader.at(node).binary("eq", x, y);
  }
  const isPlain = (value: ReaderValue): boolean =>
    isNumber(value) || isBoolean(value) || value.kind === "static";
  if (isPlain(a) && isPlain(b)) return identical(a, b);
  const method = ts.isCallExpression(node) ? node.expression.getText() : "the method";
  const what = `\`${method}\` of ${describe(isPlain(b) ? a : b)}`;
  const wayOut = "compare what is in it, with `findIndex`";
  return reader.fail(messages.notYetSupported({ what, wayOut }, reader.span(node)));
}

function isNaN(reader: Reader, value: ReaderValue, node: ts.Node): Truth {
  if (value.kind !== "scalar" || isBoolean(value)) {
    return isStaticNumber(value) && Number.isNaN(value.value);
  }
  return reader.at(node).binary("ne", value.value, value.value);
}

// Truths

function truthValue(known: Truth): ReaderValue {
  return typeof known === "boolean" ? fixed(known) : scalar(known);
}

function both(reader: Reader, a: Truth, b: Truth, node: ts.Node): Truth {
  if (typeof a === "boolean") return a && b;
  return typeof b === "boolean" ? b && a : reader.at(node).binary("and", a, b);
}

function either(reader: Reader, a: Truth, b: Truth, node: ts.Node): Truth {
  if (typeof a === "boolean") return a || b;
  return typeof b === "boolean" ? b || a : reader.at(node).binary("or", a, b);
}

function negated(reader: Reader, a: Truth, node: ts.Node): Truth {
  return typeof a === "boolean" ? !a : reader.at(node).unary("not", a);
}

// Searches

function testOf(reader: Reader, array: ArrayReference, call: NativeCall): Test {
  const each = functionOf(reader, call);
  return (item, index) => truth(reader, each(item, index, array), call.node);
}

/** True where a test changes what was there before. It is read, and forgotten. */
function writes(reader: Reader, array: ArrayReference, { node }: NativeCall, test: Test): boolean {
  const { changes } = reader.heap.record(() =>
    reader.inBlock(() => eachElement(reader, array, node, (item, k) => void test(item, k))),
  );
  return changes.size > 0;
}

/** Whether a test that writes nothing holds of some element. */
function anyOf(reader: Reader, array: ArrayReference, node: ts.Node, test: Test): ReaderValue {
  const answer = reader.heap.place<ReaderValue>(fixed(false), "the answer");
  eachElement(reader, array, node, (item, k) => {
    const before = truth(reader, reader.heap.read(answer), node);
    reader.heap.write(answer, truthValue(either(reader, before, test(item, k), node)));
  });
  return reader.heap.read(answer);
}

/** The index of the first or the last element of which such a test holds, or -1. */
function indexOfAny(
  reader: Reader,
  array: ArrayReference,
  node: ts.Node,
  which: "first" | "last",
  test: Test,
): ReaderValue {
  const found = reader.heap.place<ReaderValue>(fixed(-1), "the index");
  eachElement(reader, array, node, (item, k) => {
    const before = reader.heap.read(found);
    const isOpen =
      which === "last" || truth(reader, compareNumbers(reader, "lt", before, fixed(0), node), node);
    const hit = both(reader, isOpen, test(item, k), node);
    reader.heap.write(found, choose(reader, hit, k, before, node));
  });
  return reader.heap.read(found);
}

function choose(
  reader: Reader,
  condition: Truth,
  then: ReaderValue,
  otherwise: ReaderValue,
  node: ts.Node,
): ReaderValue {
  if (typeof condition === "boolean") return condition ? then : otherwise;
  const { value } = branch(
    reader,
    condition,
    () => plain(then),
    () => plain(otherwise),
    node,
  );
  return value ?? otherwise;
}

/** The first index at which a test holds, or -1; what comes after is not tested. */
function firstHit(reader: Reader, array: ArrayReference, node: ts.Node, test: Test): ReaderValue {
  const items = itemsOf(reader, array, node);
  if (items !== undefined) return firstOfList(reader, array, items.length, 0, node, test);
  const index = reader.heap.place<ReaderValue>(fixed(0), "the index");
  const found = reader.heap.place<ReaderValue>(fixed(false), "the answer");
  conditionalLoop(reader, {
    node,
    guess: [index, found],
    breakTarget: reader.newTarget(),
    continueTarget: reader.newTarget(),
    condition: () => {
      const open = negated(reader, truth(reader, reader.heap.read(found), node), node);
      const length = lengthOf(reader, array, node);
      const inside = compareNumbers(reader, "lt", reader.heap.read(index), length, node);
      return both(reader, open, truth(reader, inside, node), node);
    },
    body: () => {
      const k = reader.heap.read(index);
      const hit = test(elementOf(reader, array, k, node), k);
      const next = compute(reader, "add", k, fixed(1), node);
      reader.heap.write(found, truthValue(hit));
      reader.heap.write(index, choose(reader, hit, k, next, node));
      return normal;
    },
  });
  const answer = truth(reader, reader.heap.read(found), node);
  return choose(reader, answer, reader.heap.read(index), fixed(-1), node);
}

function firstOfList(
  reader: Reader,
  array: ArrayReference,
  length: number,
  k: number,
  node: ts.Node,
  test: Test,
): ReaderValue {
  if (k === length) return fixed(-1);
  const rest = (): ReaderValue => firstOfList(reader, array, length, k + 1, node, test);
  const hit = test(elementOf(reader, array, fixed(k), node), fixed(k));
  if (typeof hit === "boolean") return hit ? fixed(k) : rest();
  const { value } = branch(
    reader,
    hit,
    () => plain(fixed(k)),
    () => plain(rest()),
    node,
  );
  return value ?? fixed(-1);
}

function isFound(reader: Reader, index: ReaderValue, node: ts.Node): ReaderValue {
  return compareNumbers(reader, "ge", index, fixed(0), node);
}
