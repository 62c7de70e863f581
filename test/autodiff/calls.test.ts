/** Derivatives through functions that call themselves. */

import { describe, expect, test } from "vitest";
import { expand } from "../../compiler/autodiff/expand.ts";
import type { Callee } from "../../compiler/autodiff/callee.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { arrayType, type Graph, isFloat, rootOf, type ValueType } from "../../compiler/ir/types.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { call, cases, define, f64, named } from "./callPrograms.ts";

describe.each(Object.entries(cases))("%s", (_name, { functions, root, inputs }) => {
  const table = new Map([...functions, root].map((fn) => [fn.name, fn] as const));
  const active = inputs.map((input) => isFloat(input.dtype));
  const ones = inputs.map((input, k) =>
    ndarray(
      input.dtype,
      input.shape,
      Array.from(input.data, (_, n) => Math.sin(n + k + 1)),
    ),
  );

  function run(callee: Callee, extra: readonly NdArray[]): readonly NdArray[] {
    const types = [...inputs, ...extra].map(({ dtype, shape }) => arrayType(dtype, [...shape]));
    const outputs = outputTypes(callee);
    const main = define("main", types, (b, parameters) => call(b, callee, parameters, outputs));
    const graph: Graph = { root: "main", functions: new Map([...table, ["main", main]]) };
    const expanded = expand(graph);
    const options = { functions: expanded.functions };
    return interpret(rootOf(expanded), [...inputs, ...extra], options);
  }

  function outputTypes(callee: Callee): readonly ValueType[] {
    const own = inputs.map(({ dtype, shape }) => arrayType(dtype, [...shape]));
    switch (callee.kind) {
      case "function":
        return [f64];
      case "vjp":
        return [...outputTypes(callee.of), ...own];
      case "jvp": {
        const values = outputTypes(callee.of);
        return [...values, ...values];
      }
      default:
        throw new Error("not batched here");
    }
  }

  const f = named("f");
  const dot = (x: readonly NdArray[], y: readonly NdArray[]): number =>
    x.reduce((sum, a, k) => {
      const products = Array.from(a.data, (value, n) => value * y[k]!.data[n]!);
      return sum + products.reduce((total, product) => total + product, 0);
    }, 0);
  const moved = (h: number): readonly NdArray[] =>
    inputs.map((input, k) =>
      ndarray(
        input.dtype,
        input.shape,
        Array.from(input.data, (value, n) => value + h * ones[k]!.data[n]!),
      ),
    );
  const valueAt = (h: number): number => {
    const options = { functions: table };
    return interpret(root, moved(h), options)[0]!.data[0]!;
  };
  const h = 1e-4;
  const slope = (valueAt(-2 * h) - 8 * valueAt(-h) + 8 * valueAt(h) - valueAt(2 * h)) / (12 * h);

  test("forward mode is the slope", () => {
    const [, tangent] = run({ kind: "jvp", of: f, active }, ones);
    expect(tangent!.data[0]).toBeCloseTo(slope, 7);
  });

  test("reverse mode agrees", () => {
    const [, ...gradient] = run({ kind: "vjp", of: f, active }, [scalar("f64", 1)]);
    expect(dot(gradient, ones)).toBeCloseTo(slope, 7);
  });

  test("forward over reverse and reverse over reverse agree", () => {
    const adjoint: Callee = { kind: "vjp", of: f, active };
    const both = [...active, false];
    const forward = run({ kind: "jvp", of: adjoint, active: both }, [scalar("f64", 1), ...ones]);
    const count = 1 + inputs.length;
    const along = dot(forward.slice(count + 1), ones);
    const zero = scalar("f64", 0);
    const reverse = run({ kind: "vjp", of: adjoint, active: both }, [
      scalar("f64", 1),
      zero,
      ...ones,
    ]);
    expect(dot(reverse.slice(count), ones)).toBeCloseTo(along, 9);
    const second = (valueAt(h) - 2 * valueAt(0) + valueAt(-h)) / (h * h);
    expect(along).toBeCloseTo(second, 4);
  });
});
