/** The room that stacks ask for: exactly what a loop pushes, where that is known in front of it. */

import { afterEach, describe, expect, test, vi } from "vitest";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { scalar } from "../../compiler/ir/ndarray.ts";
import { scalarType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { tidied } from "../../compiler/passes/tidy.ts";
import { pool } from "../../runtime/storage.ts";
import { compileFn, expectSame, fnOf, targetNames, toTensor } from "./support.ts";

const f64 = scalarType("f64");
const i32 = scalarType("i32");

afterEach(() => {
  vi.restoreAllMocks();
});

/** One step of eight numbers, each changed by the next two. */
function step(b: GraphBuilder, state: readonly Value[]): readonly Value[] {
  return state.map((x, k) => {
    const [next, other] = [state[(k + 1) % 8] as Value, state[(k + 2) % 8] as Value];
    return b.add(b.mul(x, 0.5), b.mul(b.mul(next, other), 0.1));
  });
}

/** The adjoint of `rounds` steps, each of `inner` steps where there are inner loops. */
function adjointOf(nested: boolean) {
  const fn = fnOf([f64, i32, i32], (b, parameters) => {
    const [x, rounds, inner] = parameters as [Value, Value, Value];
    const start = Array.from({ length: 8 }, (_, k) => b.mul(x, k + 1));
    const types = [i32, ...start.map(() => f64)];
    const body = b.block(types, (each, [, ...state]) => {
      if (!nested) return step(each, state);
      const deep = each.block(types, (deeper, [, ...values]) => step(deeper, values));
      return each.for(inner, state, deep);
    });
    const end = b.for(rounds, start, body);
    return [end.reduce((sum, value) => b.add(sum, value))];
  });
  return tidied(vjp(fn, [true, false, false]));
}

describe.each(targetNames)("%s", (target) => {
  test.each([
    ["one loop", false, 100_000, 0],
    ["a nest", true, 1000, 100],
  ])("%s keeps eight numbers a step and no more", async (_name, nested, rounds, inner) => {
    const program = await compileFn(adjointOf(nested), target);
    const sizes: number[] = [];
    const { allocate } = pool.memory;
    vi.spyOn(pool.memory, "allocate").mockImplementation((bytes) => {
      sizes.push(bytes);
      return allocate(bytes);
    });
    const inputs = [scalar("f64", 0.1), scalar("i32", rounds), scalar("i32", inner)];
    program(...[...inputs, scalar("f64", 1)].map(toTensor));
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBeGreaterThan(6.3e6);
    expect(total).toBeLessThan(8e6);
  });
});

test.each([
  [false, 0, 0],
  [false, 1, 0],
  [false, 5, 0],
  [false, -3, 0],
  [true, 0, 4],
  [true, 3, 0],
  [true, 3, 2],
  [true, 2, -1],
])("nested: %s, %d rounds of %d give what the interpreter gives", async (nested, n, m) => {
  const inputs = [scalar("f64", 0.3), scalar("i32", n), scalar("i32", m), scalar("f64", 1)];
  await expectSame(adjointOf(nested), inputs);
});
