/**
 * Random well-typed functions of the graph IR, with inputs for them.
 *
 * A program is a list of abstract steps that name their operands by number, taken modulo what is
 * in scope: every list of steps is a program, so that failures shrink. The parameters are
 *   x, y: scalars; v, w: vectors of n; m: a matrix of n by 3; c: a boolean; k: a small integer
 * with n a number or the symbol `n`.
 */

import fc from "fast-check";
import { addDims, type Dim, symbol } from "../../compiler/ir/dim.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { printFunction } from "../../compiler/ir/print.ts";
import { arrayType, type Block, type Fn, scalarType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { newBuilder } from "../../compiler/ops/index.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";

export interface RandomProgram {
  readonly fn: Fn;
  readonly inputs: readonly NdArray[];
  /** The inputs to differentiate in: all floating-point ones. */
  readonly active: readonly boolean[];
}

export interface ProgramOptions {
  /**
   * Only ops without kinks, and branches that do not depend on floating-point values, so that
   * finite differences are right everywhere.
   */
  readonly smooth?: boolean;
  readonly dtype?: "f64" | "f32";
}

export function programs(options: ProgramOptions = {}): fc.Arbitrary<RandomProgram> {
  const { smooth = false, dtype = "f64" } = options;
  const numbers = fc.integer({ min: -20, max: 20 }).map((n) => n / 8 + 0.03125);
  return fc
    .record({
      steps: stepsOf(3),
      n: fc.integer({ min: 1, max: 4 }),
      symbolic: fc.boolean(),
      values: fc.array(numbers, { minLength: 22, maxLength: 22 }),
      condition: fc.boolean(),
      count: fc.integer({ min: 0, max: 3 }),
    })
    .map(({ steps, n, symbolic, values, condition, count }) => {
      const fn = functionOf(steps, { smooth, dtype, n: symbolic ? symbol("n") : n });
      const array = (shape: readonly number[], from: number): NdArray => {
        const size = shape.reduce((product, extent) => product * extent, 1);
        return ndarray(dtype, shape, values.slice(from, from + size));
      };
      const inputs = [
        ...[array([], 0), array([], 1), array([n], 2), array([n], 6), array([n, 3], 10)],
        ...[scalar("bool", condition), scalar("i32", count)],
      ];
      const active = [true, true, true, true, true, false, false];
      const program: RandomProgram = { fn, inputs, active };
      const text = (): string =>
        `${printFunction(fn)}${inputs.map((x) => `[${[...x.data]}]`).join(" ")}`;
      return Object.assign(program, { [fc.toStringMethod]: text });
    });
}

/** Operands are numbers modulo what is in scope; `pick` chooses among the ops of a kind. */
type Step =
  | {
      readonly kind: "scalar" | "vector" | "matrix" | "integer" | "convert" | "access" | "map";
      readonly pick: number;
      readonly a: number;
      readonly b: number;
    }
  | {
      readonly kind: "if" | "for" | "while";
      readonly pick: number;
      readonly a: number;
      readonly b: number;
      readonly first: readonly Step[];
      readonly second: readonly Step[];
    };

type Settings = {
  readonly smooth: boolean;
  readonly dtype: "f64" | "f32";
  readonly n: Dim;
};

function stepsOf(depth: number): fc.Arbitrary<readonly Step[]> {
  const operands = { pick: fc.nat(99), a: fc.nat(9), b: fc.nat(9) };
  const simple: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom(
      ...(["scalar", "vector", "matrix", "integer", "convert", "access", "access", "map"] as const),
    ),
    ...operands,
  });
  if (depth === 0) return fc.array(simple, { maxLength: 4 });
  const inner = stepsOf(depth - 1);
  const region: fc.Arbitrary<Step> = fc.record({
    kind: fc.constantFrom("if", "for", "while"),
    ...operands,
    first: inner,
    second: inner,
  });
  return fc.array(fc.oneof({ weight: 3, arbitrary: simple }, { weight: 2, arbitrary: region }), {
    maxLength: 5,
  });
}

