/**
 * The matrix product of loops: operands at strided places of arrays that the program counts in
 * itself, where `dot` takes whole arrays by their axes.
 *
 *   c[c0 + i·ci + j·cj] += a[a0 + i·ai + k·ak] · b[b0 + k·bk + j·bj]   for i < m, j < n, k < count
 *
 * The sums are those of the loops, to the last bit: each one starts from the element of c and adds
 * its products one by one, in the order of k. Arrays of any rank are counted in as flat ones.
 * Made by `passes/raise.ts`; whoever makes one sees to it that all places are in range.
 */

import { elementCount } from "../ir/dim.ts";
import type { NdArray } from "../ir/ndarray.ts";
import { arrayType, type Parameters, type Value, type ValueType } from "../ir/types.ts";
import type { GraphBuilder } from "./builder.ts";
import { type Contribution, defineOp, fault } from "./define.ts";
import { repeated } from "./support/batching.ts";
import { text } from "./support/parameters.ts";
import { fill, outOfRange, outputOf } from "./support/reference.ts";
import { f64, index, wave } from "./support/samples.ts";
import { expectDtype, expectIndex } from "./support/types.ts";

/** How an operand is walked through: its first element, and the steps of two counters. */
export type Walk<T> = readonly [start: T, outer: T, inner: T];

/** The inputs of the op by name. a is walked by (i, k), b by (k, j), c by (i, j). */
export interface Gemm<T> {
  readonly c: T;
  readonly a: T;
  readonly b: T;
  readonly extents: readonly [m: T, n: T, k: T];
  readonly atC: Walk<T>;
  readonly atA: Walk<T>;
  readonly atB: Walk<T>;
}

/** The order in which the loops stood, outermost first. It tells where places of c coincide. */
export const gemmOrders = ["ijk", "ikj", "jik", "jki", "kij", "kji"] as const;
export type GemmOrder = (typeof gemmOrders)[number];

export const gemm = defineOp({
  name: "gemm",
  summary: "c with a product of matrices added to it, or subtracted, in the order of loops",
  laws: { consumes: [0], partial: true },
  type: (inputs, parameters) => {
    if (inputs.length !== 15) fault(`15 inputs are needed, not ${inputs.length}`);
    const { c, a, b, extents, atC, atA, atB } = gemmOf(inputs);
    for (const type of [c, a, b]) expectArray(type);
    [...extents, ...atC, ...atA, ...atB].forEach(expectIndex);
    orderOf(parameters);
    return [c];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const { c, a, b, extents, atC, atA, atB } = gemmOf(inputs);
      const [m, n, count] = extents.map(first) as [number, number, number];
      const order = orderOf(parameters);
      const sign = parameters["subtract"] === true ? -1 : 1;
      out.set(c.data);
      const limits = { i: m, j: n, k: count };
      const now = { i: 0, j: 0, k: 0 };
      const step = (): void => {
        const x = element(a, atA, now.i, now.k);
        const y = element(b, atB, now.k, now.j);
        const place = placeIn(c, atC, now.i, now.j);
        out[place] = (out[place] as number) + sign * (x * y);
      };
      const [outer, middle, inner] = [...order] as ["i" | "j" | "k", "i" | "j" | "k", "i" | "j"];
      for (now[outer] = 0; now[outer] < limits[outer]; now[outer]++) {
        for (now[middle] = 0; now[middle] < limits[middle]; now[middle]++) {
          for (now[inner] = 0; now[inner] < limits[inner]; now[inner]++) step();
        }
      }
    }),
  derivative: {
    kind: "rules",
    // (c + a b)˙ = ċ + ȧ b + a ḃ
    jvp: ({ builder, inputs, equation }, tangents) => {
      const known = gemmOf(inputs);
      const [dc, da, db] = tangents;
      if (dc === undefined && da === undefined && db === undefined) return [undefined];
      let sum = dc ?? builder.zerosOf(known.c.type);
      if (da !== undefined)
        sum = emitGemm(builder, { ...known, c: sum, a: da }, equation.parameters);
      if (db !== undefined)
        sum = emitGemm(builder, { ...known, c: sum, b: db }, equation.parameters);
      return [sum];
    },
    // ā += c̄ bᵀ, b̄ += aᵀ c̄, and c̄ goes on as it is
    vjp: ({ builder, inputs, equation }, [w]) => {
      if (w === undefined) return [];
      const { a, b, extents, atC, atA, atB } = gemmOf(inputs);
      const [m, n, count] = extents;
      const parameters = { ...equation.parameters, order: "ijk" };
      const intoA = {
        a: w,
        b,
        extents: [m, count, n],
        atC: atA,
        atA: atC,
        atB: turned(atB),
      } as const;
      const intoB = {
        a,
        b: w,
        extents: [count, n, m],
        atC: atB,
        atA: turned(atA),
        atB: atC,
      } as const;
      const added = (product: Omit<Gemm<Value>, "c">): Contribution => ({
        accumulate: (c) => emitGemm(builder, { ...product, c }, parameters),
      });
      return [w, added(intoA), added(intoB)];
    },
  },
  // A loop over the batch, in which the operands start at their row.
  batch: ({ builder, equation, size }, inputs, batched) => {
    const c = batched[0] ? (inputs[0] as Value) : repeated(builder, inputs[0] as Value, size);
    const body = builder.block([arrayType("i32", []), c.type], (inner, [row, written]) => {
      const at = inputs.map((x, k) => (k > 2 && batched[k] ? inner.at(x, [row as Value]) : x));
      const moved = (start: Value, operand: number): Value => {
        if (operand !== 0 && !batched[operand]) return start;
        const whole = (equation.inputs[operand] as Value).type.shape;
        return inner.add(start, inner.mul(row as Value, inner.extent(elementCount(whole))));
      };
      const known = gemmOf(at);
      const from = (walk: Walk<Value>, operand: number): Walk<Value> => [
        moved(walk[0], operand),
        walk[1],
        walk[2],
      ];
      const all = {
        ...known,
        c: written as Value,
        atC: from(known.atC, 0),
        atA: from(known.atA, 1),
        atB: from(known.atB, 2),
      };
      return [emitGemm(inner, all, equation.parameters)];
    });
    return builder.for(builder.extent(size), [c], body);
  },
  lower: { kind: "schedule" },
  samples: [
    sample([2, 4], [2, 3], [3, 4], [2, 4, 3], [0, 4, 1], [0, 3, 1], [0, 4, 1]),
    sample([4, 2], [3, 2], [4, 3], [2, 4, 3], [0, 1, 2], [0, 1, 2], [0, 1, 3], "kij", true),
    sample([23], [17], [19], [3, 4, 2], [1, 7, 1], [2, 5, 1], [16, -1, -3], "ikj"),
    // Places that coincide: all rows of c are one.
    sample([4], [6], [8], [3, 4, 2], [0, 0, 1], [0, 2, 1], [0, 4, 1], "ikj"),
    sample([3], [5], [4], [3, 1, 2], [0, 1, 0], [0, 1, 2], [1, 2, 0], "jki"),
    sample([4], [4], [4], [2, 2, 0], [0, 2, 1], [0, 2, 1], [0, 2, 1]),
    sample([1], [1], [1], [-1, 3, 2], [0, 9, 9], [0, 9, 9], [0, 9, 9]),
    {
      inputs: [
        f64([-0, 0, Infinity]),
        f64([-0, -0, 1]),
        f64([NaN, 3, -1]),
        ...[1, 3, 2, 0, 9, 1, 2, 9, -1, 0, 0, 1].map(index),
      ],
      parameters: { order: "ijk", subtract: false },
      differentiate: [],
    },
  ],
});

