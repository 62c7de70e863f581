/** Equations over rows as one loop: what becomes one, what does not, and that numbers stay. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Dim, elementCount, sameShape, symbol } from "../../compiler/ir/dim.ts";
import { ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type Fn, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { assertWellFormed } from "../../compiler/ops/check.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { fuseRows } from "../../compiler/passes/rows.ts";
import { tidied } from "../../compiler/passes/tidy.ts";
import {
  compileFn,
  expectClose,
  expectSameInParts,
  fnOf,
  targetNames,
  toArray,
  toTensor,
} from "../kernel/support.ts";
import { type Choose, choosers, pick } from "../random/choose.ts";
import { runs } from "../random/runs.ts";

const B = symbol("B");

/** As the compiler does it, of rows of any length. */
function fused(fn: Fn): Fn {
  const result = tidied({ ...fn, body: fuseRows(fn.body, 1) });
  assertWellFormed(result, "rows");
  return result;
}

function opsOf(fn: Fn): readonly string[] {
  return fn.body.equations.map(({ op }) => op);
}

function loopsIn(fn: Fn): number {
  return opsOf(fn).filter((op) => op === "for").length;
}

/** A number for each row, over the row again. */
function spread(b: GraphBuilder, x: Value, shape: readonly Dim[]): Value {
  return b.broadcast(
    x,
    shape,
    x.type.shape.map((_, axis) => axis),
  );
}

function softmax(b: GraphBuilder, x: Value): Value {
  const { shape } = x.type;
  const last = [shape.length - 1];
  const centred = b.sub(x, spread(b, b.reduce("reduce_max", x, last), shape));
  const e = b.unary("exp", centred);
  return b.div(e, spread(b, b.sum(e, last), shape));
}

describe("what becomes a loop", () => {
  it("a softmax, of one row at a time", () => {
    const fn = fused(fnOf([arrayType("f32", [B, 5])], (b, [x]) => [softmax(b, x as Value)]));
    expect(opsOf(fn)).toEqual(["constant", "broadcast", "extent", "for"]);
    const [loop] = fn.body.equations.filter(({ op }) => op === "for");
    const shapes = loop?.regions[0]?.equations.flatMap(({ outputs }) =>
      outputs.map(({ type }) => type.shape),
    );
    // Besides the array that grows there are rows and numbers.
    expect(shapes?.filter((shape) => shape.length > 1)).toHaveLength(1);
  });

  it("leading axes together, and sums over them in the same loop", () => {
    const fn = fused(
      fnOf([arrayType("f32", [B, 4, 6])], (b, [x]) => {
        const y = softmax(b, x as Value);
        return [y, b.sum(y, [0, 1]), b.sum(b.mul(y, y))];
      }),
    );
    expect(loopsIn(fn)).toBe(1);
    expect(opsOf(fn)).not.toContain("sum");
  });

  it("a product between two of them makes two", () => {
    const square = arrayType("f32", [6, 6]);
    const fn = fused(
      fnOf([square, square], (b, [x, w]) => {
        const y = b.dot(softmax(b, x as Value), w as Value, { contract: [[1], [0]] });
        return [softmax(b, y)];
      }),
    );
    expect(opsOf(fn).filter((op) => op === "for" || op === "dot")).toEqual(["for", "dot", "for"]);
  });

  it("no loop where no row meets what it was reduced to", () => {
    const type = arrayType("f32", [8, 6]);
    const fn = fused(
      fnOf([type, type], (b, [x, y]) => {
        const z = b.mul(x as Value, y as Value);
        return [b.sum(z, [1]), b.sum(z, [0]), b.unary("exp", z)];
      }),
    );
    expect(loopsIn(fn)).toBe(0);
  });

  it("no loop over short rows, which are not worth it", () => {
    const of = (length: number): Fn =>
      fnOf([arrayType("f32", [B, length])], (b, [x]) => [softmax(b, x as Value)]);
    expect(loopsIn({ ...of(10), body: fuseRows(of(10).body) })).toBe(0);
    expect(loopsIn({ ...of(1000), body: fuseRows(of(1000).body) })).toBe(1);
  });

  it("what its only reader computes anyway stays outside", () => {
    const fn = fused(
      fnOf([arrayType("f32", [8, 6]), arrayType("f32", [6, 8])], (b, [x, w]) => {
        const y = softmax(b, x as Value);
        const after = b.neg(y);
        const times = (left: Value, right: Value): Value =>
          b.dot(left, right, { contract: [[1], [0]] });
        const back = times(times(y, w as Value), x as Value);
        return [b.mul(after, back)];
      }),
    );
    expect(loopsIn(fn)).toBe(1);
    expect(opsOf(fn)).toContain("neg");
  });
});

