/** `Math` and the number functions around it. */

import type ts from "typescript";
import * as messages from "../../../compiler/diagnostics/messages.ts";
import { isFloat } from "../../../compiler/ir/types.ts";
import { branch, plain } from "../branch.ts";
import {
  compareNumbers,
  compute,
  integer,
  isStaticInteger,
  meetingDtype,
  rangeOf,
  toDtype,
  toInt32,
  toInteger,
} from "../numbers.ts";
import { reduceElements } from "./arrays.ts";
import type { Reader } from "../reader.ts";
import {
  describe,
  fixed,
  isBoolean,
  isNumber,
  type NativeCall,
  type NativeValue,
  type ReaderValue,
  scalar,
} from "../values.ts";

type MathFunction = (reader: Reader, args: readonly ReaderValue[], node: ts.Node) => ReaderValue;

/** One op on one float. */
const unaryOps: Readonly<Record<string, string>> = {
  acos: "acos",
  acosh: "acosh",
  asin: "asin",
  asinh: "asinh",
  atan: "atan",
  atanh: "atanh",
  cbrt: "cbrt",
  cos: "cos",
  cosh: "cosh",
  exp: "exp",
  expm1: "expm1",
  log: "log",
  log10: "log10",
  log1p: "log1p",
  log2: "log2",
  sin: "sin",
  sinh: "sinh",
  sqrt: "sqrt",
  tan: "tan",
  tanh: "tanh",
};

/** Of an integer, the integer itself. */
const roundings: Readonly<Record<string, string>> = {
  ceil: "ceil",
  floor: "floor",
  round: "round",
  trunc: "trunc",
};

const others: Readonly<Record<string, MathFunction>> = {
  abs: absolute,
  atan2: (reader, [y, x], node) => binary(reader, "atan2", y, x, node),
  clz32: leadingZeros,
  fround: (reader, [x], node) => {
    const single = toDtype(reader, required(reader, x, node), "f32", node);
    return scalar(reader.at(node).cast(single, "f64"));
  },
  f16round: (reader, [x], node) => {
    const half = toDtype(reader, required(reader, x, node), "f16", node);
    return scalar(reader.at(node).cast(half, "f64"));
  },
  hypot: (reader, args, node) => {
    const [first, ...rest] = args;
    if (first === undefined) return fixed(0);
    if (rest.length === 0) return absolute(reader, [first], node);
    return rest.reduce((sum, x) => binary(reader, "hypot", sum, x, node), first);
  },
  imul: (reader, [x, y], node) => {
    const left = toInt32(reader, required(reader, x, node), node);
    const right = toInt32(reader, required(reader, y, node), node);
    return integer(reader.at(node).mul(left, right));
  },
  max: (reader, args, node) => extreme(reader, "max", args, node),
  min: (reader, args, node) => extreme(reader, "min", args, node),
  pow: (reader, [x, y], node) => {
    const [base, exponent] = [required(reader, x, node), required(reader, y, node)];
    return compute(reader, "pow", base, exponent, node);
  },
  sign: (reader, [x], node) => {
    const value = required(reader, x, node);
    const dtype = value.kind === "scalar" ? value.value.type.dtype : "f64";
    return scalar(reader.at(node).unary("sign", toDtype(reader, value, dtype, node)));
  },
};

export const mathObject: NativeValue = {
  kind: "native",
  name: "Math",
  property(reader, name, node) {
    const constant = (Math as unknown as Record<string, unknown>)[name];
    if (typeof constant === "number") return fixed(constant);
    if (name === "random") {
      return reader.fail(
        messages.unsupportedSyntax(
          {
            what: "`Math.random`",
            reason: "compiled code has the same result for the same arguments",
            wayOut: "use `fluxion/random` with a key, or pass random numbers as an argument",
          },
          reader.span(node),
        ),
      );
    }
    const evaluate = mathFunction(name);
    return evaluate === undefined ? undefined : mathNative(name, evaluate);
  },
};

