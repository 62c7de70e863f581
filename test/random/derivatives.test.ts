/** Derivatives and batches of random programs, against finite differences and loops. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { jvp } from "../../compiler/autodiff/jvp.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { vmap } from "../../compiler/autodiff/vmap.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { isFloat } from "../../compiler/ir/types.ts";
import { direction, distance, dot, moved } from "../ops/support.ts";
import { runs } from "./runs.ts";
import { programs, type RandomProgram } from "./programs.ts";

const many = runs(300, 23);
const step = 1e-5;

/** Along one direction for all active inputs. */
function directions({ inputs, active }: RandomProgram): readonly NdArray[] {
  return inputs.filter((_, k) => active[k]).map((x, k) => direction(x, k));
}

function shifted({ inputs, active }: RandomProgram, t: readonly NdArray[], h: number) {
  const points = moved(
    inputs.filter((_, k) => active[k]),
    t,
    h,
  ).values();
  return inputs.map((x, k) => (active[k] ? (points.next().value as NdArray) : x));
}

/** Programs whose numbers grow out of hand say nothing about derivatives. */
function isTame(arrays: readonly NdArray[], limit: number): boolean {
  return arrays.every((x) => x.data.every((value) => Math.abs(value) < limit));
}

describe("random smooth programs", () => {
  test("forward mode is the slope", () => {
    let compared = 0;
    fc.assert(
      fc.property(programs({ smooth: true }), (program) => {
        const t = directions(program);
        const { fn, inputs, active } = program;
        const results = interpret(fn, inputs);
        const tangents = interpret(jvp(fn, active), [...inputs, ...t]).slice(results.length);
        const wide = [-2, -1, 1, 2].map((k) => interpret(fn, shifted(program, t, k * step)));
        fc.pre(isTame([...results, ...tangents], 1e3) && isTame(wide.flat(), 1e3));
        // Fourth order: (f(-2h) - 8 f(-h) + 8 f(h) - f(2h)) / 12h.
        const slopes = results.map((x, k) => {
          const at = (row: number, n: number): number => wide[row]?.[k]?.data[n] ?? NaN;
          const data = x.data.map(
            (_, n) => (at(0, n) - 8 * at(1, n) + 8 * at(2, n) - at(3, n)) / (12 * step),
          );
          return { ...x, data };
        });
        expect(distance(tangents, slopes)).toBeLessThan(1e-4);
        compared++;
      }),
      many,
    );
    expect(compared).toBeGreaterThan(100);
  });

  test("reverse mode is the transpose of forward mode", () => {
    fc.assert(
      fc.property(programs({ smooth: true }), (program) => {
        const t = directions(program);
        const { fn, inputs, active } = program;
        const results = interpret(fn, inputs);
        const c = results.map((x, k) => direction(x, 5 + k));
        const forward = interpret(jvp(fn, active), [...inputs, ...t]).slice(results.length);
        const reverse = interpret(vjp(fn, active), [...inputs, ...c]);
        fc.pre(isTame([...forward, ...reverse], 1e6));
        expect(distance(reverse.slice(0, results.length), results)).toBe(0);
        const terms = [...forward.map((x) => Math.max(...x.data.map(Math.abs))), 1];
        const error = dot(c, forward) - dot(reverse.slice(results.length), t);
        expect(Math.abs(error) / Math.max(...terms)).toBeLessThan(1e-9);
      }),
      many,
    );
  });

  test("forward over reverse is the slope of reverse", () => {
    fc.assert(
      fc.property(programs({ smooth: true }), (program) => {
        const t = directions(program);
        const { fn, inputs, active } = program;
        const results = interpret(fn, inputs);
        const c = results.map((x, k) => direction(x, 5 + k));
        const pullback = vjp(fn, active);
        const twice = jvp(pullback, [...active, ...c.map(() => false)]);
        const all = interpret(twice, [...inputs, ...c, ...t]);
        const curvature = all.slice(all.length - t.length);
        const [low, high] = [-step, step].map((h) =>
          interpret(pullback, [...shifted(program, t, h), ...c]).slice(results.length),
        ) as unknown as readonly [readonly NdArray[], readonly NdArray[]];
        fc.pre(isTame([...curvature, ...low, ...high], 1e2));
        const slopes = high.map((x, k) => ({
          ...x,
          data: x.data.map((value, n) => (value - (low[k]?.data[n] ?? NaN)) / (2 * step)),
        }));
        expect(distance(curvature, slopes)).toBeLessThan(1e-4);
      }),
      many,
    );
  });
});

test("a batch of a random program is a loop over it", () => {
  const size = 3;
  fc.assert(
    fc.property(programs(), fc.integer({ min: 1, max: 127 }), ({ fn, inputs }, mask) => {
      const batched = inputs.map((_, k) => (mask >> k) % 2 === 1);
      const rows = inputs.map((x, k) =>
        Array.from({ length: size }, (_, row): NdArray => {
          if (!batched[k]) return x;
          const change = (value: number): number =>
            isFloat(x.dtype) ? value - row / 4 : row === 0 ? value : Number(!value);
          return { ...x, data: x.data.map(change) };
        }),
      );
      const stacked = rows.map((all, k) => {
        const [first] = all as [NdArray];
        if (!batched[k]) return first;
        return ndarray(
          first.dtype,
          [size, ...first.shape],
          all.flatMap((x) => [...x.data]),
        );
      });
      const results = interpret(vmap(fn, batched, size), stacked);
      for (let row = 0; row < size; row++) {
        const expected = interpret(
          fn,
          rows.map((all) => all[row] as NdArray),
        );
        const actual = results.map((x, k) => {
          const { shape, data } = expected[k] as NdArray;
          return { ...x, shape, data: x.data.slice(row * data.length, (row + 1) * data.length) };
        });
        expect(distance(actual, expected)).toBeLessThan(1e-9);
      }
    }),
    many,
  );
});
