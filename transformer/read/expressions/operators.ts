/** Operators: arithmetic, comparison, logic, bits, assignment. */

import ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import type { Value } from "../../../compiler/ir/types.ts";
import { branch, plain } from "../branch.ts";
import { identical } from "../join.ts";
import {
  type Comparison,
  compareNumbers,
  compute,
  integer,
  negate,
  rangeOf,
  toDtype,
  toInt32,
  truth,
} from "../numbers.ts";
import type { Reader } from "../reader.ts";
import type { Scope } from "../scope.ts";
import {
  describe,
  fixed,
  isBoolean,
  isNumber,
  type ReaderValue,
  scalar,
  undefinedValue,
} from "../values.ts";
import { popItem } from "../stacks.ts";
import { assign, type Target, targetOf } from "./assign.ts";

const K = ts.SyntaxKind;

type Arithmetic = Parameters<typeof compute>[1];
type Bits = "bit_and" | "bit_or" | "bit_xor" | "shift_left" | "shift_right" | "unsigned_shift";

const arithmeticOperators: Readonly<Record<number, Arithmetic>> = {
  [K.PlusToken]: "add",
  [K.MinusToken]: "sub",
  [K.AsteriskToken]: "mul",
  [K.SlashToken]: "div",
  [K.PercentToken]: "rem",
  [K.AsteriskAsteriskToken]: "pow",
};

const bitOperators: Readonly<Record<number, Bits>> = {
  [K.AmpersandToken]: "bit_and",
  [K.BarToken]: "bit_or",
  [K.CaretToken]: "bit_xor",
  [K.LessThanLessThanToken]: "shift_left",
  [K.GreaterThanGreaterThanToken]: "shift_right",
  [K.GreaterThanGreaterThanGreaterThanToken]: "unsigned_shift",
};

const comparisonOperators: Readonly<Record<number, Comparison>> = {
  [K.LessThanToken]: "lt",
  [K.LessThanEqualsToken]: "le",
  [K.GreaterThanToken]: "gt",
  [K.GreaterThanEqualsToken]: "ge",
  [K.EqualsEqualsEqualsToken]: "eq",
  [K.ExclamationEqualsEqualsToken]: "ne",
  [K.EqualsEqualsToken]: "eq",
  [K.ExclamationEqualsToken]: "ne",
};

/** What `a op= b` applies. */
const compoundOperators: Readonly<Record<number, ts.SyntaxKind>> = {
  [K.PlusEqualsToken]: K.PlusToken,
  [K.MinusEqualsToken]: K.MinusToken,
  [K.AsteriskEqualsToken]: K.AsteriskToken,
  [K.SlashEqualsToken]: K.SlashToken,
  [K.PercentEqualsToken]: K.PercentToken,
  [K.AsteriskAsteriskEqualsToken]: K.AsteriskAsteriskToken,
  [K.AmpersandEqualsToken]: K.AmpersandToken,
  [K.BarEqualsToken]: K.BarToken,
  [K.CaretEqualsToken]: K.CaretToken,
  [K.LessThanLessThanEqualsToken]: K.LessThanLessThanToken,
  [K.GreaterThanGreaterThanEqualsToken]: K.GreaterThanGreaterThanToken,
  [K.GreaterThanGreaterThanGreaterThanEqualsToken]: K.GreaterThanGreaterThanGreaterThanToken,
};

const logicalAssignments: Readonly<Record<number, ts.SyntaxKind>> = {
  [K.AmpersandAmpersandEqualsToken]: K.AmpersandAmpersandToken,
  [K.BarBarEqualsToken]: K.BarBarToken,
  [K.QuestionQuestionEqualsToken]: K.QuestionQuestionToken,
};