function sample(
  c: readonly number[],
  a: readonly number[],
  b: readonly number[],
  extents: readonly [number, number, number],
  atC: Walk<number>,
  atA: Walk<number>,
  atB: Walk<number>,
  order: GemmOrder = "ijk",
  subtract = false,
) {
  const integers = [...extents, ...atC, ...atA, ...atB].map(index);
  return {
    inputs: [wave("f64", c), wave("f64", a, 1), wave("f64", b, 2), ...integers],
    parameters: { order, subtract },
  };
}

/** The inputs of an equation, or whatever stands for them, by name. */
export function gemmOf<T>(inputs: readonly T[]): Gemm<T> {
  const [c, a, b, ...rest] = inputs as [T, T, T, ...T[]];
  return {
    c,
    a,
    b,
    extents: rest.slice(0, 3) as unknown as Gemm<T>["extents"],
    atC: rest.slice(3, 6) as unknown as Walk<T>,
    atA: rest.slice(6, 9) as unknown as Walk<T>,
    atB: rest.slice(9, 12) as unknown as Walk<T>,
  };
}

export function emitGemm(
  builder: GraphBuilder,
  { c, a, b, extents, atC, atA, atB }: Gemm<Value>,
  parameters: Parameters,
): Value {
  return builder.one("gemm", [c, a, b, ...extents, ...atC, ...atA, ...atB], parameters);
}

export function orderOf(parameters: Parameters): GemmOrder {
  const order = text(parameters, "order");
  if (!(gemmOrders as readonly string[]).includes(order)) fault(`${order} is no order of loops`);
  return order as GemmOrder;
}

/** The same operand with its two counters the other way round. */
function turned<T>([start, outer, inner]: Walk<T>): Walk<T> {
  return [start, inner, outer];
}

function expectArray(type: ValueType): void {
  expectDtype(type, ["f64"]);
  if (type.shape.length === 0) fault("the operands of a gemm are arrays");
}

function first({ data }: NdArray): number {
  return data[0] as number;
}

function placeIn(x: NdArray, walk: Walk<NdArray>, i: number, j: number): number {
  const [start, outer, inner] = walk.map(first) as [number, number, number];
  const place = start + i * outer + j * inner;
  if (place < 0 || place >= x.data.length) throw outOfRange(place, x.data.length);
  return place;
}

function element(x: NdArray, walk: Walk<NdArray>, i: number, j: number): number {
  return x.data[placeIn(x, walk, i, j)] as number;
}
