/** Functions that call themselves, and their adjoints, on every target. */

import { describe, expect, test } from "vitest";
import type { Callee } from "../../compiler/autodiff/callee.ts";
import { expand } from "../../compiler/autodiff/expand.ts";
import { symbol } from "../../compiler/ir/dim.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import {
  arrayType,
  type Fn,
  type Graph,
  isFloat,
  rootOf,
  type ValueType,
} from "../../compiler/ir/types.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { tidied } from "../../compiler/passes/tidy.ts";
import { call, cases, define, f64, i32, named } from "../autodiff/callPrograms.ts";
import { compileGraph, expectClose, targetNames, toArray, toTensor } from "../kernel/support.ts";

function graphOf(functions: readonly Fn[], root: Fn): Graph {
  const expanded = expand({
    root: root.name,
    functions: new Map([...functions, root].map((fn) => [fn.name, fn] as const)),
  });
  const tidy = [...expanded.functions].map(([name, fn]) => [name, tidied(fn)] as const);
  return { root: expanded.root, functions: new Map(tidy) };
}

async function expectSame(graph: Graph, inputs: readonly NdArray[], target: "js" | "wasm") {
  const { functions } = graph;
  const expected = interpret(rootOf(graph), inputs, { functions });
  const program = await compileGraph(graph, target);
  for (let round = 0; round < 2; round++) {
    const results = program(...inputs.map(toTensor)).map(toArray);
    results.forEach((result, k) => expectClose(result, expected[k] as NdArray, `result ${k}`));
  }
}