export function binary(reader: Reader, node: ts.BinaryExpression, scope: Scope): ReaderValue {
  const operator = node.operatorToken.kind;
  if (operator === K.EqualsToken) {
    const isPattern =
      ts.isArrayLiteralExpression(node.left) || ts.isObjectLiteralExpression(node.left);
    if (!isPattern) {
      const target = targetOf(reader, node.left, scope);
      return replace(target, reader.evaluate(node.right, scope));
    }
    const value = reader.evaluate(node.right, scope);
    assign(reader, node.left, value, scope);
    return value;
  }
  if (operator === K.CommaToken) {
    reader.evaluate(node.left, scope);
    return reader.evaluate(node.right, scope);
  }
  const compound = compoundOperators[operator];
  if (compound !== undefined) {
    const target = targetOf(reader, node.left, scope);
    const right = reader.evaluate(node.right, scope);
    return replace(target, apply(reader, compound, target.read(), right, node));
  }
  const logical = logicalAssignments[operator];
  if (logical !== undefined) {
    const target = targetOf(reader, node.left, scope);
    return shortCircuit(reader, logical, target.read(), node, () =>
      replace(target, reader.evaluate(node.right, scope)),
    );
  }
  if (operator === K.QuestionQuestionToken && isPop(node.left)) {
    return poppedOr(reader, node.left, node.right, scope);
  }
  const left = reader.evaluate(node.left, scope);
  if (isLogical(operator)) {
    return shortCircuit(reader, operator, left, node, () => reader.evaluate(node.right, scope));
  }
  if (operator === K.InKeyword) return hasField(reader, left, node, scope);
  return apply(reader, operator, left, reader.evaluate(node.right, scope), node);
}

type Pop = ts.CallExpression & { readonly expression: ts.PropertyAccessExpression };

function isPop(node: ts.Node): node is Pop {
  return (
    ts.isCallExpression(node) &&
    node.arguments.length === 0 &&
    ts.isPropertyAccessExpression(node.expression) &&
    node.expression.name.text === "pop"
  );
}

/** `stack.pop() ?? 0`: what is popped may be 0, or zeros, where there is nothing to pop. */
function poppedOr(reader: Reader, node: Pop, otherwise: ts.Expression, scope: Scope): ReaderValue {
  const array = reader.evaluate(node.expression.expression, scope);
  if (array.kind !== "array") return wrong(reader, "??", array, node);
  const known = reader.heap.read(array.object.state).form === "list";
  if (!known && !isZero(otherwise)) {
    const operand = "an element of a stack, unless 0 stands for those that are missing";
    return reader.fail(messages.wrongOperand({ operator: "??", operand }, reader.span(node)));
  }
  const popped = popItem(reader, array, node, !known);
  return isNullish(popped) ? reader.evaluate(otherwise, scope) : popped;
}

/** True of 0, and of new arrays and tensors without other numbers. */
function isZero(node: ts.Expression): boolean {
  if (ts.isNumericLiteral(node)) return Number(node.text) === 0;
  if (ts.isNewExpression(node)) return node.arguments?.length === 1;
  if (!ts.isCallExpression(node)) return false;
  return ts.isIdentifier(node.expression) && node.expression.text === "zeros";
}

/** `"name" in record`. */
function hasField(
  reader: Reader,
  name: ReaderValue,
  node: ts.BinaryExpression,
  scope: Scope,
): ReaderValue {
  const record = reader.evaluate(node.right, scope);
  if (record.kind !== "record" || name.kind !== "static") {
    return wrong(reader, "in", record, node);
  }
  return fixed(reader.heap.read(record.object.fields).has(String(name.value)));
}

export function isLogical(operator: ts.SyntaxKind): boolean {
  return (
    operator === K.AmpersandAmpersandToken ||
    operator === K.BarBarToken ||
    operator === K.QuestionQuestionToken
  );
}

function replace(target: Target, value: ReaderValue): ReaderValue {
  target.write(value);
  return value;
}

