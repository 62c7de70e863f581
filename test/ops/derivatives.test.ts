/** Derivatives and batching of every op, generated from its samples. */

import { describe, expect, test } from "vitest";
import { jvp } from "../../compiler/autodiff/jvp.ts";
import { vjp } from "../../compiler/autodiff/vjp.ts";
import { vmap } from "../../compiler/autodiff/vmap.ts";
import { symbol } from "../../compiler/ir/dim.ts";
import { parseFunction } from "../../compiler/ir/parse.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { arrayType, type Fn, isFloat } from "../../compiler/ir/types.ts";
import type { Op, Sample } from "../../compiler/ops/define.ts";
import { newBuilder, ops } from "../../compiler/ops/index.ts";
import {
  activeInputs,
  cases,
  direction,
  distance,
  dot,
  functionOf,
  isDifferentiated,
  moved,
} from "./support.ts";

const step = 1e-5;

/** How far a function's own derivatives are from what they must be. */
interface Errors {
  /** jvp against central differences. */
  readonly forward: number;
  /** ⟨c, J t⟩ against ⟨Jᵀ c, t⟩, relative. */
  readonly transpose: number;
  /** jvp of vjp against central differences of vjp. */
  readonly second: number;
}

function derivativeErrors(fn: Fn, inputs: readonly NdArray[], active: readonly boolean[]): Errors {
  const results = interpret(fn, inputs);
  const floats = results.filter((x) => isFloat(x.dtype));
  const activeOnes = inputs.filter((_, k) => active[k]);
  const tangents = activeOnes.map((x, k) => direction(x, k));
  const cotangents = floats.map((x, k) => direction(x, 5 + k));
  const at = (f: Fn, h: number, extra: readonly NdArray[] = []): readonly NdArray[] => {
    const shifted = moved(activeOnes, tangents, h).values();
    return interpret(f, [
      ...inputs.map((x, k) => (active[k] ? shifted.next().value! : x)),
      ...extra,
    ]);
  };
  const slope = (f: Fn, extra: readonly NdArray[] = []): readonly NdArray[] => {
    const [low, high] = [at(f, -step, extra), at(f, step, extra)];
    return high.map((x, k) => ({
      ...x,
      data: x.data.map((value, n) => (value - (low[k]?.data[n] ?? NaN)) / (2 * step)),
    }));
  };

  const forward = interpret(jvp(fn, active), [...inputs, ...tangents]).slice(results.length);
  const differences = slope(fn).filter((x) => isFloat(x.dtype));
  const pullback = vjp(fn, active);
  const backward = interpret(pullback, [...inputs, ...cotangents]).slice(results.length);
  const [left, right] = [dot(cotangents, forward), dot(backward, tangents)];

  // The tangents of the cotangents of the inputs: directions enter by the inputs alone.
  const alongInputs = [...active, ...cotangents.map(() => false)];
  const twice = jvp(pullback, alongInputs);
  const all = interpret(twice, [...inputs, ...cotangents, ...tangents]);
  const curvature = all.slice(all.length - activeOnes.length);
  const bent = slope(pullback, cotangents).slice(results.length);
  return {
    forward: distance(forward, differences),
    transpose: Math.abs(left - right) / Math.max(1, Math.abs(left)),
    second: distance(curvature, bent),
  };
}

describe("derivatives", () => {
  test.each(cases.filter(isDifferentiated))("$name", ({ op, sample }) => {
    const active = activeInputs(sample);
    const errors = derivativeErrors(functionOf(op, sample), sample.inputs, active);
    expect(errors.forward).toBeLessThan(1e-6);
    expect(errors.transpose).toBeLessThan(1e-12);
    expect(errors.second).toBeLessThan(1e-5);
  });

  test.each(cases.filter(({ sample }) => activeInputs(sample).filter(Boolean).length > 1))(
    "one input at a time: $name",
    ({ op, sample }) => {
      const active = activeInputs(sample);
      active.forEach((isActive, only) => {
        if (!isActive) return;
        const errors = derivativeErrors(
          functionOf(op, sample),
          sample.inputs,
          active.map((_, k) => k === only),
        );
        expect(errors.forward).toBeLessThan(1e-6);
        expect(errors.transpose).toBeLessThan(1e-12);
        expect(errors.second).toBeLessThan(1e-5);
      });
    },
  );
});