describe.each(targetNames)("%s", (target) => {
  describe.each(Object.entries(cases))("%s", (_name, { functions, root, inputs }) => {
    const active = inputs.map(({ dtype }) => isFloat(dtype));
    const own = inputs.map(({ dtype, shape }) => arrayType(dtype, [...shape]));
    const f = named("f");
    const adjoint: Callee = { kind: "vjp", of: f, active };
    const seed = scalar("f64", 1.5);
    const transforms: readonly (readonly [
      string,
      Callee,
      readonly NdArray[],
      readonly ValueType[],
    ])[] = [
      ["value", f, [], [f64]],
      ["forward mode", { kind: "jvp", of: f, active }, inputs, [f64, f64]],
      ["reverse mode", adjoint, [seed], [f64, ...own]],
      [
        "forward over reverse",
        { kind: "jvp", of: adjoint, active: [...active, false] },
        [seed, ...inputs],
        [f64, ...own, f64, ...own],
      ],
    ];
    test.each(transforms)("%s", async (_transform, callee, extra, outputs) => {
      const all = [...inputs, ...extra];
      const types = all.map(({ dtype, shape }) => arrayType(dtype, [...shape]));
      const main = define("main", types, (b, parameters) => call(b, callee, parameters, outputs));
      await expectSame(graphOf([...functions, root], main), all, target);
    });
  });

  /** down(x, n) = x for n = 0, else down(x/2 + 1, n - 1) + 1, not a loop for any target */
  const down = define("down", [f64, i32], (b, [x, n]) => {
    const stop = b.block([], () => [x!]);
    const step = b.block([], (arm) => {
      const next = arm.add(arm.mul(x!, 0.5), 1);
      const [below] = call(arm, named("down"), [next, arm.sub(n!, 1)], [f64]);
      return [arm.add(below!, 1)];
    });
    return b.if(b.binary("le", n!, 0), stop, step);
  });
  const descend = define("f", [f64, i32], (b, inputs) => call(b, named("down"), inputs, [f64]));

  test("a recursion that is too deep says so, and later calls work", async () => {
    const graph = graphOf([down], descend);
    const program = await compileGraph(graph, target);
    const at = (n: number): number =>
      toArray(program(toTensor(scalar("f64", 3)), toTensor(scalar("i32", n)))[0]!).data[0]!;
    expect(at(1000)).toBe(1002);
    expect(() => at(50_000_000)).toThrow(RangeError);
    expect(() => at(50_000_000)).toThrow("too deep");
    expect(at(1000)).toBe(1002);
  });

  test("a fault inside a function is a RangeError", async () => {
    const vector = arrayType("f64", [4]);
    const look = define("look", [vector, i32], (b, [a, k]) => {
      const stop = b.block([], (arm) => [arm.at(a!, [k!])]);
      const step = b.block([], (arm) => call(arm, named("look"), [a!, arm.mul(k!, 3)], [f64]));
      return b.if(b.binary("gt", k!, 5), stop, step);
    });
    const main = define("f", [vector], (b, [a]) =>
      call(b, named("look"), [a!, b.constant(1, "i32")], [f64]),
    );
    const program = await compileGraph(graphOf([look], main), target);
    const input = ndarray("f64", [4], [1, 2, 3, 4]);
    expect(() => program(toTensor(input))).toThrow("index 9 is out of range for length 4");
  });

  test("arrays of each call in progress are its own", async () => {
    const n = symbol("n");
    const vector = arrayType("f64", [n]);
    // spread(a, k): two calls with other arrays, used after both have returned
    const spread = define("spread", [vector, i32], (b, [a, k]) => {
      const stop = b.block([], (arm) => [arm.mul(a!, a!)]);
      const step = b.block([], (arm) => {
        const below = arm.sub(k!, 1);
        const scaled = arm.one("cumsum", [arm.mul(a!, 0.5)], { axis: 0 });
        const [left] = call(arm, named("spread"), [scaled, below], [vector]);
        const right = call(arm, named("spread"), [arm.add(scaled, left!), below], [vector]);
        return [arm.add(arm.add(left!, right[0]!), scaled)];
      });
      return b.if(b.binary("le", k!, 0), stop, step);
    });
    const main = define("f", [vector], (b, [a]) => {
      const out = call(b, named("spread"), [a!, b.constant(4, "i32")], [vector]);
      return [out[0]!, b.sum(out[0]!)];
    });
    const inputs = [
      ndarray(
        "f64",
        [300],
        Float64Array.from({ length: 300 }, (_, i) => Math.sin(i) / 300),
      ),
    ];
    await expectSame(graphOf([spread], main), inputs, target);
  });

  test("arrays that are handed back in each other's place", async () => {
    const vector = arrayType("f64", [3]);
    const moves = [
      [0, 0],
      [1, 1],
    ] as const;
    const turn = define(
      "turn",
      [vector, vector, i32],
      (b, [x, y, k]) => {
        const stop = b.block([], () => [x!, y!]);
        const step = b.block([], (arm) => {
          const written = arm.update(x!, arm.sum(y!), [arm.constant(0, "i32")]);
          const inputs = [y!, written, arm.sub(k!, 1)];
          return call(arm, named("turn"), inputs, [vector, vector], moves);
        });
        return b.if(b.binary("le", k!, 0), stop, step);
      },
      moves,
    );
    const main = define("f", [vector, vector], (b, [x, y]) => {
      const inputs = [b.one("copy", [x!]), b.one("copy", [y!]), b.constant(3, "i32")];
      const out = call(b, named("turn"), inputs, [vector, vector], moves);
      return [out[1]!, out[0]!];
    });
    const inputs = [ndarray("f64", [3], [1, 2, 3]), ndarray("f64", [3], [4, 5, 6])];
    await expectSame(graphOf([turn], main), inputs, target);
  });

  test("the determinant of 8 by 8 by minors, and its gradient", async () => {
    const size = 8;
    const matrix = arrayType("f64", [size, size]);
    const flags = arrayType("i32", [size]);
    // det(a, taken, row): expands along `row` over the columns that are not taken
    const det = define("det", [matrix, flags, i32], (b, [a, taken, row]) => {
      const stop = b.block([], (arm) => [arm.constant(1)]);
      const step = b.block([], (arm) => {
        const body = arm.block([i32, f64, f64], (inner, [j, sum, sign]) => {
          const free = inner.binary("eq", inner.at(taken!, [j!]), 0);
          const skip = inner.block([], () => [sum!, sign!]);
          const minor = inner.block([], (deep) => {
            const copy = deep.one("copy", [taken!]);
            const marked = deep.update(copy, deep.constant(1, "i32"), [j!]);
            const below = [a!, marked, deep.add(row!, 1)];
            const [value] = call(deep, named("det"), below, [f64]);
            const term = deep.mul(deep.mul(sign!, deep.at(a!, [row!, j!])), value!);
            return [deep.add(sum!, term), deep.unary("neg", sign!)];
          });
          return inner.if(free, minor, skip);
        });
        const count = arm.constant(size, "i32");
        return arm.for(count, [arm.constant(0), arm.constant(1)], body).slice(0, 1);
      });
      return b.if(b.binary("ge", row!, size), stop, step);
    });
    const main = define("f", [matrix], (b, [a]) => {
      const none = b.broadcast(b.constant(0, "i32"), [size], []);
      return call(b, named("det"), [a!, none, b.constant(0, "i32")], [f64]);
    });
    const adjoint: Callee = { kind: "vjp", of: named("f"), active: [true] };
    const gradient = define("g", [matrix, f64], (b, parameters) =>
      call(b, adjoint, parameters, [f64, matrix]),
    );
    const values = Array.from({ length: size * size }, (_, k) => Math.cos(k * k + 1));
    const input = ndarray("f64", [size, size], values);
    const program = await compileGraph(graphOf([det, main], gradient), target);
    const results = program(toTensor(input), toTensor(scalar("f64", 1))).map(toArray);
    const rows = Array.from({ length: size }, (_, i) => values.slice(i * size, (i + 1) * size));
    expect(results[0]!.data[0]).toBeCloseTo(determinant(rows), 9);
    for (let i = 0; i < size; i++) {
      for (let j = 0; j < size; j++) {
        const minor = rows.toSpliced(i, 1).map((row) => row.toSpliced(j, 1));
        const cofactor = (-1) ** (i + j) * determinant(minor);
        expect(results[1]!.data[i * size + j]).toBeCloseTo(cofactor, 9);
      }
    }
  });
});

/** By elimination with pivots. */
function determinant(matrix: readonly (readonly number[])[]): number {
  const rows = matrix.map((row) => [...row]);
  let product = 1;
  for (let k = 0; k < rows.length; k++) {
    const below = rows.slice(k).map((row) => Math.abs(row[k]!));
    const pivot = k + below.indexOf(Math.max(...below));
    if (pivot !== k) {
      [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
      product = -product;
    }
    product *= rows[k]![k]!;
    for (let i = k + 1; i < rows.length; i++) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j < rows.length; j++) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  return product;
}
