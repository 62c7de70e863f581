/** Whole programs on every target against the interpreter. */

import { describe, it } from "vitest";
import { symbol } from "../../compiler/ir/dim.ts";
import { ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { arrayType, scalarType, type Value } from "../../compiler/ir/types.ts";
import { expectSame, fnOf } from "./support.ts";

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
});
