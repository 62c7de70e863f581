/** The table of primitives: names, laws, lowerings and type rules hold on every sample. */

import { describe, expect, test } from "vitest";
import { elementCount, evaluateDim, symbol } from "../../compiler/ir/dim.ts";
import {
  forEachIndex,
  type NdArray,
  ndarray,
  offsetOf,
  scalar,
} from "../../compiler/ir/ndarray.ts";
import {
  arrayType,
  type DType,
  dtypes,
  type Equation,
  scalarType,
  type ValueType,
} from "../../compiler/ir/types.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { type Element, type ElementWriter, TypeFault } from "../../compiler/ops/define.ts";
import { ops, typeRule } from "../../compiler/ops/index.ts";
import { threefry } from "../../compiler/ops/support/threefry.ts";
import { cases, element, evaluate, functionOf, identical, isDifferentiated } from "./support.ts";

describe("every op", () => {
  test.each(Object.entries(ops))("%s is in the table by its own name", (key, op) => {
    expect(op.name).toBe(key);
    expect(op.summary).not.toMatch(/\.$/);
  });

  test.each(Object.values(ops).filter((op) => op.lower.kind !== "frame"))(
    "$name has samples, and doubles to differentiate where it has a derivative",
    (op) => {
      expect(op.samples.length).toBeGreaterThan(1);
      const smooth = op.derivative.kind !== "zero";
      const own = cases.filter((one) => one.op === op);
      if (smooth) expect(own.some(isDifferentiated)).toBe(true);
    },
  );

  test("only stacks have no samples", () => {
    const bare = Object.values(ops).filter((op) => op.samples.length === 0);
    expect(bare.map((op) => op.name)).toEqual(["stack_new", "push", "pop"]);
  });

  test("an unknown op is refused, also one that every object has", () => {
    expect(() => typeRule("toString", [], {})).toThrow("no op called toString");
  });
});

describe("the type rule and the meaning agree", () => {
  test.each(cases)("$name", ({ op, sample }) => {
    const types = typeRule(
      op.name,
      sample.inputs.map((x) => arrayType(x.dtype, x.shape)),
      sample.parameters ?? {},
    );
    const before = sample.inputs.map((x) => x.data.slice());
    const results = evaluate(op, sample.inputs, sample.parameters);
    expect(results.map((x) => [x.dtype, x.shape, x.data.length])).toEqual(
      types.map((type) => [type.dtype, type.shape, elementCount(type.shape)]),
    );
    // A meaning writes neither into its inputs nor into memory that they share.
    for (const { data } of results) data.fill(77);
    sample.inputs.forEach((x, k) => expect(x.data).toEqual(before[k]));
  });

  test.each(cases)("through the interpreter: $name", ({ op, sample }) => {
    const expected = evaluate(op, sample.inputs, sample.parameters);
    const actual = interpret(functionOf(op, sample), sample.inputs);
    expect(actual).toEqual(expected);
  });
});

describe("symbolic shapes", () => {
  const known = new Set([
    ...["sum", "prod", "reduce_max", "cumsum", "argmax", "transpose", "dot", "concat", "reverse"],
    ...["gather", "scatter_add", "at", "update", "add_at", "select", "add", "tanh", "eq", "cast"],
  ]);
  const shaped = cases.filter(({ op, sample }) => known.has(op.name) && sample.inputs.length > 0);
  test.each(shaped)("$name", ({ op, sample }) => {
    // Equal extents get one symbol, so that shapes that fit still fit.
    const extents = new Map<string, number>();
    const symbolic = sample.inputs.map((x) => {
      const shape = x.shape.map((extent) => {
        extents.set(`n${extent}`, extent);
        return symbol(`n${extent}`);
      });
      return arrayType(x.dtype, shape);
    });
    const types = typeRule(op.name, symbolic, sample.parameters ?? {});
    const results = evaluate(op, sample.inputs, sample.parameters);
    expect(types.map((type) => type.shape.map((dim) => evaluateDim(dim, extents)))).toEqual(
      results.map((x) => x.shape),
    );
  });
});

