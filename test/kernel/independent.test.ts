/** Loops over elements of arrays: in vectors where their rounds are independent, and only there. */

import { describe, expect, test } from "vitest";
import { symbol } from "../../compiler/ir/dim.ts";
import { ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, scalarType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { printModule } from "../../compiler/kernel/print.ts";
import { targets } from "../../compiler/targets/target.ts";
import { expectSame, fnOf, graphOf } from "./support.ts";

const n = symbol("n");
const vector = arrayType("f64", [n]);
const i32 = scalarType("i32");

type Round = (b: GraphBuilder, i: Value, y: Value, x: Value, count: Value) => Value;

/** `y` after `count - short` rounds that write it, from a copy of the first parameter. */
function loopOf(round: Round, short = 0) {
  return fnOf([vector, vector], (b, parameters) => {
    const [start, x] = parameters as [Value, Value];
    const count = b.extent(n);
    const body = b.block([i32, vector], (inner, [i, y]) => [
      round(inner, i as Value, y as Value, x, count),
    ]);
    return b.for(b.sub(count, short), [b.one("copy", [start])], body);
  });
}

const at = (b: GraphBuilder, x: Value, i: Value): Value => b.at(x, [i]);

const vectorised: Readonly<Record<string, ReturnType<typeof loopOf>>> = {
  "y[i] = y[i] * x[i] + 1": loopOf((b, i, y, x) =>
    b.update(y, b.add(b.mul(at(b, y, i), at(b, x, i)), 1), [i]),
  ),
  "y[n-1-i] += x[n-1-i] / 3": loopOf((b, i, y, x, count) => {
    const k = b.sub(b.sub(count, 1), i);
    return b.one("add_at", [y, b.div(at(b, x, k), 3), k]);
  }),
  "y[i+1] = x[i] - x[i+1]": loopOf((b, i, y, x) => {
    const next = b.add(i, 1);
    return b.update(y, b.sub(at(b, x, i), at(b, x, next)), [next]);
  }, 1),
};

const one: Readonly<Record<string, ReturnType<typeof loopOf>>> = {
  "y[i+1] = y[i] + x[i]": loopOf(
    (b, i, y, x) => b.update(y, b.add(at(b, y, i), at(b, x, i)), [b.add(i, 1)]),
    1,
  ),
  "y[0] += x[i]": loopOf((b, i, y, x) => b.one("add_at", [y, at(b, x, i), b.constant(0, "i32")])),
  "y[i] = x[n-1-i]": loopOf((b, i, y, x, count) =>
    b.update(y, at(b, x, b.sub(b.sub(count, 1), i)), [i]),
  ),
};

/** The same function with its indices known to be in range. */
function unchecked(fn: ReturnType<typeof loopOf>): ReturnType<typeof loopOf> {
  const visit = (block: (typeof fn)["body"]): (typeof fn)["body"] => ({
    ...block,
    equations: block.equations.map((equation) => ({
      ...equation,
      regions: equation.regions.map(visit),
      parameters: ["at", "update", "add_at"].includes(equation.op)
        ? { ...equation.parameters, unchecked: true }
        : equation.parameters,
    })),
  });
  return { ...fn, body: visit(fn.body) };
}

function vectorsIn(fn: ReturnType<typeof loopOf>): boolean {
  return / step 2 /.test(printModule(lower(graphOf(fn), targets.wasm.lowering)));
}

async function expectRight(fn: ReturnType<typeof loopOf>): Promise<void> {
  for (const size of [1, 2, 3, 7, 5000]) {
    const values = (phase: number) =>
      ndarray(
        "f64",
        [size],
        Float64Array.from({ length: size }, (_, k) => Math.sin(k + phase)),
      );
    await expectSame(fn, [values(1), values(2)]);
  }
}

describe("rounds that are independent", () => {
  test.each(Object.entries(vectorised))("%s runs in vectors", async (_name, fn) => {
    expect(vectorsIn(unchecked(fn))).toBe(true);
    await expectRight(unchecked(fn));
    await expectRight(fn);
  });
});

test.each([-3, 0, 1, 2, 5, 16, 40])("%d rounds, a number that is known", async (count) => {
  const type = arrayType("f64", [44]);
  const fn = fnOf([type], (b, [x]) => {
    const body = b.block([i32, type], (inner, [i, y]) => {
      const k = inner.add(i as Value, 4);
      return [inner.update(y as Value, inner.add(at(inner, x as Value, k), 1), [k])];
    });
    return b.for(b.constant(count, "i32"), [b.one("copy", [x as Value])], body);
  });
  const values = Float64Array.from({ length: 44 }, (_, k) => Math.sin(k));
  await expectSame(unchecked(fn), [ndarray("f64", [44], values)]);
});

describe("sums", () => {
  const squares = fnOf([vector], (b, [x]) => {
    const types = [i32, scalarType("f64")];
    const body = b.block(types, (inner, [i, sum]) => {
      const value = at(inner, x as Value, i as Value);
      return [inner.add(sum as Value, inner.mul(value, value))];
    });
    return b.for(b.extent(n), [b.constant(0)], body);
  });
  const text = (reassociate: boolean): string =>
    printModule(lower(graphOf(unchecked(squares)), { ...targets.wasm.lowering, reassociate }));

  test("keep their order", () => {
    expect(text(false)).not.toMatch(/ step 2 /);
  });

  test("are taken in lanes where the root says that their order does not matter", () => {
    expect(text(true)).toMatch(/ step 2 /);
  });
});

describe("rounds that are not", () => {
  test.each(Object.entries(one))("%s runs one by one", async (_name, fn) => {
    expect(vectorsIn(unchecked(fn))).toBe(false);
    await expectRight(unchecked(fn));
    await expectRight(fn);
  });
});