/** A binary operator on two values. */
export function apply(
  reader: Reader,
  operator: ts.SyntaxKind,
  left: ReaderValue,
  right: ReaderValue,
  node: ts.Node,
): ReaderValue {
  const comparison = comparisonOperators[operator];
  if (comparison === "eq" || comparison === "ne") {
    return equality(reader, comparison, left, right, operator, node);
  }
  if (operator === K.PlusToken && left.kind === "static" && right.kind === "static") {
    if (typeof left.value === "string" || typeof right.value === "string") {
      return fixed(`${String(left.value)}${String(right.value)}`);
    }
  }
  for (const side of [left, right]) {
    const bool = isBoolean(side) && bitOperators[operator] !== undefined;
    if (!isNumber(side) && !bool)
      return wrong(reader, ts.tokenToString(operator) ?? "", side, node);
  }
  const arithmetic = arithmeticOperators[operator];
  if (arithmetic !== undefined) return compute(reader, arithmetic, left, right, node);
  if (comparison !== undefined) return compareNumbers(reader, comparison, left, right, node);
  const bits = bitOperators[operator];
  if (bits !== undefined) return bitOperation(reader, bits, left, right, node);
  return wrong(reader, ts.tokenToString(operator) ?? "", left, node);
}

/** `===`; `==` and `!=` mean the same on numbers, and on `null` and `undefined` what they say. */
function equality(
  reader: Reader,
  op: "eq" | "ne",
  left: ReaderValue,
  right: ReaderValue,
  operator: ts.SyntaxKind,
  node: ts.Node,
): ReaderValue {
  const answer = (same: boolean): ReaderValue => fixed(same === (op === "eq"));
  if (isNumber(left) && isNumber(right)) return compareNumbers(reader, op, left, right, node);
  if (isBoolean(left) && isBoolean(right)) {
    if (left.kind === "static" && right.kind === "static")
      return answer(left.value === right.value);
    const [x, y] = [left, right].map((side) => toDtype(reader, side, "bool", node));
    return scalar(reader.at(node).binary(op, x as Value, y as Value));
  }
  const loose = operator === K.EqualsEqualsToken || operator === K.ExclamationEqualsToken;
  if (loose && isNullish(left) && isNullish(right)) return answer(true);
  return answer(identical(left, right));
}

function bitOperation(
  reader: Reader,
  op: Bits,
  left: ReaderValue,
  right: ReaderValue,
  node: ts.Node,
): ReaderValue {
  if (left.kind === "static" && right.kind === "static") {
    return fixed(bitsOfKnown(op, Number(left.value), Number(right.value)));
  }
  const x = toInt32(reader, left, node);
  const y = toInt32(reader, right, node);
  const builder = reader.at(node);
  if (op === "unsigned_shift") {
    const shifted = builder.binary(
      "shift_right",
      builder.cast(x, "u32"),
      builder.cast(builder.binary("bit_and", y, builder.constant(31, "i32")), "u32"),
    );
    return scalar(builder.cast(shifted, "f64"));
  }
  const [low, high] = rangeOfBits(op, left, right);
  return integer(builder.binary(op, x, y), low, high);
}

function bitsOfKnown(op: Bits, x: number, y: number): number {
  switch (op) {
    case "bit_and":
      return x & y;
    case "bit_or":
      return x | y;
    case "bit_xor":
      return x ^ y;
    case "shift_left":
      return x << y;
    case "shift_right":
      return x >> y;
    case "unsigned_shift":
      return x >>> y;
  }
}

/** Masks and shifts of what is not negative have a range that indices can use. */
function rangeOfBits(
  op: Bits,
  left: ReaderValue,
  right: ReaderValue,
): readonly [number | undefined, number | undefined] {
  const [x, y] = [rangeOf(left), rangeOf(right)];
  if (op === "bit_and") {
    const masks = [x, y].flatMap((range) =>
      range !== undefined && range.low >= 0 ? [range.high] : [],
    );
    if (masks.length > 0) return [0, Math.min(...masks)];
  }
  if (op === "shift_right" && x !== undefined) {
    const by = y !== undefined && y.low === y.high ? y.low & 31 : 0;
    return [x.low < 0 ? x.low : 0, Math.max(0, x.high >> by)];
  }
  return [undefined, undefined];
}