function mathFunction(name: string): MathFunction | undefined {
  const unary = unaryOps[name];
  if (unary !== undefined) return (reader, [x], node) => apply(reader, unary, x, node);
  const rounding = roundings[name];
  if (rounding !== undefined) {
    return (reader, [x], node) =>
      x !== undefined && rangeOf(x) !== undefined ? x : apply(reader, rounding, x, node);
  }
  return Object.hasOwn(others, name) ? others[name] : undefined;
}

/** A function of `Math`: of known numbers it is JavaScript's own. */
function mathNative(name: string, evaluate: MathFunction): NativeValue {
  const known = (Math as unknown as Record<string, (...args: number[]) => number>)[name];
  return {
    kind: "native",
    name: `Math.${name}`,
    call(reader: Reader, call: NativeCall) {
      const { node, arguments: args } = call;
      const numbers = args.map((arg) => (arg.kind === "static" ? arg.value : undefined));
      if (known !== undefined && numbers.every((number) => typeof number === "number")) {
        return fixed(known(...(numbers as number[])));
      }
      return evaluate(reader, args, node);
    },
    ...foldOf(name, evaluate),
  };
}

/** What functions of any number of arguments give of none. */
const neutral: Readonly<Record<string, number>> = { max: -Infinity, min: Infinity, hypot: 0 };

/** `Math.max(...x)`: of each element and what came of those before. */
function foldOf(name: string, evaluate: MathFunction): Pick<NativeValue, "fold"> {
  const start = Object.hasOwn(neutral, name) ? neutral[name] : undefined;
  if (start === undefined) return {};
  const ofPair: NativeValue = {
    kind: "native",
    name: `Math.${name}`,
    call: (reader, { arguments: pair, node }) => evaluate(reader, pair.slice(0, 2), node),
  };
  return {
    fold: (reader, array, node) =>
      reduceElements(reader, array, {
        node,
        arguments: [ofPair, fixed(start)],
        argumentNodes: [],
      }),
  };
}

function apply(reader: Reader, op: string, x: ReaderValue | undefined, node: ts.Node): ReaderValue {
  const value = required(reader, x, node);
  const dtype = value.kind === "scalar" ? value.value.type.dtype : "f64";
  return scalar(
    reader.at(node).unary(op, toDtype(reader, value, isFloat(dtype) ? dtype : "f64", node)),
  );
}

function binary(
  reader: Reader,
  op: string,
  x: ReaderValue | undefined,
  y: ReaderValue | undefined,
  node: ts.Node,
): ReaderValue {
  const [left, right] = [required(reader, x, node), required(reader, y, node)];
  const met = meetingDtype(left, right);
  const dtype = isFloat(met) ? met : "f64";
  const [a, b] = [toDtype(reader, left, dtype, node), toDtype(reader, right, dtype, node)];
  return scalar(reader.at(node).binary(op, a, b));
}

function absolute(reader: Reader, [x]: readonly ReaderValue[], node: ts.Node): ReaderValue {
  const value = required(reader, x, node);
  const range = rangeOf(value);
  if (range === undefined || range.low === -(2 ** 31)) return apply(reader, "abs", value, node);
  if (range.low >= 0) return value;
  const high = Math.max(-range.low, range.high);
  return integer(reader.at(node).unary("abs", toInteger(reader, value, node)), 0, high);
}

/** `Math.max()` is -Infinity; integers stay integers. */
function extreme(
  reader: Reader,
  op: "max" | "min",
  args: readonly ReaderValue[],
  node: ts.Node,
): ReaderValue {
  const [first, ...rest] = args;
  if (first === undefined) return fixed(op === "max" ? -Infinity : Infinity);
  return rest.reduce(
    (best, next) => {
      const [x, y] = [required(reader, best, node), required(reader, next, node)];
      if (x.kind === "static" && y.kind === "static") {
        return fixed(Math[op](Number(x.value), Number(y.value)));
      }
      const [r, s] = [rangeOf(x), rangeOf(y)];
      if (r !== undefined && s !== undefined) {
        const value = reader
          .at(node)
          .binary(op, toInteger(reader, x, node), toInteger(reader, y, node));
        return integer(value, Math[op](r.low, s.low), Math[op](r.high, s.high));
      }
      const dtype = meetingDtype(x, y);
      const [a, b] = [toDtype(reader, x, dtype, node), toDtype(reader, y, dtype, node)];
      return scalar(reader.at(node).binary(op, a, b));
    },
    required(reader, first, node),
  );
}