describe("derivatives for any number of images", () => {
  const image: Readonly<Record<string, readonly number[]>> = {
    conv: [0],
    conv_input: [0],
    conv_filter: [0, 1],
    window_sum: [0],
    window_sum_input: [0],
    window_max: [0],
    window_max_grad: [0, 1],
    window_max_take: [0, 1],
  };
  const several = cases.filter((one) => one.op.name in image && isDifferentiated(one));
  test.each(several)("$name", ({ op, sample }) => {
    const { inputs, parameters = {} } = sample;
    const types = inputs.map(({ dtype, shape }, k) => {
      const [, ...rest] = shape;
      return arrayType(dtype, image[op.name]?.includes(k) ? [symbol("N"), ...rest] : shape);
    });
    const body = newBuilder().block(types, (b, all) => b.emit(op.name, all, parameters));
    const active = activeInputs(sample);
    const results = interpret(functionOf(op, sample), inputs);
    const given = [...inputs, ...results.map((x) => direction(x, 5))];
    const expected = interpret(vjp(functionOf(op, sample), active), given);
    const actual = interpret(vjp({ name: op.name, body }, active), given);
    expect(actual).toEqual(expected);
  });
});

describe("the check itself", () => {
  const wrong: readonly (readonly [string, Op["derivative"]])[] = [
    ["tanh", { kind: "partials", partials: [({ outputs }) => outputs[0]] }],
    ["sum", { kind: "linear", in: [0], transpose: () => [undefined] }],
    [
      "mul",
      {
        kind: "multilinear",
        transposes: [
          ({ builder, inputs }, w) => builder.mul(w, inputs[0]!),
          ({ builder, inputs }, w) => builder.mul(w, inputs[0]!),
        ],
      },
    ],
    ["div", { kind: "zero" }],
  ];
  test.each(wrong)("a wrong derivative of %s is found", (name, derivative) => {
    const table = ops as Record<string, Op>;
    const right = table[name] as Op;
    const sample = right.samples[0] as Sample;
    table[name] = { ...right, derivative };
    try {
      const { forward, transpose } = derivativeErrors(
        functionOf(right, sample),
        sample.inputs,
        activeInputs(sample),
      );
      expect(Math.max(forward, transpose)).toBeGreaterThan(1e-3);
    } finally {
      table[name] = right;
    }
  });
});

describe("conventions where a function has no derivative", () => {
  /** The gradient of the sum of the results, by reverse and by forward mode; they must agree. */
  function gradients(
    op: string,
    inputs: readonly NdArray[],
    parameters = {},
    only?: number,
  ): readonly (readonly number[])[] {
    const fn = functionOf(ops[op]!, { inputs, parameters });
    const active = inputs.map((_, k) => only === undefined || k === only);
    const results = interpret(fn, inputs);
    const ones = results.map((x) => ({ ...x, data: x.data.map(() => 1) }));
    const reverse = interpret(vjp(fn, active), [...inputs, ...ones]).slice(results.length);
    const pushed = jvp(fn, active);
    const moving = inputs.filter((_, k) => active[k]);
    const forward = moving.map((x, k) =>
      Array.from(x.data, (_, n) => {
        const tangents = moving.map((other, j) => ({
          ...other,
          data: other.data.map((_, m) => Number(j === k && m === n)),
        }));
        const all = interpret(pushed, [...inputs, ...tangents]).slice(results.length);
        return all.reduce((sum, y) => sum + Array.from(y.data).reduce((a, b) => a + b, 0), 0);
      }),
    );
    expect(forward).toEqual(reverse.map((x) => [...x.data].map((v) => v + 0)));
    return forward;
  }
  const at = (...values: number[]): readonly NdArray[] => values.map((v) => scalar("f64", v));

  test("abs and sign at 0 are flat, steps everywhere", () => {
    expect(gradients("abs", at(0))).toEqual([[0]]);
    expect(gradients("sign", at(0))).toEqual([[0]]);
    expect(gradients("floor", at(1))).toEqual([[0]]);
  });

  test("the first operand of max and min wins a tie", () => {
    expect(gradients("max", at(2, 2))).toEqual([[1], [0]]);
    expect(gradients("min", at(2, 2))).toEqual([[1], [0]]);
    expect(gradients("max", at(1, 2))).toEqual([[0], [1]]);
  });

  test("equal maxima share the derivative of a reduction", () => {
    const x = [ndarray("f64", [4], [1, 3, 3, 0])];
    expect(gradients("reduce_max", x, { axes: [0] })).toEqual([[0, 0.5, 0.5, 0]]);
  });

  test("the first maximum of a window takes its derivative", () => {
    const x = [ndarray("f64", [1, 3, 1], [2, 2, 2])];
    const parameters = { window: [2], stride: [1], low: [0], high: [0] };
    expect(gradients("window_max", x, parameters)).toEqual([[1, 1, 0]]);
  });

  test("powers at 0", () => {
    expect(gradients("pow", at(0, 0))).toEqual([[0], [0]]);
    expect(gradients("pow", at(0, 2))).toEqual([[0], [0]]);
    expect(gradients("pow", at(0, 1))).toEqual([[1], [0]]);
    expect(gradients("pow", at(-2, 0), {}, 0)).toEqual([[0]]);
  });

  test("roots and logarithms at 0 have infinite slope", () => {
    expect(gradients("sqrt", at(0))).toEqual([[Infinity]]);
    expect(gradients("cbrt", at(0))).toEqual([[Infinity]]);
    expect(gradients("log", at(0))).toEqual([[Infinity]]);
  });

  test("hypot and atan2 at the origin are flat", () => {
    expect(gradients("hypot", at(0, 0))).toEqual([[0], [0]]);
    expect(gradients("atan2", at(0, 0))).toEqual([[0], [0]]);
  });

  test("a product with zeros", () => {
    const product = (...values: number[]): unknown =>
      gradients("prod", [ndarray("f64", [values.length], values)], { axes: [0] });
    expect(product(2, 0, 3)).toEqual([[0, 6, 0]]);
    expect(product(2, 0, 0)).toEqual([[0, 0, 0]]);
  });

  test("stop_gradient stops", () => {
    expect(gradients("stop_gradient", at(3))).toEqual([[0]]);
  });

  test("a choice does not mix the other side in", () => {
    const inputs = [scalar("bool", 1), scalar("f64", 1), scalar("f64", NaN)];
    const fn = functionOf(ops["select"]!, { inputs });
    const results = interpret(vjp(fn, [false, true, true]), [...inputs, scalar("f64", 2)]);
    expect(results.slice(1).map((x) => x.data[0])).toEqual([2, 0]);
  });
});