/** Appends a step of the kind that meets rows again, or one that comes between. */
function step(b: GraphBuilder, pool: Value[], choose: Choose): void {
  const x = pick(choose, pool);
  const { shape } = x.type;
  const rank = shape.length;
  const same = pool.filter(({ type }) => sameShape(type.shape, shape));
  const keep = (value: Value): void => void pool.push(b.unary("tanh", value));
  const wider = pool.filter(({ type }) => {
    return type.shape.length > rank && sameShape(type.shape.slice(0, rank), shape);
  });
  switch (Math.floor(choose() * 11)) {
    case 0:
      return keep(b.add(x, pick(choose, same)));
    case 1:
      return keep(b.mul(b.sub(x, 0.25), pick(choose, same)));
    case 2: {
      const other = pick(choose, same);
      return void pool.push(b.select(b.binary("lt", x, other), b.neg(x), other));
    }
    case 3: {
      const axes = shape.map((_, axis) => axis).filter(() => choose() < 0.4);
      return axes.length === 0 ? undefined : keep(b.sum(x, axes));
    }
    case 4:
    case 5:
      return rank < 2 ? undefined : keep(b.sum(x, [rank - 1]));
    case 6:
      return rank < 2 ? undefined : void pool.push(b.reduce("reduce_max", x, [rank - 1]));
    case 7:
    case 8:
      return wider.length === 0
        ? undefined
        : void pool.push(spread(b, x, pick(choose, wider).type.shape));
    case 9: {
      // A vector over all rows, or an axis of 1 that comes or goes.
      if (rank === 1) {
        const [extent] = shape;
        const ending = pool.filter(
          ({ type }) =>
            type.shape.length > 1 && JSON.stringify(type.shape.at(-1)) === JSON.stringify(extent),
        );
        if (ending.length === 0) return undefined;
        const wide = pick(choose, ending).type.shape;
        return void pool.push(b.broadcast(x, wide, [wide.length - 1]));
      }
      const other = shape.at(-1) === 1 ? shape.slice(0, -1) : [...shape, 1];
      return void pool.push(b.reshape(x, other));
    }
    default: {
      if (rank < 2) return keep(b.unary("neg", x));
      const turned = b.transpose(
        x,
        [...shape.keys()].map((axis) => (axis + 1) % rank),
      );
      return void pool.push(turned, b.reshape(x, [elementCount(shape)]));
    }
  }
}

function programOf(choose: Choose): Fn {
  const types = [
    arrayType("f64", [B, 5]),
    arrayType("f64", [B, 5]),
    arrayType("f64", [2, 3, 4]),
    arrayType("f64", [5]),
  ];
  return fnOf(types, (b, parameters) => {
    const pool = [...parameters];
    for (let k = 0; k < 24; k++) step(b, pool, choose);
    return pool.slice(-5);
  });
}

function wave(count: number, phase: number): number[] {
  return Array.from({ length: count }, (_, k) => Math.sin(k * 1.7 + phase));
}

describe("random programs", () => {
  let loops = 0;

  it.each([0, 1, 6])("with %d rows", { timeout: 240_000 }, async (rows) => {
    const inputs = [
      ndarray("f64", [rows, 5], wave(5 * rows, 0)),
      ndarray("f64", [rows, 5], wave(5 * rows, 1)),
      ndarray("f64", [2, 3, 4], wave(24, 2)),
      ndarray("f64", [5], wave(5, 3)),
    ];
    await fc.assert(
      fc.asyncProperty(choosers, async (choose) => {
        const fn = programOf(choose);
        const expected = interpret(fn, inputs);
        const inRows = fused(fn);
        loops += loopsIn(inRows);
        interpret(inRows, inputs).forEach((result, k) => {
          expectClose(result, expected[k] as typeof result, "interpreter");
        });
        for (const target of targetNames) {
          const program = await compileFn(inRows, target);
          program(...inputs.map(toTensor)).forEach((result, k) => {
            expectClose(toArray(result), expected[k] as (typeof expected)[number], target);
          });
        }
        await expectSameInParts(inRows, inputs, expected);
      }),
      runs(100, 11),
    );
  });

  it("has loops to speak of", () => {
    expect(loops).toBeGreaterThan(50);
  });
});
