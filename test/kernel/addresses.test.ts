/**
 * Arrays at the lowest addresses there are, at indices that lie far from them in parts: an address
 * without its offset must not wrap below zero. In a file of its own, whose memory starts empty.
 */

import { expect, test } from "vitest";
import { ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, scalarType, type Value } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { compiledProgram } from "../programs/harness.ts";
import { compileFn, expectSame, fnOf, toArray, toTensor } from "./support.ts";

const wave = (count: number) => Float64Array.from({ length: count }, (_, k) => Math.sin(k));
const known = { unchecked: true };

/** Σ x[place(i)] · y[i], in order, so that it runs round by round. */
const backwards = (length: number, place: (b: GraphBuilder, i: Value) => Value, rounds: number) =>
  fnOf([arrayType("f64", [length]), arrayType("f64", [length])], (b, [x, y]) => {
    const types = [scalarType("i32"), scalarType("f64")];
    const body = b.block(types, (inner, [i, sum]) => {
      const a = inner.one("at", [x as Value, place(inner, i as Value)], known);
      const c = inner.one("at", [y as Value, i as Value], known);
      return [inner.mul(inner.add(sum as Value, inner.mul(a, c)), 0.5)];
    });
    return b.for(b.constant(rounds, "i32"), [b.constant(0)], body);
  });

test("a step of a convolutional network, the first thing in memory", async () => {
  const numbers = async (target: "js" | "wasm") => {
    const program = await compiledProgram("convolutional-network", target);
    return (program as unknown as { many: () => [number, ...number[][]] }).many();
  };
  const found = (await numbers("wasm")).flat();
  const expected = (await numbers("js")).flat();
  found.forEach((value, k) => {
    const scale = 1 + Math.abs(expected[k] as number);
    expect(Math.abs(value - (expected[k] as number)) / scale).toBeLessThan(1e-3);
  });
});

test.each([991, 992, 993, 1007, 4096])("%d elements from the last to the first", async (length) => {
  const fn = backwards(length, (b, i) => b.sub(b.constant(length - 1, "i32"), i), length);
  const data = ndarray("f64", [length], wave(length));
  await expectSame(fn, [data, data]);
});

test.each([2, 3, 7])("every %dth element, backwards", async (step) => {
  const length = 1000 * step;
  const last = length - step;
  const fn = backwards(
    length,
    (b, i) => b.sub(b.constant(last, "i32"), b.mul(i, b.constant(step, "i32"))),
    1000,
  );
  const data = ndarray("f64", [length], wave(length));
  await expectSame(fn, [data, data]);
});

test.each(["conv", "conv_input", "conv_filter"])("%s of images of some size", async (op) => {
  const [batch, size, inner, outer, window] = [3, 28, 3, 8, 5] as const;
  const half = (window - 1) / 2;
  const geometry = {
    stride: [1, 1],
    low: [half, half],
    high: [half, half],
    dilation: [1, 1],
    groups: 1,
  };
  const shapes = {
    images: [batch, size, size, inner],
    filters: [window, window, inner, outer],
    results: [batch, size, size, outer],
  };
  const [first, second, parameters] = {
    conv: [shapes.images, shapes.filters, geometry],
    conv_input: [shapes.results, shapes.filters, { ...geometry, input: [size, size] }],
    conv_filter: [shapes.images, shapes.results, { ...geometry, window: [window, window] }],
  }[op] as [number[], number[], typeof geometry];
  const array = (shape: readonly number[]) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    return ndarray("f32", shape, wave(count));
  };
  const inputs = [array(first), array(second)];
  const types = inputs.map(({ shape }) => arrayType("f32", shape));
  const fn = fnOf(types, (b, [x, y]) => [b.one(op, [x as Value, y as Value], parameters)]);
  const [expected] = interpret(fn, inputs);
  const [result] = (await compileFn(fn, "wasm"))(...inputs.map(toTensor)).map(toArray);
  const worst = Math.max(
    ...Array.from(expected?.data ?? [], (v, k) => Math.abs(v - (result?.data[k] as number))),
  );
  expect(worst).toBeLessThan(2e-3);
});