describe("batching", () => {
  const size = 3;
  /** Rows that keep indices in range. */
  const variant = (x: NdArray, row: number): NdArray => {
    if (row === 0) return x;
    if (row === 1) return { ...x, data: x.data.slice().reverse() };
    const change = isFloat(x.dtype)
      ? (v: number): number => v * 0.5
      : (v: number): number => Math.max(0, v - 1);
    return { ...x, data: x.data.map(change) };
  };
  const stacked = (rows: readonly NdArray[]): NdArray => {
    const [first] = rows as readonly [NdArray];
    const values = rows.flatMap((row) => [...row.data]);
    return ndarray(first.dtype, [rows.length, ...first.shape], values);
  };
  const rowOf = (x: NdArray, row: number): NdArray => {
    const shape = x.shape.slice(1);
    const length = shape.reduce((n, extent) => n * extent, 1);
    return { ...x, shape, data: x.data.slice(row * length, (row + 1) * length) };
  };
  /** All ways to batch some of the inputs; where there are many, up to two of them, and all. */
  const subsets = (count: number): readonly (readonly boolean[])[] => {
    const all = Array.from({ length: 2 ** count - 1 }, (_, bits) =>
      Array.from({ length: count }, (_, k) => ((bits + 1) >> k) % 2 === 1),
    );
    if (count <= 8) return all;
    const some = (batched: readonly boolean[]): number => batched.filter(Boolean).length;
    return all.filter((batched) => some(batched) <= 2 || some(batched) === count);
  };

  const batchable = cases.filter(
    ({ op, sample }) => op.name !== "bind" && sample.inputs.length > 0,
  );
  test.each(batchable)("$name", ({ op, sample }) => {
    const fn = functionOf(op, sample);
    for (const batched of subsets(sample.inputs.length)) {
      const rows = sample.inputs.map((x, k) =>
        Array.from({ length: size }, (_, row) => (batched[k] ? variant(x, row) : x)),
      );
      const inputs = rows.map((all, k) => (batched[k] ? stacked(all) : (all[0] as NdArray)));
      const results = interpret(vmap(fn, batched, size), inputs);
      // The length of a batch may be known at run time only.
      const symbolic = interpret(vmap(fn, batched, symbol("B")), inputs);
      expect(distance(symbolic, results)).toBe(0);
      for (let row = 0; row < size; row++) {
        const expected = interpret(
          fn,
          rows.map((all) => all[row] as NdArray),
        );
        const actual = results.map((x) => rowOf(x, row));
        expect(distance(actual, expected), `inputs ${batched}, row ${row}`).toBeLessThan(1e-12);
      }
    }
  });

  test("a result whose length differs within a batch is refused", () => {
    const fn = parseFunction(`fn @f(%0: i32) {
      bind %0 {symbol = "n"}
      %1 = iota {axis = 0, dtype = "i32", shape = [n]} : i32[n]
      return %1
    }`);
    expect(() => vmap(fn, [true], size)).toThrow("differs within a batch");
  });
});