/** `a && b`, `a || b`, `a ?? b`. The right side is read only where it may run. */
export function shortCircuit(
  reader: Reader,
  operator: ts.SyntaxKind,
  left: ReaderValue,
  node: ts.Node,
  right: () => ReaderValue,
): ReaderValue {
  if (operator === K.QuestionQuestionToken) return isNullish(left) ? right() : left;
  const condition = truth(reader, left, node);
  const stops = operator === K.BarBarToken;
  if (typeof condition === "boolean") return condition === stops ? left : right();
  const path = stops
    ? branch(
        reader,
        condition,
        () => plain(settled(left, true)),
        () => plain(right()),
        node,
      )
    : branch(
        reader,
        condition,
        () => plain(right()),
        () => plain(settled(left, false)),
        node,
      );
  return path.value ?? undefinedValue;
}

/** A boolean where its value is known from the path. */
function settled(value: ReaderValue, known: boolean): ReaderValue {
  return isBoolean(value) ? fixed(known) : value;
}

export function conditional(
  reader: Reader,
  node: ts.ConditionalExpression,
  scope: Scope,
): ReaderValue {
  const condition = truth(reader, reader.evaluate(node.condition, scope), node.condition);
  if (typeof condition === "boolean") {
    return reader.evaluate(condition ? node.whenTrue : node.whenFalse, scope);
  }
  const path = branch(
    reader,
    condition,
    () => plain(reader.evaluate(node.whenTrue, scope)),
    () => plain(reader.evaluate(node.whenFalse, scope)),
    node,
  );
  return path.value ?? undefinedValue;
}

export function prefix(reader: Reader, node: ts.PrefixUnaryExpression, scope: Scope): ReaderValue {
  if (node.operator === K.PlusPlusToken || node.operator === K.MinusMinusToken) {
    return step(reader, node, scope).after;
  }
  const value = reader.evaluate(node.operand, scope);
  if (node.operator === K.ExclamationToken) {
    const condition = truth(reader, value, node);
    if (typeof condition === "boolean") return fixed(!condition);
    return scalar(reader.at(node).unary("not", condition));
  }
  if (!isNumber(value)) return wrong(reader, ts.tokenToString(node.operator) ?? "", value, node);
  switch (node.operator) {
    case K.MinusToken:
      return negate(reader, value, node);
    case K.PlusToken:
      return value;
    case K.TildeToken:
      if (value.kind === "static") return fixed(~Number(value.value));
      return integer(reader.at(node).unary("bit_not", toInt32(reader, value, node)));
  }
}

export function postfix(
  reader: Reader,
  node: ts.PostfixUnaryExpression,
  scope: Scope,
): ReaderValue {
  return step(reader, node, scope).before;
}

/** `++` and `--`. */
function step(
  reader: Reader,
  node: ts.PrefixUnaryExpression | ts.PostfixUnaryExpression,
  scope: Scope,
): { readonly before: ReaderValue; readonly after: ReaderValue } {
  const target = targetOf(reader, node.operand, scope);
  const before = target.read();
  const operator = node.operator === K.PlusPlusToken ? K.PlusToken : K.MinusToken;
  const after = apply(reader, operator, before, fixed(1), node);
  target.write(after);
  return { before, after };
}

export function typeOfExpression(
  reader: Reader,
  node: ts.TypeOfExpression,
  scope: Scope,
): ReaderValue {
  const value = reader.evaluate(node.expression, scope);
  if (value.kind === "static") return fixed(typeof value.value);
  if (isNumber(value)) return fixed("number");
  if (isBoolean(value)) return fixed("boolean");
  return fixed(value.kind === "function" ? "function" : "object");
}

export function voidExpression(reader: Reader, node: ts.VoidExpression, scope: Scope): ReaderValue {
  reader.evaluate(node.expression, scope);
  return undefinedValue;
}

export function isNullish(value: ReaderValue): boolean {
  return value.kind === "static" && (value.value === undefined || value.value === null);
}

function wrong(reader: Reader, operator: string, value: ReaderValue, node: ts.Node): never {
  return reader.fail(
    messages.wrongOperand({ operator, operand: describe(value) }, reader.span(node)),
  );
}
