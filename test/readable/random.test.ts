/**
 * Random functions and their derivatives, printed: the text computes what the graph means, to the
 * last bit but for the sign of zero.
 */

import { runInThisContext } from "node:vm";
import fc from "fast-check";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { expand } from "../../compiler/autodiff/expand.ts";
import { jvp } from "../../compiler/autodiff/jvp.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { explain, type Signature, type Tree } from "../../compiler/compile.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { type Fn, isFloat, rootOf, type Value } from "../../compiler/ir/types.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { runs } from "../random/runs.ts";
import { readFunction } from "../transformer/readFunction.ts";
import { randomFunction } from "../transformer/randomPrograms.ts";

const many = runs(10, 59);

/** The functions as they were read; the same are tried for every derivative. */
const known = new Map<string, Fn>();

function functionOf(source: string): Fn {
  const fn = known.get(source) ?? rootOf(expand(readFunction(source).graph));
  known.set(source, fn);
  return fn;
}

const number = { kind: "leaf", as: "number", dtype: "f64", shape: [] } as const satisfies Tree;

function treeOf({ type }: Value): Tree {
  if (type.shape.length > 0) return { kind: "leaf", as: "typed", dtype: "f64", shape: type.shape };
  return type.dtype === "bool" ? { ...number, as: "boolean", dtype: "bool" } : number;
}

/** The signature of a function of the graph, whatever it was made of. */
function signatureOf({ body }: Fn): Signature {
  return {
    name: "f",
    parameters: body.parameters.map((value, k) => ({
      name: value.name ?? `w${k}`,
      tree: treeOf(value),
    })),
    captured: [],
    result: { kind: "tuple", items: body.results.map(treeOf) },
  };
}

async function printed(fn: Fn): Promise<{ readonly text: string; readonly run: Function }> {
  const graph = { root: fn.name, functions: new Map([[fn.name, fn]]) };
  const text = await explain(graph, "ts", { target: "js", signature: signatureOf(fn) });
  const script = ts.transpile(`(${text.replace("export function", "function").trim()})`, {
    target: ts.ScriptTarget.ES2023,
  });
  return { text, run: runInThisContext(script) as Function };
}

const flat = (values: readonly (number | boolean | Float64Array)[]): readonly number[] =>
  values.flatMap((value) => (typeof value === "object" ? Array.from(value) : [Number(value)]));

async function expectSame(source: string, fn: Fn, inputs: readonly NdArray[]): Promise<void> {
  const { text, run } = await printed(fn);
  const given = inputs.map(({ data, shape }) =>
    shape.length > 0 ? Float64Array.from(data) : (data[0] as number),
  );
  const expected = interpret(fn, inputs).flatMap(({ data }) => Array.from(data));
  const actual = flat(run(...given));
  // `-0 === 0`, and NaN is NaN.
  const same = actual.every((value, k) => value === expected[k] || Object.is(value, expected[k]));
  if (!same || actual.length !== expected.length) {
    expect({ source, text, actual }).toEqual({ source, text, actual: expected });
  }
}

function inputsFor(fn: Fn): readonly (readonly NdArray[])[] {
  const points: readonly (readonly NdArray[])[] = [
    [scalar("f64", 0.75), scalar("f64", -1.25), ndarray("f64", [2], [2, -1])],
    [scalar("f64", -3), scalar("f64", 2.5), ndarray("f64", [1], [0.5])],
  ];
  return points.map((point) => [
    ...point,
    ...fn.body.parameters.slice(3).map(({ type }, k) => {
      const length = type.shape.length === 0 ? 1 : (point[2] as NdArray).data.length;
      const data = Array.from({ length }, (_, n) => Math.sin(1 + k + 3 * n));
      return type.shape.length === 0
        ? scalar("f64", data[0] as number)
        : ndarray("f64", [length], data);
    }),
  ]);
}

const made: Readonly<Record<string, (fn: Fn) => Fn>> = {
  "random functions": (fn) => fn,
  "their derivatives, reverse": (fn) => vjp(fn, [true, true, true]),
  "their derivatives, forward": (fn) => jvp(fn, [true, true, true]),
  "the derivatives of these": (fn) => {
    const first = vjp(fn, [true, true, true]);
    return vjp(
      first,
      first.body.parameters.map(({ type }) => isFloat(type.dtype)),
    );
  },
};

describe("printed", () => {
  test.each(Object.keys(made))("%s", async (kind) => {
    await fc.assert(
      fc.asyncProperty(randomFunction(), async (source) => {
        const fn = (made[kind] as (fn: Fn) => Fn)(functionOf(source));
        for (const inputs of inputsFor(fn)) await expectSame(source, fn, inputs);
      }),
      { ...many, endOnFailure: true },
    );
  });
});
