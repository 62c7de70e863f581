/** Whole programs on every target against the interpreter. */

import { describe, expect, it } from "vitest";
import { symbol } from "../../compiler/ir/dim.ts";
import { ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { arrayType, scalarType, stackType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { printModule } from "../../compiler/kernel/print.ts";
import { targets } from "../../compiler/targets/target.ts";
import { expectSame, fnOf, graphOf } from "./support.ts";

const f64 = scalarType("f64");
const i32 = scalarType("i32");

function wave(count: number): number[] {
  return Array.from({ length: count }, (_, k) => Math.sin(k * 1.7 + 0.3) * 2);
}

describe("programs", () => {
  it("computes scalars", async () => {
    const fn = fnOf([f64, f64], (b, [x, y]) => {
      const s = b.add(b.mul(x as Value, y as Value), b.unary("sin", x as Value));
      return [s, b.unary("round", s), b.binary("lt", x as Value, y as Value)];
    });
    await expectSame(fn, [scalar("f64", 1.25), scalar("f64", -3.7)]);
  });

  it("makes a scalar of an array of one element, and reads it twice", async () => {
    const fn = fnOf([f64], (b, [x]) => {
      const row = b.broadcast(x as Value, [1], []);
      const sum = b.reshape(b.add(row, row), []);
      return [b.add(b.mul(sum, sum), sum)];
    });
    await expectSame(fn, [scalar("f64", 1.25)]);
  });

  it("fuses elementwise operations over symbolic shapes", async () => {
    const shape = [symbol("B"), 5];
    const fn = fnOf([arrayType("f32", shape), arrayType("f32", [5])], (b, [x, v]) => {
      const y = b.add(b.mul(x as Value, 2), b.broadcast(v as Value, shape, [1]));
      const z = b.unary("tanh", y);
      return [b.mul(z, z), b.add(y, 1), b.select(b.binary("gt", z, 0), y, 0)];
    });
    await expectSame(fn, [ndarray("f32", [3, 5], wave(15)), ndarray("f32", [5], wave(5))]);
  });

  it("runs loops over scalars and arrays", async () => {
    const fn = fnOf([i32, f64, arrayType("f64", [6])], (b, [n, x, a]) => {
      const body = b.block([i32, f64, arrayType("f64", [6])], (inner, [i, s, row]) => {
        const next = inner.add(inner.mul(s as Value, 0.9), inner.cast(i as Value, "f64"));
        const index = inner.binary("rem", i as Value, 6);
        return [next, inner.update(row as Value, next, [index])];
      });
      const start = b.one("copy", [a as Value]);
      return b.for(n as Value, [x as Value, start], body);
    });
    await expectSame(fn, [scalar("i32", 10000), scalar("f64", 1), ndarray("f64", [6], wave(6))]);
  });

  it("keeps values of a loop on stacks, scalars and arrays", async () => {
    const row = arrayType("f64", [3]);
    const fn = fnOf([i32, row], (b, [n, a]) => {
      const forward = b.block(
        [i32, stackType("f64", []), stackType("f64", [3]), row],
        (inner, [i, scalars, rows, x]) => {
          const value = inner.cast(i as Value, "f64");
          const next = inner.add(inner.mul(x as Value, 0.5), value);
          return [inner.push(scalars as Value, value), inner.push(rows as Value, x as Value), next];
        },
      );
      const [scalars, rows, last] = b.for(
        n as Value,
        [b.stackNew("f64", []), b.stackNew("f64", [3]), b.one("copy", [a as Value])],
        forward,
      );
      const backward = b.block(
        [i32, stackType("f64", []), stackType("f64", [3]), row],
        (inner, [, s, r, sum]) => {
          const [restS, value] = inner.pop(s as Value);
          const [restR, x] = inner.pop(r as Value);
          const scaled = inner.mul(x, inner.broadcastTo(value, [3]));
          return [restS, restR, inner.add(sum as Value, scaled)];
        },
      );
      const zero = b.zerosOf(row);
      const results = b.for(n as Value, [scalars as Value, rows as Value, zero], backward);
      return [last as Value, results[2] as Value];
    });
    await expectSame(fn, [scalar("i32", 1000), ndarray("f64", [3], wave(3))]);
    await expectSame(fn, [scalar("i32", 0), ndarray("f64", [3], wave(3))]);
  });

  it("takes the branch that an `if` names, for scalars and arrays", async () => {
    const row = arrayType("f64", [4]);
    const fn = fnOf([f64, row], (b, [x, a]) => {
      const doubled = b.mul(a as Value, 2);
      const [s, r] = b.if(
        b.binary("gt", x as Value, 0),
        b.block([], (inner) => [inner.mul(x as Value, 3), inner.add(doubled, 1)]),
        b.block([], (inner) => [inner.neg(x as Value), a as Value]),
      );
      return [s as Value, b.add(r as Value, doubled)];
    });
    await expectSame(fn, [scalar("f64", 1), ndarray("f64", [4], wave(4))]);
    await expectSame(fn, [scalar("f64", -1), ndarray("f64", [4], wave(4))]);
  });

  it("does not copy arrays that loops in loops write, beside numbers that they carry", async () => {
    const row = arrayType("f64", [6]);
    const inner = (b: GraphBuilder, start: readonly Value[], i: Value): readonly Value[] =>
      b.for(
        b.constant(3, "i32"),
        start,
        b.block([scalarType("i32"), row, row, scalarType("f64")], (body, [k, x, y, c]) => {
          const at = [body.add(k as Value, i)];
          const [one, two] = [body.at(x as Value, at), body.at(y as Value, at)];
          const mixed = body.sub(body.mul(one, c as Value), two);
          return [
            body.update(x as Value, mixed, at),
            body.update(y as Value, body.add(one, two), at),
            body.mul(c as Value, 0.99),
          ];
        }),
      );
    const fn = fnOf([row], (b, [a]) => {
      const body = b.block([scalarType("i32"), row, row], (round, [i, x, y]) => {
        const one = round.constant(1, "f64");
        return inner(round, [x as Value, y as Value, one], i as Value).slice(0, 2);
      });
      const start = [b.one("copy", [a as Value]), b.one("copy", [a as Value])];
      return b.for(b.constant(4, "i32"), start, body);
    });
    await expectSame(fn, [ndarray("f64", [6], [1, 2, 3, 4, 5, 6])]);
    const text = printModule(lower(graphOf(fn), targets.wasm.lowering));
    // The two with which it starts.
    expect(text.match(/ copy /g)).toHaveLength(2);
  });

  it("adds at many indices what stands in the memory that it adds to", async () => {
    const fn = fnOf([arrayType("f64", [3, 1]), arrayType("i32", [3])], (b, [x, k]) => {
      const own = b.one("copy", [x as Value]);
      const [y, z] = [b.reshape(own, [3]), b.reshape(own, [3])];
      return [b.one("scatter_add", [y, k as Value, z], { axis: 0 })];
    });
    await expectSame(fn, [ndarray("f64", [3, 1], [1, 2, 3]), ndarray("i32", [3], [1, 2, 0])]);
  });

  it("swaps carried arrays and keeps what is read later", async () => {
    const row = arrayType("f32", [5]);
    const fn = fnOf([i32, row, row], (b, [n, a, c]) => {
      const body = b.block([i32, row, row, row], (inner, [, x, y, z]) => {
        const sum = inner.add(x as Value, inner.mul(y as Value, 0.25));
        return [y as Value, sum, inner.add(z as Value, sum)];
      });
      const start = [b.one("copy", [a as Value]), b.one("copy", [c as Value]), b.zerosOf(row)];
      return [...b.for(n as Value, start, body), b.add(a as Value, c as Value)];
    });
    for (const n of [0, 1, 2, 7]) {
      await expectSame(fn, [
        scalar("i32", n),
        ndarray("f32", [5], wave(5)),
        ndarray("f32", [5], wave(5).reverse()),
      ]);
    }
  });

  it("loops while a condition holds", async () => {
    const fn = fnOf([f64], (b, [x]) => {
      const condition = b.block([f64, i32], (inner, [v]) => [inner.binary("gt", v as Value, 1)]);
      const body = b.block([f64, i32], (inner, [v, k]) => [
        inner.mul(v as Value, 0.999),
        inner.add(k as Value, inner.constant(1, "i32")),
      ]);
      const types = [f64, i32];
      return b.append("while", [x as Value, b.constant(0, "i32")], {}, [condition, body], types);
    });
    await expectSame(fn, [scalar("f64", 1e9)]);
    await expectSame(fn, [scalar("f64", 0.5)]);
  });

  it("makes arrays of a length found at run time", async () => {
    const m = symbol("m");
    const fn = fnOf([i32, f64], (b, [n, x]) => {
      b.put({
        op: "bind",
        inputs: [n as Value],
        parameters: { symbol: "m" },
        regions: [],
        outputs: [],
        span: undefined,
      });
      const counts = b.cast(b.iota([m], 0), "f64");
      const values = b.mul(counts, b.broadcastTo(x as Value, [m]));
      const squares = b.mul(values, values);
      return [b.sum(squares), b.add(squares, values)];
    });
    await expectSame(fn, [scalar("i32", 9), scalar("f64", 0.5)]);
    await expectSame(fn, [scalar("i32", 0), scalar("f64", 0.5)]);
  });

  it("maps scalar code with loops over elements", async () => {
    const row = arrayType("f64", [2, 3]);
    const fn = fnOf([row, i32], (b, [a, n]) => {
      const body = b.block([f64], (inner, [x]) => {
        const step = inner.block([i32, f64], (deep, [, v]) => [
          deep.sub(v as Value, deep.mul(0.1, deep.unary("sin", v as Value))),
        ]);
        const [v] = inner.for(n as Value, [x as Value], step);
        return [v as Value, inner.mul(v as Value, v as Value)];
      });
      return b.map([2, 3], [a as Value], body);
    });
    await expectSame(fn, [ndarray("f64", [2, 3], wave(6)), scalar("i32", 20)]);
  });

  it("maps branches of scalar code as selections", async () => {
    const row = arrayType("f32", [7]);
    const fn = fnOf([row, row, scalarType("f32")], (b, [a, c, s]) => {
      const f32 = scalarType("f32");
      const body = b.block([f32, f32], (inner, [x, y]) => {
        const [v] = inner.if(
          inner.binary("gt", y as Value, 0),
          inner.block([], (arm) => [arm.mul(x as Value, s as Value)]),
          inner.block([], (arm) => [arm.constant(0, "f32")]),
        );
        return [v as Value, v as Value, x as Value];
      });
      return b.map([7], [a as Value, c as Value], body);
    });
    await expectSame(fn, [
      ndarray("f32", [7], wave(7)),
      ndarray("f32", [7], wave(7).reverse()),
      scalar("f32", 3),
    ]);
  });
});
