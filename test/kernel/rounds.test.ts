/** Random loops over elements of arrays and carried numbers, in vectors where that is possible. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { symbol } from "../../compiler/ir/dim.ts";
import { ndarray } from "../../compiler/ir/ndarray.ts";
import {
  arrayType,
  type DType,
  type Fn,
  isFloat,
  scalarType,
  type Value,
} from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { printModule } from "../../compiler/kernel/print.ts";
import { targets } from "../../compiler/targets/target.ts";
import { runs } from "../random/runs.ts";
import { expectSame, fnOf, graphOf } from "./support.ts";

const n = symbol("n");
/** Places behind and in front of those that the counter walks over. */
const margin = 4;

/** One statement of a round; numbers choose among what there is. */
interface Step {
  readonly kind: "read" | "combine" | "write" | "add" | "carry" | "count";
  readonly array: number;
  readonly place: number;
  readonly op: number;
  readonly a: number;
  readonly b: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom("read", "read", "combine", "combine", "write", "add", "carry", "count"),
  array: fc.nat(2),
  place: fc.nat(5),
  op: fc.nat(6),
  a: fc.nat(20),
  b: fc.nat(20),
});

type Elements = readonly [DType, DType, DType];

/**
 * Three arrays, the last of which is only read, two carried numbers, and a shift known at run time.
 * Numbers are of `dtype`, whatever the elements are.
 */
function loopOf(
  dtype: "f64" | "f32" | "f16",
  elements: Elements,
  steps: readonly Step[],
  loose: boolean,
): Fn {
  const arrays = elements.map((element) => arrayType(element, [n]));
  const number = scalarType(dtype);
  const i32 = scalarType("i32");
  return fnOf([...arrays, i32], (b, parameters) => {
    const [first, second, source, shift] = parameters as [Value, Value, Value, Value];
    const count = b.sub(b.extent(n), 2 * margin);
    const types = [i32, ...arrays.slice(0, 2), number, number];
    const body = b.block(types, (inner, values) => {
      const [i, one, two, s, t] = values as [Value, Value, Value, Value, Value];
      return round(inner, steps, { i, count, shift, dtype, loose }, [one, two, source], [s, t]);
    });
    const start = [b.one("copy", [first]), b.one("copy", [second])];
    const zero = b.constant(0.5, dtype);
    return b.for(count, [...start, zero, b.constant(-0.25, dtype)], body);
  });
}

interface Setting {
  readonly i: Value;
  readonly count: Value;
  readonly shift: Value;
  readonly dtype: DType;
  readonly loose: boolean;
}

function round(
  b: GraphBuilder,
  steps: readonly Step[],
  { i, count, shift, dtype, loose }: Setting,
  given: readonly [Value, Value, Value],
  carriedFirst: readonly [Value, Value],
): readonly Value[] {
  const arrays: Value[] = [...given];
  const carried: Value[] = [...carriedFirst];
  const pool: Value[] = [b.constant(1.25, dtype), ...carried];
  const choose = (k: number): Value => pool[k % pool.length] as Value;
  const up = b.add(i, margin);
  const down = b.sub(b.add(count, margin - 1), i);
  const places = [up, b.add(up, 1), b.sub(up, 2), down, b.sub(down, 3), b.add(up, shift)];
  const place = (k: number): Value => places[k % places.length] as Value;
  const known = { unchecked: true };
  for (const { kind, array, place: k, op, a, b: c } of steps) {
    const [x, y] = [choose(a), choose(c)];
    const target = array % 2;
    const changed = arrays[target] as Value;
    const of = changed.type.dtype;
    switch (kind) {
      case "read":
        pool.push(b.cast(b.one("at", [arrays[array] as Value, place(k)], known), dtype));
        break;
      case "combine":
        pool.push(combined(b, op, x, y));
        break;
      case "write":
        arrays[target] = b.one("update", [changed, b.cast(bounded(b, x), of), place(k)], known);
        break;
      case "add":
        arrays[target] = b.one("add_at", [changed, b.cast(bounded(b, x), of), place(k)], known);
        break;
      case "carry": {
        const before = carried[target] as Value;
        const half = bounded(b, x);
        const ways = [
          () => b.one("add", [before, half], loose ? { accumulate: true } : {}),
          () => b.binary("max", before, half),
          () => b.binary("min", half, before),
          () => bounded(b, b.add(b.mul(before, 0.5), half)),
          () => b.one("select", [b.binary("lt", half, before), half, before]),
        ];
        carried[target] = (ways[op % ways.length] as () => Value)();
        pool.push(carried[target]);
        break;
      }
      case "count":
        pool.push(b.mul(b.cast(i, dtype), 0.01));
        break;
    }
  }
  return [arrays[0] as Value, arrays[1] as Value, ...carried];
}

function combined(b: GraphBuilder, op: number, x: Value, y: Value): Value {
  const ways = [
    () => b.add(x, y),
    () => b.sub(x, y),
    () => b.mul(x, y),
    () => b.binary("max", x, y),
    () => b.unary("sqrt", b.unary("abs", x)),
    () => b.one("select", [b.binary("lt", x, y), x, y]),
    () => b.unary("tanh", x),
  ];
  return (ways[op % ways.length] as () => Value)();
}

/** A number that stays small, round after round. */
function bounded(b: GraphBuilder, x: Value): Value {
  return b.binary("max", b.binary("min", b.mul(x, 0.75), 3), -3);
}

/** Its place in `combined`. */
const tanh = 6;

const counts = { vectors: 0, runs: 0 };

test.each([
  ["f64", ["f64", "f64", "f64"]],
  ["f32", ["f32", "f32", "f32"]],
  ["f64", ["f32", "f64", "i32"]],
  ["f64", ["f32", "f32", "u8"]],
  ["f64", ["i32", "f32", "u32"]],
  ["f64", ["f16", "f64", "f16"]],
  ["f64", ["f16", "f16", "u8"]],
  ["f32", ["f16", "f16", "f32"]],
  ["f16", ["f16", "f16", "f16"]],
] as const)("random rounds of %s, over %s", { timeout: 240_000 }, async (dtype, elements) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 2, maxLength: 9 }),
      fc.constantFrom(0, 1, 2, 3, 5, 8, 33),
      fc.constantFrom(-4, -3, -2, -1, 0, 1, 2, 3, 4),
      fc.boolean(),
      async (steps, rounds, shift, loose) => {
        // What differs in a last place between targets may differ in a last place of a half.
        const exact = (elements as readonly DType[]).includes("f16");
        const kept = steps.filter(({ kind, op }) => !exact || kind !== "combine" || op !== tanh);
        const fn = loopOf(dtype, elements, kept, loose && !exact);
        const length = rounds + 2 * margin;
        const values = (element: DType, k: number) => {
          const wave = (at: number) => Math.sin(at * 1.7 + k + 1);
          const data = Array.from({ length }, (_, at) =>
            isFloat(element) ? wave(at) : Math.round(100 + 100 * wave(at)),
          );
          return ndarray(element, [length], data);
        };
        counts.runs++;
        if (/ step [24] /.test(printModule(lower(graphOf(fn), targets.wasm.lowering)))) {
          counts.vectors++;
        }
        const index = ndarray("i32", [], [shift]);
        await expectSame(fn, [...elements.map(values), index]);
      },
    ),
    runs(600, 50),
  );
  // The generator must not miss what it is for.
  expect(counts.vectors / counts.runs).toBeGreaterThan(0.2);
});
