/** Random functions compute, compiled, what they compute as they are. */

import { runInThisContext } from "node:vm";
import fc from "fast-check";
import ts from "typescript";
import { expect, test } from "vitest";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { randomFunction } from "./randomPrograms.ts";
import { readFunction } from "./readFunction.ts";
import { constantOf } from "../../runtime/manifest.ts";
import { runs } from "../random/runs.ts";

type Plain = (x: number, y: number, a: Float64Array) => readonly number[];

function compiledFunction(text: string): (...args: Parameters<Plain>) => readonly number[] {
  const { fn, result } = readFunction(text);
  return (x, y, a) => {
    const inputs: NdArray[] = [scalar("f64", x), scalar("f64", y), ndarray("f64", [a.length], a)];
    const results = interpret(fn, inputs).map(({ data }) => data[0] as number);
    if (result.kind !== "tuple") throw new Error("the result is no tuple");
    const values = results.values();
    return result.items.map((item) =>
      item.kind === "constant" ? (constantOf(item) as number) : (values.next().value as number),
    );
  };
}

test("random functions", () => {
  const inputs: readonly Parameters<Plain>[] = [
    [0.75, -1.25, new Float64Array([2, -1])],
    [-3, 2.5, new Float64Array([0.5])],
  ];
  fc.assert(
    fc.property(randomFunction(), (text) => {
      const script = ts.transpile(`(${text})`, { target: ts.ScriptTarget.ES2023 });
      const plain = runInThisContext(script) as Plain;
      const compiled = compiledFunction(text);
      for (const args of inputs) {
        const [actual, expected] = [compiled(...args), plain(...args)];
        if (!actual.every((value, k) => Object.is(value, expected[k]))) {
          expect({ text, actual }).toEqual({ text, actual: expected });
        }
      }
    }),
    { ...runs(150, 41), endOnFailure: true },
  );
});