/** All bits below the highest one set, then 32 less their number, counted in parallel. */
function leadingZeros(reader: Reader, [x]: readonly ReaderValue[], node: ts.Node): ReaderValue {
  const builder = reader.at(node);
  const constant = (value: number): ReturnType<typeof builder.constant> =>
    builder.constant(value, "u32");
  let bits = builder.cast(toInt32(reader, required(reader, x, node), node), "u32");
  for (const by of [1, 2, 4, 8, 16]) {
    bits = builder.binary("bit_or", bits, builder.binary("shift_right", bits, constant(by)));
  }
  const masked = (value: typeof bits, by: number, mask: number): typeof bits =>
    builder.binary("bit_and", builder.binary("shift_right", value, constant(by)), constant(mask));
  bits = builder.sub(bits, masked(bits, 1, 0x55555555));
  bits = builder.add(masked(bits, 0, 0x33333333), masked(bits, 2, 0x33333333));
  bits = builder.binary(
    "bit_and",
    builder.add(bits, builder.binary("shift_right", bits, constant(4))),
    constant(0x0f0f0f0f),
  );
  const count = builder.binary(
    "shift_right",
    builder.mul(bits, constant(0x01010101)),
    constant(24),
  );
  return integer(builder.sub(builder.constant(32, "i32"), builder.cast(count, "i32")), 0, 32);
}

export function required(
  reader: Reader,
  value: ReaderValue | undefined,
  node: ts.Node,
): ReaderValue {
  if (value === undefined) return fixed(NaN);
  if (isNumber(value)) return value;
  return reader.fail(
    messages.wrongOperand(
      { operator: node.getText().replace(/\(.*$/s, ""), operand: describe(value) },
      reader.span(node),
    ),
  );
}

/** `Number(x)`, and the tests of `Number`. */
export const numberObject: NativeValue = {
  kind: "native",
  name: "Number",
  call(reader, { arguments: [x], node }) {
    if (x === undefined) return fixed(0);
    if (x.kind === "static") return fixed(Number(x.value));
    if (isBoolean(x)) return integer(toDtype(reader, x, "i32", node), 0, 1);
    return required(reader, x, node);
  },
  property(_, name) {
    const constant = (Number as unknown as Record<string, unknown>)[name];
    if (typeof constant === "number") return fixed(constant);
    return numberTests[name];
  },
};

function numberTest(
  name: string,
  known: (value: number) => boolean,
  test: (reader: Reader, value: ReaderValue, node: ts.Node) => ReaderValue,
): NativeValue {
  return {
    kind: "native",
    name,
    call(reader, { arguments: [x], node }) {
      if (x === undefined) return fixed(known(NaN));
      if (x.kind === "static") return fixed(known(Number(x.value)));
      return test(reader, required(reader, x, node), node);
    },
  };
}

const isNaNTest = numberTest("isNaN", Number.isNaN, (reader, x, node) =>
  compareNumbers(reader, "ne", x, x, node),
);
const isFiniteTest = numberTest("isFinite", Number.isFinite, (reader, x, node) => {
  const size = absolute(reader, [x], node);
  return compareNumbers(reader, "lt", size, fixed(Infinity), node);
});
const isIntegerTest = numberTest("isInteger", Number.isInteger, (reader, x, node) => {
  if (isStaticInteger(x) || rangeOf(x) !== undefined) return fixed(true);
  const finite = toDtype(
    reader,
    isFiniteTest.call?.(reader, { node, arguments: [x], argumentNodes: [] }) ?? fixed(false),
    "bool",
    node,
  );
  return (
    branch(
      reader,
      finite,
      () => plain(compareNumbers(reader, "eq", apply(reader, "trunc", x, node), x, node)),
      () => plain(fixed(false)),
      node,
    ).value ?? fixed(false)
  );
});

export const numberTests: Readonly<Record<string, NativeValue>> = {
  isNaN: isNaNTest,
  isFinite: isFiniteTest,
  isInteger: isIntegerTest,
};
