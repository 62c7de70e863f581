/**
 * Counting loops: `for (let i = a; i < b; i += c)` runs `ceil((b - a) / c)` times, and its counter
 * is `a + c * turn`, an exact integer.
 */

import ts from "typescript";
import type { Value } from "../../../compiler/ir/types.ts";
import type { Place } from "../heap.ts";
import { compute, integer, rangeOf, toDtype, toInteger } from "../numbers.ts";
import type { Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import { fixed, isNumber, isStaticNumber, type ReaderValue } from "../values.ts";

export interface Counter {
  readonly name: string;
  readonly start: ReaderValue;
  readonly step: number;
  readonly bound: ReaderValue;
  readonly inclusive: boolean;
  /** What the bound was computed from: the loop counts only while these stay. */
  readonly reads: ReadonlySet<Place<unknown>>;
}

const K = ts.SyntaxKind;

/** The counter of a loop that counts; undefined for all others. Writes nothing. */
export function canonical(
  reader: Reader,
  node: ts.ForStatement,
  scope: Scope,
): Counter | undefined {
  const { initializer, condition, incrementor } = node;
  if (initializer === undefined || !ts.isVariableDeclarationList(initializer)) return undefined;
  if ((initializer.flags & ts.NodeFlags.Let) === 0) return undefined;
  const [declaration, ...more] = initializer.declarations;
  if (declaration === undefined || more.length > 0) return undefined;
  if (!ts.isIdentifier(declaration.name) || declaration.initializer === undefined) return undefined;
  const name = declaration.name.text;
  const step = incrementor === undefined ? undefined : stepOf(incrementor, name);
  if (step === undefined || step === 0 || condition === undefined) return undefined;
  const test = testOf(condition, name, step);
  if (test === undefined || mentions(test.bound, name) || hasEffects(test.bound)) return undefined;
  if (hasEffects(declaration.initializer)) return undefined;
  const start = reader.evaluate(declaration.initializer, scope);
  if (rangeOf(start) === undefined) return undefined;
  const outerReads = reader.heap.reads;
  const reads = new Set<Place<unknown>>();
  reader.heap.reads = reads;
  try {
    const bound = reader.evaluate(test.bound, scope);
    if (!isNumber(bound)) return undefined;
    return { name, start, step, bound, inclusive: test.inclusive, reads };
  } finally {
    reader.heap.reads = outerReads;
    for (const place of reads) outerReads?.add(place);
  }
}

/** The number of turns, where it is known; else an i32, none where it is not above zero. */
export function tripCount(reader: Reader, counter: Counter, node: ts.Node): number | Value {
  const { start, bound, step, inclusive } = counter;
  const [from, to] = step > 0 ? [start, bound] : [bound, start];
  const size = Math.abs(step);
  const fromZero = isStaticNumber(from) && from.value === 0;
  const distance = fromZero ? to : compute(reader, "sub", to, from, node);
  if (isStaticNumber(distance)) {
    const turns = inclusive
      ? Math.floor(distance.value / size) + 1
      : Math.ceil(distance.value / size);
    return turns > 0 ? turns : 0;
  }
  const range = rangeOf(distance);
  if (range !== undefined) {
    const rounded = compute(reader, "add", distance, fixed(inclusive ? size : size - 1), node);
    if (rangeOf(rounded) !== undefined) {
      const whole = toInteger(reader, rounded, node);
      if (size === 1) return whole;
      const builder = reader.at(node);
      return builder.binary("div", whole, builder.constant(size, "i32"));
    }
  }
  const builder = reader.at(node);
  const length = toDtype(reader, distance, "f64", node);
  const turns = size === 1 ? length : builder.div(length, builder.constant(size));
  const whole = inclusive
    ? builder.add(builder.unary("floor", turns), builder.constant(1))
    : builder.unary("ceil", turns);
  return builder.cast(whole, "i32");
}

/** The counter in a turn. */
export function turnValue(
  reader: Reader,
  counter: Counter,
  turn: Value,
  node: ts.Node,
): ReaderValue {
  const { start, bound, step } = counter;
  const [a, b] = [rangeOf(start), rangeOf(bound)];
  const largest = 2 ** 31 - 1;
  const builder = reader.at(node);
  const scaled = step === 1 ? turn : builder.mul(turn, builder.constant(step, "i32"));
  const isZero = isStaticNumber(start) && start.value === 0;
  const value = isZero ? scaled : builder.add(toInteger(reader, start, node), scaled);
  if (step > 0) {
    const high = b === undefined ? largest - step : b.high - (counter.inclusive ? 0 : 1);
    return integer(value, a?.low, Math.max(high, a?.low ?? high));
  }
  const low = b === undefined ? -largest - step : b.low + (counter.inclusive ? 0 : 1);
  return integer(value, Math.min(low, a?.high ?? low), a?.high);
}

function stepOf(node: ts.Expression, name: string): number | undefined {
  if (ts.isPostfixUnaryExpression(node) || ts.isPrefixUnaryExpression(node)) {
    if (!isName(node.operand, name)) return undefined;
    if (node.operator === K.PlusPlusToken) return 1;
    return node.operator === K.MinusMinusToken ? -1 : undefined;
  }
  if (!ts.isBinaryExpression(node) || !isName(node.left, name)) return undefined;
  const operator = node.operatorToken.kind;
  if (operator === K.PlusEqualsToken) return wholeLiteral(node.right);
  if (operator === K.MinusEqualsToken) {
    const step = wholeLiteral(node.right);
    return step === undefined ? undefined : -step;
  }
  if (operator !== K.EqualsToken || !ts.isBinaryExpression(node.right)) return undefined;
  const { left, right, operatorToken } = node.right;
  if (!isName(left, name)) return undefined;
  const step = wholeLiteral(right);
  if (step === undefined) return undefined;
  if (operatorToken.kind === K.PlusToken) return step;
  return operatorToken.kind === K.MinusToken ? -step : undefined;
}

function testOf(
  node: ts.Expression,
  name: string,
  step: number,
): { readonly bound: ts.Expression; readonly inclusive: boolean } | undefined {
  if (!ts.isBinaryExpression(node)) return undefined;
  const mirrored: Readonly<Record<number, ts.SyntaxKind>> = {
    [K.LessThanToken]: K.GreaterThanToken,
    [K.LessThanEqualsToken]: K.GreaterThanEqualsToken,
    [K.GreaterThanToken]: K.LessThanToken,
    [K.GreaterThanEqualsToken]: K.LessThanEqualsToken,
  };
  const straight = isName(node.left, name);
  if (!straight && !isName(node.right, name)) return undefined;
  const kind = node.operatorToken.kind;
  const operator = straight ? kind : mirrored[kind];
  const bound = straight ? node.right : node.left;
  const [strict, orEqual] =
    step > 0
      ? [K.LessThanToken, K.LessThanEqualsToken]
      : [K.GreaterThanToken, K.GreaterThanEqualsToken];
  if (operator === strict) return { bound, inclusive: false };
  return operator === orEqual ? { bound, inclusive: true } : undefined;
}

function isName(node: ts.Node, name: string): boolean {
  return ts.isIdentifier(node) && node.text === name;
}

function wholeLiteral(node: ts.Expression): number | undefined {
  if (!ts.isNumericLiteral(node)) return undefined;
  const value = Number(node.text);
  return Number.isInteger(value) && value < 2 ** 20 ? value : undefined;
}

function mentions(node: ts.Node, name: string): boolean {
  return isName(node, name) || ts.forEachChild(node, (child) => mentions(child, name)) === true;
}

function hasEffects(node: ts.Node): boolean {
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    if (kind >= K.FirstAssignment && kind <= K.LastAssignment) return true;
  }
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    if (node.operator === K.PlusPlusToken || node.operator === K.MinusMinusToken) return true;
  }
  return ts.forEachChild(node, hasEffects) === true;
}