describe("laws", () => {
  test.each(cases.filter(({ op }) => op.laws.commutative))("commutative: $name", (one) => {
    const [x, y] = one.sample.inputs as readonly [NdArray, NdArray];
    const [forth] = evaluate(one.op, [x, y]);
    const [back] = evaluate(one.op, [y, x]);
    expect(identical(forth as NdArray, back as NdArray)).toBe(true);
  });

  test.each(cases.filter(({ op }) => op.laws.elementwise))("elementwise: $name", (one) => {
    const { inputs, parameters } = one.sample;
    const [whole] = evaluate(one.op, inputs, parameters);
    const result = whole as NdArray;
    result.data.forEach((_, k) => {
      const single = inputs.map((x) => element(x, k));
      const [part] = evaluate(one.op, single, parameters);
      expect(identical(part as NdArray, element(result, k))).toBe(true);
    });
  });

  test.each(cases.filter(({ op }) => op.laws.rearranges))("rearranges: $name", (one) => {
    const { derivative } = one.op;
    const linear = derivative.kind === "linear" ? derivative.in : [];
    const moved = one.sample.inputs.filter((_, k) => linear === "all" || linear.includes(k));
    const there = new Set([0, ...moved.flatMap(({ data }) => [...data])]);
    const [result] = evaluate(one.op, one.sample.inputs, one.sample.parameters);
    expect([...(result as NdArray).data].filter((value) => !there.has(value))).toEqual([]);
    // So it does to masks: the type rule takes integers.
    const types = one.sample.inputs.map((x, k) =>
      arrayType(linear === "all" || linear.includes(k) ? "i32" : x.dtype, x.shape),
    );
    const [type] = typeRule(one.op.name, types, one.sample.parameters ?? {});
    expect(type?.dtype).toBe("i32");
  });

  const withIdentity = cases.filter(({ op }) => op.laws.rightIdentity !== undefined);
  test.each(withIdentity)("right identity: $name", ({ op, sample }) => {
    const [x] = sample.inputs as readonly [NdArray];
    const identity = ndarray(
      x.dtype,
      x.shape,
      Array.from(x.data, () => op.laws.rightIdentity as number),
    );
    expect(identical(evaluate(op, [x, identity])[0] as NdArray, x)).toBe(true);
  });

  test.each(cases.filter(({ op }) => op.laws.consumes))("consumes its type: $name", (one) => {
    const [position] = one.op.laws.consumes as readonly [number];
    const [result] = evaluate(one.op, one.sample.inputs, one.sample.parameters);
    expect(result?.shape).toEqual(one.sample.inputs[position]?.shape);
  });

  test("partial ops fail where an index is out of range", () => {
    const x = ndarray("f64", [3], [1, 2, 3]);
    const outside = [-1, 3];
    for (const i of outside) {
      const index = scalar("i32", i);
      const one = scalar("f64", 1);
      expect(() => evaluate(ops["at"]!, [x, index])).toThrow(RangeError);
      expect(() => evaluate(ops["update"]!, [x, one, index])).toThrow(RangeError);
      expect(() => evaluate(ops["add_at"]!, [x, one, index])).toThrow(RangeError);
      expect(() => evaluate(ops["gather"]!, [x, index], { axis: 0 })).toThrow(
        `index ${i} is out of range for length 3`,
      );
      expect(() => evaluate(ops["scatter_add"]!, [x, index, one], { axis: 0 })).toThrow(RangeError);
      const options = { axis: 0, size: 2 };
      expect(() => evaluate(ops["dynamic_slice"]!, [x, index], options)).toThrow(RangeError);
      const value = ndarray("f64", [2], [1, 2]);
      expect(() => evaluate(ops["dynamic_update"]!, [x, value, index], { axis: 0 })).toThrow(
        RangeError,
      );
    }
  });
});

interface Number extends Element {
  readonly value: number;
}

/** Element code that is run as it is written. */
const writer: ElementWriter = {
  constant: (value) => number(value),
  dim: (dim) => number(evaluateDim(dim, new Map())),
  apply: (op, dtype, ...operands) => {
    const inputs = operands.map((operand) => scalar(dtype, (operand as Number).value));
    return number((evaluate(ops[op]!, inputs)[0] as NdArray).data[0] as number);
  },
  cast: (value, from, to) => {
    const x = scalar(from, (value as Number).value);
    return number((evaluate(ops["cast"]!, [x], { dtype: to })[0] as NdArray).data[0] as number);
  },
  when: (condition, _, then, otherwise) => ((condition as Number).value ? then() : otherwise()),
};

function number(value: number): Number {
  return { element: "element", value };
}