/** What is in scope, the newest last; never empty. */
interface Scope {
  readonly settings: Settings;
  readonly scalars: readonly Value[];
  readonly vectors: readonly Value[];
  readonly matrices: readonly Value[];
  readonly conditions: readonly Value[];
  /** Not negative. */
  readonly integers: readonly Value[];
}

function functionOf(steps: readonly Step[], settings: Settings): Fn {
  const { dtype, n } = settings;
  const [number, vector] = [scalarType(dtype), arrayType(dtype, [n])];
  const matrix = arrayType(dtype, [n, 3]);
  const types = [number, number, vector, vector, matrix, scalarType("bool"), scalarType("i32")];
  const names = ["x", "y", "v", "w", "m", "c", "k"];
  const body = newBuilder().block(
    types,
    (b, [x, y, v, w, m, c, k]) => {
      const scope = run(b, steps, {
        settings,
        scalars: [x, y] as Value[],
        vectors: [v, w] as Value[],
        matrices: [m] as Value[],
        conditions: [c] as Value[],
        integers: [k] as Value[],
      });
      return [...scope.scalars.slice(-2), last(scope.vectors), last(scope.matrices)];
    },
    names,
  );
  return { name: "random", body: repairUniqueness(body) };
}

function run(b: GraphBuilder, steps: readonly Step[], start: Scope): Scope {
  return steps.reduce((scope, step) => runStep(b, step, scope), start);
}

function runStep(b: GraphBuilder, step: Step, scope: Scope): Scope {
  const { settings } = scope;
  const scalarAt = (k: number): Value => choose(scope.scalars, k);
  const vectorAt = (k: number): Value => choose(scope.vectors, k);
  const { pick, a, b: other } = step;
  switch (step.kind) {
    case "scalar":
      return withScalar(scope, arithmetic(b, settings, pick, scalarAt(a), scalarAt(other)));
    case "vector":
      return withVector(scope, vectorStep(b, scope, step));
    case "matrix":
      return matrixStep(b, scope, step);
    case "integer":
      return integerStep(b, scope, step);
    case "convert":
      return convertStep(b, scope, step);
    case "access": {
      const index = indexOf(b, scope, a);
      if (pick % 3 === 0) return withScalar(scope, b.at(vectorAt(other), [index]));
      const op = pick % 3 === 1 ? "update" : "add_at";
      return withVector(scope, b.one(op, [vectorAt(other), scalarAt(a + other), index]));
    }
    case "map": {
      const body = b.block(
        [scalarType(settings.dtype), scalarType(settings.dtype)],
        (inner, [x, y]) => {
          const first = arithmetic(inner, settings, pick, x as Value, y as Value);
          return [arithmetic(inner, settings, pick + a + 1, first, scalarAt(other))];
        },
      );
      const shape = vectorAt(a).type.shape;
      return withVector(scope, b.map(shape, [vectorAt(a), vectorAt(other)], body)[0] as Value);
    }
    case "if": {
      const arm = (steps: readonly Step[]): Block =>
        b.block([], (inner) => {
          const end = run(inner, steps, scope);
          return [last(end.scalars), last(end.vectors)];
        });
      const results = b.if(conditionOf(b, scope, pick, a), arm(step.first), arm(step.second));
      return withVector(withScalar(scope, results[0] as Value), results[1] as Value);
    }
    case "for": {
      const count = pick % 2 === 0 ? b.constant(pick % 5, "i32") : choose(scope.integers, other);
      const initial = [scalarAt(a), vectorAt(a), vectorAt(other)];
      const types = initial.map((value) => value.type);
      const body = b.block([scalarType("i32"), ...types], (inner, [i, x, u, v]) => {
        const integers = [...scope.integers, i as Value];
        const carried = { ...withVectors(scope, [u, v] as Value[]), integers };
        const end = run(inner, step.first, withScalar(carried, x as Value));
        return [last(end.scalars), ...end.vectors.slice(-2)];
      });
      const limited = b.binary("min", count, b.constant(4, "i32"));
      const [x, u, v] = b.for(limited, initial, body) as readonly [Value, Value, Value];
      return withVectors(withScalar(scope, x), [u, v]);
    }
    case "while": {
      const initial = [b.constant(0, "i32"), scalarAt(a), vectorAt(other)];
      const types = initial.map((value) => value.type);
      const condition = b.block(types, (inner, [i]) => [
        inner.binary("lt", i as Value, inner.constant(pick % 4, "i32")),
      ]);
      const body = b.block(types, (inner, [i, x, v]) => {
        const integers = [...scope.integers, i as Value];
        const carried = { ...withVectors(scope, [v as Value]), integers };
        const end = run(inner, step.first, withScalar(carried, x as Value));
        const next = inner.add(i as Value, inner.constant(1, "i32"));
        return [next, last(end.scalars), last(end.vectors)];
      });
      const [, x, v] = b.append("while", initial, {}, [condition, body], types);
      return withVector(withScalar(scope, x as Value), v as Value);
    }
  }
}

