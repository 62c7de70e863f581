/** Derivatives through control flow and updates, to second order, and what the adjoint keeps. */

import { describe, expect, test } from "vitest";
import { jvp } from "../../compiler/autodiff/jvp.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { vmap } from "../../compiler/autodiff/vmap.ts";
import { check } from "../../compiler/ops/check.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { parseFunction } from "../../compiler/ir/parse.ts";
import { type Fn, isFloat } from "../../compiler/ir/types.ts";
import { allEquations } from "../../compiler/ir/walk.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";
import { cleanUp } from "../../compiler/passes/simplify.ts";

interface Program {
  readonly fn: string;
  readonly inputs: readonly NdArray[];
  /** Equations of these ops in the cleaned adjoint, regions included. */
  readonly counts?: Readonly<Record<string, number>>;
}

const vector = ndarray("f64", [4], [0.5, 0.9, -0.4, 1.2]);

const programs: Readonly<Record<string, Program>> = {
  "a sum keeps nothing": {
    fn: `fn @f(%0: f64[n]) {
      %1 = constant {dtype = "f64", shape = [], values = [0]} : f64
      %2 = extent {dim = n} : i32
      %3 = for %2, %1 (%4: i32, %5: f64) {
        %6 = at %0, %4 : f64
        %7 = add %5, %6 : f64
        yield %7
      } : f64
      return %3
    }`,
    inputs: [vector],
    counts: { push: 0, copy: 0 },
  },
  "a sum of squares reads its elements again": {
    fn: `fn @f(%0: f64[n]) {
      %1 = constant {dtype = "f64", shape = [], values = [0]} : f64
      %2 = extent {dim = n} : i32
      %3 = for %2, %1 (%4: i32, %5: f64) {
        %6 = at %0, %4 : f64
        %7 = mul %6, %6 : f64
        %8 = add %5, %7 : f64
        yield %8
      } : f64
      return %3
    }`,
    inputs: [vector],
    counts: { push: 0, copy: 0 },
  },
  "a recurrence keeps its carried value": {
    fn: `fn @f(%0: f64[n], %1: f64) {
      %2 = extent {dim = n} : i32
      %3 = for %2, %1 (%4: i32, %5: f64) {
        %6 = at %0, %4 : f64
        %7 = mul %5, %6 : f64
        %8 = sin %7 : f64
        yield %8
      } : f64
      return %3
    }`,
    inputs: [vector, scalar("f64", 0.7)],
    counts: { push: 1, pop: 1, copy: 0 },
  },
  "a linear recurrence over known factors": {
    fn: `fn @f(%0: f64) {
      %1 = constant {dtype = "i32", shape = [], values = [5]} : i32
      %2 = constant {dtype = "f64", shape = [], values = [1.5]} : f64
      %3 = for %1, %0 (%4: i32, %5: f64) {
        %6 = mul %5, %2 : f64
        yield %6
      } : f64
      return %3
    }`,
    inputs: [scalar("f64", 0.3)],
    counts: { push: 0, copy: 0 },
  },
  "an array filled in place keeps what is costly to compute again": {
    fn: `fn @f(%0: f64[n]) {
      %1 = constant {dtype = "f64", shape = [], values = [0]} : f64
      %2 = broadcast %1 {axes = [], shape = [n]} : f64[n]
      %3 = extent {dim = n} : i32
      %4 = for %3, %2 (%5: i32, %6: f64[n]) {
        %7 = at %0, %5 : f64
        %8 = exp %7 : f64
        %9 = update %6, %8, %5 : f64[n]
        yield %9
      } : f64[n]
      %10 = mul %4, %0 : f64[n]
      return %10
    }`,
    inputs: [vector],
    counts: { push: 1, pop: 1, copy: 0 },
  },
  "a running product keeps what it overwrites": {
    fn: `fn @f(%0: f64[n]) {
      %1 = copy %0 : f64[n]
      %2 = extent {dim = n} : i32
      %3 = constant {dtype = "i32", shape = [], values = [1]} : i32
      %4 = sub %2, %3 : i32
      %5 = for %4, %1 (%6: i32, %7: f64[n]) {
        %8 = add %6, %3 : i32
        %9 = at %7, %6 : f64
        %10 = at %7, %8 : f64
        %11 = mul %9, %10 : f64
        %12 = update %7, %11, %8 : f64[n]
        yield %12
      } : f64[n]
      return %5
    }`,
    inputs: [vector],
    // One copy of the parameter, one of the cotangent: neither is ours to write.
    counts: { push: 2, pop: 2, copy: 2 },
  },
  "a branch in a loop": {
    fn: `fn @f(%0: f64[n], %1: f64) {
      %2 = extent {dim = n} : i32
      %3 = constant {dtype = "f64", shape = [], values = [0.6]} : f64
      %4 = for %2, %1 (%5: i32, %6: f64) {
        %7 = at %0, %5 : f64
        %8 = gt %7, %3 : bool
        %9 = if %8 {
          %10 = sin %6 : f64
          %11 = mul %10, %7 : f64
          yield %11
        } else {
          %12 = add %6, %7 : f64
          yield %12
        } : f64
        yield %9
      } : f64
      return %4
    }`,
    inputs: [vector, scalar("f64", 0.7)],
  },
  "a triangular nest": {
    fn: `fn @f(%0: f64[n], %1: f64) {
      %2 = extent {dim = n} : i32
      %3 = for %2, %1 (%4: i32, %5: f64) {
        %6 = for %4, %5 (%7: i32, %8: f64) {
          %9 = at %0, %7 : f64
          %10 = mul %8, %9 : f64
          %11 = cos %10 : f64
          yield %11
        } : f64
        %12 = at %0, %4 : f64
        %13 = mul %6, %12 : f64
        yield %13
      } : f64
      return %3
    }`,
    inputs: [vector, scalar("f64", 0.7)],
  },
  "a while loop whose length depends on the data": {
    fn: `fn @f(%0: f64) {
      %1 = constant {dtype = "f64", shape = [], values = [10]} : f64
      %2 = while %0 (%3: f64) {
        %4 = lt %3, %1 : bool
        yield %4
      } do (%5: f64) {
        %6 = mul %5, %5 : f64
        %7 = add %6, %5 : f64
        yield %7
      } : f64
      return %2
    }`,
    inputs: [scalar("f64", 0.4)],
    counts: { push: 1, pop: 1 },
  },
  "a map with a branch and a captured scalar": {
    fn: `fn @f(%0: f64[n], %1: f64) {
      %2 = map %0 {shape = [n]} (%3: f64) {
        %4 = gt %3, %1 : bool
        %5 = if %4 {
          %6 = log %3 : f64
          %7 = mul %6, %1 : f64
          yield %7
        } else {
          %8 = mul %3, %1 : f64
          yield %8
        } : f64
        yield %5
      } : f64[n]
      return %2
    }`,
    inputs: [vector, scalar("f64", 0.3)],
    counts: { copy: 0 },
  },
  "a map that reads neighbours": {
    fn: `fn @f(%0: f64[n], %1: f64[n]) {
      %2 = iota {axis = 0, dtype = "i32", shape = [n]} : i32[n]
      %3 = map %2, %0 {shape = [n]} (%4: i32, %5: f64) {
        %6 = at %1, %4 : f64
        %7 = mul %5, %6 : f64
        %8 = tanh %7 : f64
        yield %8
      } : f64[n]
      return %3
    }`,
    inputs: [vector, ndarray("f64", [4], [1, -2, 0.5, 3])],
  },
};