describe("lowerings give the meaning", () => {
  test.each(cases.filter(({ op }) => op.lower.kind === "element"))("element: $name", (one) => {
    const { op, sample } = one;
    const [equation] = functionOf(op, sample).body.equations as readonly [Equation];
    const [expected] = evaluate(op, sample.inputs, sample.parameters) as readonly [NdArray];
    const { lower } = op;
    if (lower.kind !== "element") throw new Error("not lowered by elements");
    forEachIndex(expected.shape, (index, position) => {
      const result = lower.element(writer, equation, index.map(number), (k, place) => {
        const x = sample.inputs[k] as NdArray;
        const at = place.map((i) => (i as Number).value);
        at.forEach((i, axis) => {
          if (!(i >= 0 && i < (x.shape[axis] as number))) throw new Error(`read outside: ${at}`);
        });
        const strides = x.shape.map((_, axis) =>
          x.shape.slice(axis + 1).reduce((product, extent) => product * extent, 1),
        );
        return number(x.data[offsetOf(at, strides)] as number);
      });
      expect(Object.is((result as Number).value, expected.data[position])).toBe(true);
    });
  });

  test.each(cases.filter(({ op }) => op.lower.kind === "reduce"))("reduce: $name", (one) => {
    const { op, sample } = one;
    const { lower } = op;
    if (lower.kind !== "reduce") throw new Error("not lowered by a reduction");
    const [x] = sample.inputs as readonly [NdArray];
    const axes = x.shape.map((_, axis) => axis);
    const [whole] = evaluate(op, [x], { axes }) as readonly [NdArray];
    let total = evaluate(ops["cast"]!, [scalar("f64", lower.identity)], { dtype: x.dtype })[0]!;
    x.data.forEach((_, k) => {
      total = evaluate(ops[lower.combine]!, [total, element(x, k)])[0]!;
    });
    // f32: the meaning adds in double precision, the combination rounds each time.
    if (x.dtype === "f32") expect(total.data[0]).toBeCloseTo(whole.data[0] as number, 5);
    else if (x.dtype === "f16") expect(total.data[0]).toBeCloseTo(whole.data[0] as number, 2);
    else expect(identical(total, whole)).toBe(true);
  });
});

describe("type rules say what is wrong", () => {
  const f = (...shape: number[]): ValueType => arrayType("f64", shape);
  const i = scalarType("i32");
  const dotOptions = { lhsContract: [1], rhsContract: [0], lhsBatch: [], rhsBatch: [] };
  const windowOptions = { window: [4], stride: [1], low: [0], high: [1] };
  const convOptions = { stride: [1], low: [0], high: [0], dilation: [1], groups: 1 };
  const faults: readonly (readonly [string, readonly ValueType[], object, string])[] = [
    ["add", [f(2, 3), f(3)], {}, "the operands have different shapes: [2,3] and [3]"],
    [
      "add",
      [f(2), arrayType("f32", [2])],
      {},
      "the operands have different element types: f64[2] and f32[2]",
    ],
    ["sin", [i], {}, "this needs floating-point numbers, and the operand has type i32"],
    ["and", [f(), f()], {}, "this needs booleans, and the operand has type f64"],
    ["bit_and", [f(), f()], {}, "this needs integers, and the operand has type f64"],
    ["sum", [f(2)], { axes: [1] }, "axis 1 does not exist in a value of shape [2]"],
    ["sum", [f(2)], { axes: [0, 0] }, "an axis is named twice: [0,0]"],
    ["argmax", [f(0)], { axis: 0 }, "an axis without elements has no greatest or least one"],
    ["reshape", [f(2, 3)], { shape: [4] }, "[2,3] and [4] do not hold the same number of elements"],
    [
      "broadcast",
      [f(2)],
      { shape: [3], axes: [0] },
      "a value of shape [2] cannot be repeated to [3]",
    ],
    [
      "slice",
      [f(3)],
      { start: [1], limit: [4], stride: [1] },
      "a slice from 1 to 4 does not fit into an axis of 3 elements",
    ],
    [
      "concat",
      [f(2, 3), f(2, 4)],
      { axis: 0 },
      "values of shapes [2,3] and [2,4] cannot be joined along axis 0",
    ],
    [
      "dot",
      [f(2, 3), f(4, 2)],
      dotOptions,
      "axis 1 of the left operand and axis 0 of the right one must match: " +
        "their shapes are [2,3] and [4,2]",
    ],
    [
      "conv",
      [f(1, 5, 2), f(2, 3, 1)],
      convOptions,
      "the filters read 3 channels, and the images have 2",
    ],
    [
      "window_sum",
      [f(1, 2, 1)],
      windowOptions,
      "a window of 4 elements does not fit into 2 with 0+1 of padding",
    ],
    ["at", [f(2), f()], {}, "an index must be one 32-bit integer, and this one has type f64"],
    ["at", [f(2), i, i], {}, "a value of shape [2] does not take 2 indices"],
    ["update", [f(2, 3), f(2), i], {}, "a value of shape [2] is written where [3] fits"],
    [
      "random_bits",
      [f(2)],
      { shape: [3] },
      "a random key is two unsigned 32-bit words, not f64[2]",
    ],
    [
      "constant",
      [],
      { dtype: "f64", shape: [2], values: [1] },
      "1 values are given for 2 elements",
    ],
  ];
  test.each(faults)("%s: %#", (op, inputs, parameters, sentence) => {
    const attempt = (): unknown => typeRule(op, inputs, parameters as never);
    expect(attempt).toThrow(TypeFault);
    expect(attempt).toThrow(sentence);
  });
});