const smoothOps = ["sin", "cos", "tanh", "atan", "asinh", "erf", "neg"];
const kinkedOps = [
  ...smoothOps,
  "abs",
  "floor",
  "ceil",
  "trunc",
  "sign",
  "round",
  "sqrt",
  "cbrt",
  "exp",
];
const smoothPairs = ["add", "sub", "mul", "mix", "quotient"];
const kinkedPairs = [...smoothPairs, "max", "min", "rem", "div", "hypot", "atan2", "choose", "pow"];

/** Elementwise, on two values of one shape. */
function arithmetic(b: GraphBuilder, settings: Settings, pick: number, x: Value, y: Value): Value {
  const unary = settings.smooth ? smoothOps : kinkedOps;
  const pairs = settings.smooth ? smoothPairs : kinkedPairs;
  const op = choose([...unary, ...pairs, ...pairs], pick);
  switch (op) {
    case "mix":
      return b.add(b.mul(x, 0.75), b.mul(y, 0.25));
    case "quotient":
      return b.div(x, b.add(b.mul(y, y), 1));
    case "choose":
      return b.select(b.binary("lt", x, y), x, b.mul(y, 0.5));
    default:
      return unary.includes(op) ? b.unary(op, x) : b.binary(op, x, y);
  }
}

function vectorStep(b: GraphBuilder, scope: Scope, { pick, a, b: other }: Step): Value {
  const { settings } = scope;
  const { n, dtype } = settings;
  const [v, w] = [choose(scope.vectors, a), choose(scope.vectors, other)];
  const next = b.binary("rem", b.add(b.iota([n], 0), 1), b.broadcastTo(b.extent(n), [n]));
  const actions: readonly (() => Value)[] = [
    () => arithmetic(b, settings, Math.floor(pick / 9), v, w),
    () =>
      arithmetic(
        b,
        settings,
        Math.floor(pick / 9),
        v,
        b.broadcastTo(choose(scope.scalars, a), [n]),
      ),
    () => b.one("reverse", [v], { axes: [0] }),
    () => b.one("cumsum", [b.unary("sin", v)], { axis: 0 }),
    () => b.slice(b.concat([v, w], 0), [1], [addDims(n, 1)]),
    () => b.slice(b.pad(v, [1], [0]), [0], [n]),
    () => b.one("gather", [v, next], { axis: 0 }),
    () => b.one("scatter_add", [v, next, w], { axis: 0 }),
    () => b.mul(b.cast(b.iota([n], 0), dtype), v),
  ];
  return choose(actions, pick)();
}

function matrixStep(b: GraphBuilder, scope: Scope, { pick, a, b: other }: Step): Scope {
  const { settings } = scope;
  const { n, dtype } = settings;
  const matrix = choose(scope.matrices, a);
  const vector = choose(scope.vectors, other);
  const withMatrix = (value: Value): Scope => ({ ...scope, matrices: [...scope.matrices, value] });
  const row = b.array([0.5, -1, 0.25], dtype);
  const actions: readonly (() => Scope)[] = [
    () => withMatrix(b.add(matrix, b.broadcast(vector, [n, 3], [0]))),
    () => withMatrix(b.mul(b.unary("tanh", matrix), b.broadcast(row, [n, 3], [1]))),
    () => withVector(scope, b.dot(matrix, row, { contract: [[1], [0]] })),
    () => withVector(scope, b.sum(matrix, [1])),
    () => {
      const columns = b.dot(vector, matrix, { contract: [[0], [0]] });
      return withMatrix(b.unary("sin", b.broadcast(columns, [n, 3], [1])));
    },
    () =>
      withMatrix(
        b.transpose(b.one("reverse", [b.transpose(matrix, [1, 0])], { axes: [0] }), [1, 0]),
      ),
    () => withMatrix(b.reshape(b.reshape(matrix, [3, n]), [n, 3])),
    () => {
      const index = indexOf(b, scope, other);
      return withMatrix(b.update(matrix, b.unary("sin", b.at(matrix, [index])), [index]));
    },
  ];
  return choose(actions, pick)();
}

