/** Products in the order of loops: blocked, transposed, strided, of all sizes, to the last bit. */

import { describe, expect, test } from "vitest";
import { type NdArray, ndarray, scalar } from "../../compiler/ir/ndarray.ts";
import { arrayType, scalarType, type Value } from "../../compiler/ir/types.ts";
import { emitGemm, gemmOf, type GemmOrder, gemmOrders } from "../../compiler/ops/gemm.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import type { Tensor } from "../../runtime/tensor.ts";
import { compileFn, fnOf, targetNames, toArray, toTensor } from "./support.ts";

type Sizes = readonly [m: number, n: number, k: number];

/** Rows, columns and products around the edges of tiles, and of blocks of 256 products. */
const sizes: readonly Sizes[] = [
  [0, 3, 2],
  [3, 0, 2],
  [3, 4, 0],
  [3, -1, 9],
  [3, -3, 9],
  [3, 5, -1],
  [-3, 5, 9],
  [1, 1, 1],
  [1, 9, 40],
  [9, 1, 40],
  [2, 4, 8],
  [3, 5, 8],
  [5, 8, 17],
  [6, 4, 9],
  [7, 12, 64],
  [17, 17, 17],
  [64, 64, 64],
  [49, 8, 300],
  [50, 13, 257],
  [121, 6, 30],
  [130, 514, 9],
];

/** How operands lie: row by row, column by column, with room between rows, backwards. */
const layouts = {
  rows: (_: number, columns: number) => [0, columns, 1],
  columns: (rows: number) => [0, 1, rows],
  spread: (_: number, columns: number) => [2, columns + 3, 1],
  sparse: (_: number, columns: number) => [1, 2 * columns + 1, 2],
  backwards: (rows: number, columns: number) => [Math.max(0, rows - 1) * columns, -columns, 1],
} as const;
type Layout = keyof typeof layouts;

function noise(length: number, phase: number): number[] {
  return Array.from({ length }, (_, k) => Math.sin(k * 1.7 + phase) * 2 ** (((k * 7) % 60) - 30));
}

function roomFor(walk: readonly number[], rows: number, columns: number): number {
  const [start, outer, inner] = walk as [number, number, number];
  const [i, j] = [Math.max(0, rows - 1), Math.max(0, columns - 1)];
  return start + Math.max(0, i * outer) + Math.max(0, j * inner) + 1;
}

function operands(
  [m, n, k]: Sizes,
  [ofC, ofA, ofB]: readonly [Layout, Layout, Layout],
): readonly NdArray[] {
  const walks = [
    [m, n, layouts[ofC](m, n)],
    [m, k, layouts[ofA](m, k)],
    [k, n, layouts[ofB](k, n)],
  ] as const;
  const arrays = walks.map(([rows, columns, walk], phase) => {
    const length = roomFor(walk, rows, columns);
    return ndarray("f64", [length], noise(length, phase));
  });
  const integers = [m, n, k, ...walks.flatMap(([, , walk]) => walk)];
  return [...arrays, ...integers.map((value) => scalar("i32", value))];
}

/** The function with its integers as parameters, or known when it is compiled. */
function product(inputs: readonly NdArray[], order: GemmOrder, subtract: boolean, known: boolean) {
  const given = known ? inputs.slice(0, 3) : inputs;
  const types = given.map(({ dtype, shape }) =>
    shape.length === 0 ? scalarType(dtype) : arrayType(dtype, shape),
  );
  return fnOf(types, (b, values) => {
    const rest = known
      ? inputs.slice(3).map((x) => b.constant(x.data[0] as number, "i32"))
      : values.slice(3);
    const [c, a, y] = values as [Value, Value, Value];
    const all = gemmOf([b.one("copy", [c]), a, y, ...rest]);
    return [emitGemm(b, all, { order, subtract })];
  });
}

describe.each(targetNames)("%s", (target) => {
  async function expectExact(
    inputs: readonly NdArray[],
    order: GemmOrder = "ijk",
    subtract = false,
    known = false,
  ): Promise<void> {
    const given = known ? inputs.slice(0, 3) : inputs;
    const fn = product(inputs, order, subtract, known);
    const [expected] = interpret(fn, given) as [NdArray];
    const run = await compileFn(fn, target);
    const [actual] = run(...given.map(toTensor)) as [Tensor];
    expect([...toArray(actual).data]).toEqual([...expected.data]);
  }

  test.each(sizes)("%d by %d, sums of %d", async (...size) => {
    await expectExact(operands(size, ["rows", "rows", "rows"]));
    await expectExact(operands(size, ["rows", "rows", "rows"]), "kij", true, true);
    await expectExact(operands(size, ["columns", "rows", "columns"]), "jik", true);
  });

  const names = Object.keys(layouts) as Layout[];
  const all = names.flatMap((c) => names.flatMap((a) => names.map((b) => [c, a, b] as const)));
  test.each(all)("c by %s, a by %s, b by %s", async (...layout) => {
    await expectExact(operands([9, 10, 12], layout));
    await expectExact(operands([13, 6, 9], layout), "ikj", true, true);
  });

  test.each(gemmOrders)("elements of c that coincide, in the order %s", async (order) => {
    const [c, a, b, ...integers] = operands([9, 10, 12], ["rows", "rows", "rows"]);
    const overlapping = integers.with(3, scalar("i32", 2)).with(4, scalar("i32", 4));
    const inputs = [c, a, b, ...overlapping] as NdArray[];
    await expectExact(inputs, order);
    await expectExact(inputs, order, true, true);
  });

  test("without products nothing is read or written", async () => {
    const [c, a, b, ...integers] = operands([3, 5, 9], ["rows", "rows", "rows"]);
    const far = scalar("i32", 2 ** 27);
    for (const which of [0, 1, 2]) {
      const places = integers.with(which, scalar("i32", 0)).with(3, far).with(6, far).with(9, far);
      for (const order of gemmOrders) {
        await expectExact([c, a, b, ...places] as NdArray[], order);
        await expectExact([c, a, b, ...places] as NdArray[], order, true, true);
      }
    }
  });

  test("special numbers", async () => {
    const special = [0, -0, Infinity, -Infinity, NaN, 1, -1, 5e-324];
    const inputs = operands([9, 9, 9], ["rows", "rows", "rows"]);
    const [c, a, b, ...integers] = inputs as [NdArray, NdArray, NdArray, ...NdArray[]];
    const filled = (x: NdArray, by: number): NdArray => ({
      ...x,
      data: x.data.map(
        (_, k) => special[(k * by) % 7 === 0 ? (k * by) % 8 : 1 + (k % 2)] as number,
      ),
    });
    const zeros = (x: NdArray): NdArray => ({ ...x, data: x.data.map((_, k) => (k % 3 ? -0 : 0)) });
    await expectExact([zeros(c), zeros(a), zeros(b), ...integers]);
    await expectExact([zeros(c), zeros(a), zeros(b), ...integers], "ijk", true);
    await expectExact([filled(c, 3), filled(a, 5), filled(b, 11), ...integers]);
  });
});