describe.each(Object.entries(programs))("%s", (_name, { fn: text, inputs, counts = {} }) => {
  const fn = tidy(parseFunction(text));
  const active = inputs.map((input) => isFloat(input.dtype));
  const directions = inputs.map((input, k) => filled(input, (n) => Math.sin(3 * n + k + 1)));
  const adjoint = tidy(vjp(fn, active));
  const results = interpret(fn, inputs);
  const weights = results.map((result, k) => filled(result, (n) => Math.cos(2 * n + k)));

  test("is well-formed, and so are its derivatives", () => {
    expect(check(fn)).toEqual([]);
    expect(check(vjp(fn, active))).toEqual([]);
    expect(check(adjoint)).toEqual([]);
    expect(check(jvp(fn, active))).toEqual([]);
  });

  test("reverse mode agrees with differences and with forward mode", () => {
    const gradient = interpret(adjoint, [...inputs, ...weights]).slice(results.length);
    const tangents = interpret(jvp(fn, active), [...inputs, ...directions]).slice(results.length);
    const slope = difference((h) => interpret(fn, moved(inputs, directions, h)), weights);
    expect(dot(gradient, directions)).toBeCloseTo(slope, 6);
    expect(dot(weights, tangents)).toBeCloseTo(dot(gradient, directions), 11);
  });

  test("second derivatives agree: forward over reverse, reverse over reverse, differences", () => {
    const both = [...active, ...weights.map(() => false)];
    const given = [...inputs, ...weights];
    const forward = interpret(jvp(adjoint, both), [...given, ...directions]);
    const alongForward = forward.slice(2 * results.length + inputs.length);
    const zeros = results.map((result) => filled(result, () => 0));
    const seeds = [...zeros, ...directions];
    const reverse = interpret(tidy(vjp(adjoint, both)), [...given, ...seeds]);
    const alongReverse = reverse.slice(results.length + inputs.length);
    expect(dot(alongForward, directions)).toBeCloseTo(dot(alongReverse, directions), 10);
    const slope = difference(
      (h) =>
        interpret(adjoint, [...moved(inputs, directions, h), ...weights]).slice(results.length),
      directions,
    );
    expect(dot(alongForward, directions)).toBeCloseTo(slope, 5);
  });

  test("a batch of gradients is the gradients of the batch", () => {
    const size = 3;
    const batch = inputs.map((input) => stacked(input, size));
    const batched = inputs.map(() => true);
    const whole = interpret(vmap(adjoint, [...batched, ...weights.map(() => false)], size), [
      ...batch,
      ...weights,
    ]);
    for (let k = 0; k < size; k++) {
      const one = interpret(adjoint, [...batch.map((input) => element(input, k)), ...weights]);
      one.forEach((result, j) => {
        const expected = element(whole[j]!, k);
        result.data.forEach((value, n) => expect(value).toBeCloseTo(expected.data[n]!, 12));
      });
    }
  });

  test.each(Object.entries(counts))(`keeps no more than it needs: %s %i`, (op, count) => {
    const found = [...allEquations(adjoint.body)].filter((equation) => equation.op === op);
    expect(found.length).toBe(count);
  });
});