function integerStep(b: GraphBuilder, scope: Scope, { pick, a, b: other }: Step): Scope {
  const [i, j] = [choose(scope.integers, a), choose(scope.integers, other)];
  const small = (value: Value): Value => b.binary("bit_and", value, b.constant(7, "i32"));
  const actions: readonly (() => Value)[] = [
    () => small(b.add(i, j)),
    () => small(b.mul(i, j)),
    () => b.constant(pick % 6, "i32"),
    () => b.binary("rem", i, b.constant(3, "i32")),
    () => b.binary("max", i, j),
    () => small(b.binary("bit_xor", i, j)),
    () => b.binary("shift_right", i, b.constant(1, "i32")),
  ];
  return { ...scope, integers: [...scope.integers, choose(actions, pick)()] };
}

/** From one kind of value to another. */
function convertStep(b: GraphBuilder, scope: Scope, { pick, a, b: other }: Step): Scope {
  const { dtype, smooth } = scope.settings;
  const [v, w] = [choose(scope.vectors, a), choose(scope.vectors, other)];
  const withCondition = (value: Value): Scope => ({
    ...scope,
    conditions: [...scope.conditions, value],
  });
  const actions: readonly (() => Scope)[] = [
    () => withScalar(scope, b.sum(v)),
    () => withScalar(scope, b.dot(v, w, { contract: [[0], [0]] })),
    () => withScalar(scope, b.reduce("prod", v, [0])),
    () => withScalar(scope, b.cast(choose(scope.integers, a), dtype)),
    () => withScalar(scope, b.constant((pick % 7) / 4 - 0.5, dtype)),
    () => withCondition(b.unary("not", choose(scope.conditions, a))),
    () => withCondition(b.binary("lt", choose(scope.integers, a), choose(scope.integers, other))),
  ];
  const kinked: readonly (() => Scope)[] = [
    () => withScalar(scope, b.reduce("reduce_max", v, [0])),
    () => ({ ...scope, integers: [...scope.integers, b.one("argmax", [v], { axis: 0 })] }),
    () => withCondition(b.binary("ge", choose(scope.scalars, a), choose(scope.scalars, other))),
  ];
  return choose(smooth ? actions : [...actions, ...kinked], pick)();
}

/** An index of a vector. */
function indexOf(b: GraphBuilder, scope: Scope, k: number): Value {
  return b.binary("rem", choose(scope.integers, k), b.extent(scope.settings.n));
}

function conditionOf(b: GraphBuilder, scope: Scope, pick: number, k: number): Value {
  if (pick % 2 === 0) return choose(scope.conditions, k);
  const parity = b.binary("rem", choose(scope.integers, k), b.constant(2, "i32"));
  return b.binary("eq", parity, b.constant(0, "i32"));
}

function withScalar(scope: Scope, value: Value): Scope {
  return { ...scope, scalars: [...scope.scalars, value] };
}

function withVector(scope: Scope, value: Value): Scope {
  return withVectors(scope, [value]);
}

function withVectors(scope: Scope, values: readonly Value[]): Scope {
  return { ...scope, vectors: [...scope.vectors, ...values] };
}

/** From the newest back, so that programs use what they have just made. */
function choose<T>(items: readonly T[], k: number): T {
  return items[items.length - 1 - (k % items.length)] as T;
}

function last<T>(items: readonly T[]): T {
  return items[items.length - 1] as T;
}