describe("integers and casts at their edges", () => {
  const one = (op: string, dtype: DType, ...values: number[]): number => {
    const inputs = values.map((value) => scalar(dtype, value));
    return (evaluate(ops[op]!, inputs)[0] as NdArray).data[0] as number;
  };
  const cast = (from: DType, value: number, to: DType): number =>
    (evaluate(ops["cast"]!, [scalar(from, value)], { dtype: to })[0] as NdArray).data[0] as number;

  test("arithmetic wraps around, division truncates and by zero gives 0", () => {
    expect(one("add", "i32", 2147483647, 1)).toBe(-2147483648);
    expect(one("sub", "u32", 0, 1)).toBe(4294967295);
    expect(one("mul", "i32", 123456789, 987654321)).toBe(Math.imul(123456789, 987654321));
    expect(one("mul", "u32", 4294967295, 4294967295)).toBe(1);
    expect(one("div", "i32", -7, 2)).toBe(-3);
    expect(one("div", "i32", -2147483648, -1)).toBe(-2147483648);
    expect(one("div", "i32", 5, 0)).toBe(0);
    expect(one("rem", "i32", -7, 2)).toBe(-1);
    expect(one("rem", "i32", 5, 0)).toBe(0);
    expect(one("rem", "f64", -7.5, 2)).toBe(-1.5);
    expect(one("shift_right", "i32", -8, 33)).toBe(-4);
    expect(one("shift_right", "u32", 4294967288, 1)).toBe(2147483644);
  });

  test("casts saturate, ToInt32 wraps", () => {
    expect(cast("f64", 1e20, "i32")).toBe(2147483647);
    expect(cast("f64", -1e20, "i32")).toBe(-2147483648);
    expect(cast("f64", -1, "u32")).toBe(0);
    expect(cast("f64", 300, "u8")).toBe(255);
    expect(cast("f64", NaN, "i32")).toBe(0);
    expect(cast("f64", -1.9, "i32")).toBe(-1);
    expect(cast("f64", NaN, "bool")).toBe(1);
    expect(cast("f64", 0.1, "f32")).toBe(Math.fround(0.1));
    expect(cast("i32", -1, "u32")).toBe(4294967295);
    expect(one("to_int32", "f64", 4294967301)).toBe(5);
    expect(one("to_uint32", "f64", -1)).toBe(4294967295);
  });
});

test("every dtype is an input of some sample", () => {
  const seen = new Set(cases.flatMap(({ sample }) => sample.inputs.map((x) => x.dtype)));
  expect([...seen].sort()).toEqual([...dtypes].sort());
});

describe("random bits", () => {
  // Known answers published with the Random123 library.
  test.each([
    [0, 0, 0, 0, 0x6b200159, 0x99ba4efe],
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7],
    [0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0],
  ])("Threefry-2x32-20, key %x %x", (k0, k1, x0, x1, y0, y1) => {
    expect(threefry(k0, k1, x0, x1)).toEqual([y0, y1]);
  });

  test("the first words of all blocks, then the second ones", () => {
    const key = ndarray("u32", [2], [5, 9]);
    const [bits] = evaluate(ops["random_bits"]!, [key], { shape: [3] }) as readonly [NdArray];
    const [a, c] = threefry(5, 9, 0, 2);
    const [b] = threefry(5, 9, 1, 3);
    expect([...bits.data]).toEqual([a, b, c]);
  });
});