function tidy(fn: Fn): Fn {
  return { name: fn.name, body: repairUniqueness(cleanUp(fn.body)) };
}

function filled(like: NdArray, f: (n: number) => number): NdArray {
  return ndarray(
    like.dtype,
    like.shape,
    Array.from(like.data, (_, n) => f(n)),
  );
}

function moved(inputs: readonly NdArray[], directions: readonly NdArray[], h: number) {
  return inputs.map((input, k) =>
    filled(input, (n) => input.data[n]! + h * directions[k]!.data[n]!),
  );
}

function dot(x: readonly NdArray[], y: readonly NdArray[]): number {
  return x.reduce((sum, array, k) => {
    const products = Array.from(array.data, (value, n) => value * y[k]!.data[n]!);
    return sum + products.reduce((total, product) => total + product, 0);
  }, 0);
}

/** d/dh of ⟨weights, f(h)⟩ at 0, to fourth order. */
function difference(f: (h: number) => readonly NdArray[], weights: readonly NdArray[]): number {
  const h = 1e-4;
  const [a, b, c, d] = [-2, -1, 1, 2].map((k) => dot(f(k * h), weights)) as [
    number,
    number,
    number,
    number,
  ];
  return (a - 8 * b + 8 * c - d) / (12 * h);
}

function stacked(input: NdArray, size: number): NdArray {
  const rows = Array.from({ length: size }, (_, k) =>
    Array.from(input.data, (v) => v * (1 + 0.1 * k)),
  );
  return ndarray(input.dtype, [size, ...input.shape], rows.flat());
}

function element(batch: NdArray, k: number): NdArray {
  const shape = batch.shape.slice(1);
  const size = shape.reduce((product, extent) => product * extent, 1);
  return ndarray(batch.dtype, shape, Array.from(batch.data.slice(k * size, (k + 1) * size)));
}
