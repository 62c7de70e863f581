/** Products and convolutions with what follows for their elements: in their blocks, or after them. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { type Dim, symbol } from "../../compiler/ir/dim.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import { arrayType, type DType, type Value, type ValueType } from "../../compiler/ir/types.ts";
import type { GraphBuilder } from "../../compiler/ops/builder.ts";
import { lower } from "../../compiler/kernel/lower.ts";
import { printModule } from "../../compiler/kernel/print.ts";
import { targets } from "../../compiler/targets/target.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { runs } from "../random/runs.ts";
import { compileFn, expectClose, expectSame, fnOf, graphOf, toArray, toTensor } from "./support.ts";

/** Sizes that fit no tile, no block and no vector; some rows of blocks, some blocks of k. */
const sizes = [1, 2, 3, 5, 8, 16, 17, 65, 127, 130];
const extent = fc.constantFrom(...sizes);

interface Given {
  readonly dtype: DType;
  readonly kind: "product" | "batch" | "convolution" | "depthwise";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly isSymbolic: boolean;
  readonly steps: readonly Step[];
  /** Whether the product itself is a result too. */
  readonly keeps: boolean;
}

type Step = "bias" | "scale" | "residual" | "relu" | "tanh" | "column" | "operand" | "sum";

const given: fc.Arbitrary<Given> = fc.record({
  dtype: fc.constantFrom<DType>("f32", "f64"),
  kind: fc.constantFrom("product", "batch", "convolution", "depthwise"),
  m: extent,
  n: extent,
  k: fc.constantFrom(0, 1, 3, 17, 65, 257, 300),
  isSymbolic: fc.boolean(),
  steps: fc.array(
    fc.constantFrom<Step>("bias", "scale", "residual", "relu", "tanh", "column", "operand", "sum"),
    { minLength: 1, maxLength: 5 },
  ),
  keeps: fc.boolean(),
});

interface Made {
  readonly types: readonly ValueType[];
  readonly make: (b: GraphBuilder, x: Value, y: Value) => Value;
  readonly shape: readonly Dim[];
}

function made({ kind, dtype, m, n, k, isSymbolic }: Given): Made {
  const rows: Dim = isSymbolic ? symbol("M") : m;
  switch (kind) {
    case "product":
      return {
        types: [arrayType(dtype, [rows, k]), arrayType(dtype, [k, n])],
        make: (b, x, y) => b.dot(x, y, { contract: [[1], [0]] }),
        shape: [rows, n],
      };
    case "batch":
      return {
        types: [arrayType(dtype, [3, rows, k]), arrayType(dtype, [3, n, k])],
        make: (b, x, y) => b.dot(x, y, { contract: [[2], [2]], batch: [[0], [0]] }),
        shape: [3, rows, n],
      };
    case "convolution":
    case "depthwise": {
      const outputs = Math.min(n, 17);
      const isDepthwise = kind === "depthwise";
      const parameters = {
        stride: [1, 1],
        low: [1, 0],
        high: [1, 0],
        dilation: [1, 1],
        groups: isDepthwise ? outputs : 1,
      };
      const height = Math.min(m, 5);
      return {
        types: [
          arrayType(dtype, [isSymbolic ? symbol("M") : 2, height, 9, isDepthwise ? outputs : 3]),
          arrayType(dtype, [3, 2, isDepthwise ? 1 : 3, outputs]),
        ],
        make: (b, x, y) => b.one("conv", [x, y], parameters),
        shape: [isSymbolic ? symbol("M") : 2, height, 8, outputs],
      };
    }
  }
}

function programOf(one: Given) {
  const { types, make, shape } = made(one);
  const { dtype } = one;
  const last = shape.at(-1) as Dim;
  const extra = [arrayType(dtype, [last]), arrayType(dtype, shape)];
  return fnOf([...types, ...extra], (b, [x, y, bias, other]) => {
    const product = make(b, x as Value, y as Value);
    const results: Value[] = one.keeps ? [product] : [];
    let value = product;
    // What is rounded comes last: sums of it could cancel.
    const steps = one.steps.toSorted((p, q) => Number(p === "tanh") - Number(q === "tanh"));
    for (const step of steps) value = after(b, step, value, bias as Value, other as Value, results);
    return [...results, value];
  });
}

function after(
  b: GraphBuilder,
  step: Step,
  value: Value,
  bias: Value,
  other: Value,
  results: Value[],
): Value {
  const { shape, dtype } = value.type;
  switch (step) {
    case "bias":
      return b.add(value, b.broadcast(bias, shape, [shape.length - 1]));
    case "scale":
      return b.mul(value, b.full(shape, 0.5, dtype));
    case "residual":
      return b.add(value, other);
    case "relu":
      return b.binary("max", value, b.full(shape, 0, dtype));
    case "tanh":
      return b.unary("tanh", value);
    case "column": {
      // Read at another element than the product's own
      results.push(b.sum(value, [0]));
      return value;
    }
    case "operand":
      results.push(b.mul(value, value));
      return value;
    case "sum": {
      const totals = b.sum(value, [shape.length - 1]);
      const rows = shape.slice(0, -1).map((_, axis) => axis);
      return b.sub(value, b.broadcast(totals, shape, rows));
    }
  }
}

/** Small integers: sums of some hundreds of products are exact, in any order. */
function inputsOf(types: readonly ValueType[], m: number) {
  return types.map(({ dtype, shape }, at) => {
    const known = shape.map((dim) => (typeof dim === "number" ? dim : m));
    const count = known.reduce((product, each) => product * each, 1);
    const data = Array.from({ length: count }, (_, k) => (((k + at) * 7919) % 5) - 2);
    return ndarray(dtype, known, data);
  });
}

it("are what they are one after the other", { timeout: 240_000 }, async () => {
  let fused = 0;
  let inPlace = 0;
  const property = fc.asyncProperty(given, async (one) => {
    const fn = programOf(one);
    const text = printModule(lower(graphOf(fn), targets.wasm.lowering));
    fused += /, then /.test(text) ? 1 : 0;
    const types = fn.body.parameters.map(({ type }) => type);
    for (const m of one.isSymbolic ? [0, Math.min(one.m, 20)] : [one.m]) {
      const inputs = inputsOf(types, m);
      await expectSame(fn, inputs, ["wasm"]);
      // Results may be written where the arguments are that nobody reads any more.
      const expected = interpret(fn, inputs);
      const program = await compileFn(fn, "wasm", {
        donated: [0, 1, 2, 3],
        onLayout: ({ inPlace: pairs }) => (inPlace += pairs.length),
      });
      program(...inputs.map(toTensor)).forEach((result, k) => {
        expectClose(toArray(result), expected[k] as NdArray, "donated");
      });
    }
  });
  await fc.assert(property, runs(150, 17));
  expect(fused).toBeGreaterThan(60);
  expect(inPlace).toBeGreaterThan(20);
});
