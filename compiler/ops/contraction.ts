/** The general product of two arrays: sums over contracted axes, for each index of batch axes. */

import { type Dim, sameDim, shapeText } from "../ir/dim.ts";
import { forEachIndex, offsetOf } from "../ir/ndarray.ts";
import { arrayType, type DType, type Parameters, type Value } from "../ir/types.ts";
import { defineOp, fault } from "./define.ts";
import { moveAxis } from "./support/batching.ts";
import { integers } from "./support/parameters.ts";
import { extentsAt, fill, outputOf, stridesAt } from "./support/reference.ts";
import { f64, i32, wave } from "./support/samples.ts";
import {
  expectAxes,
  expectDtype,
  expectSameDtype,
  otherAxes,
  signed,
  two,
} from "./support/types.ts";

interface Axes {
  readonly lhsContract: readonly number[];
  readonly rhsContract: readonly number[];
  readonly lhsBatch: readonly number[];
  readonly rhsBatch: readonly number[];
}

export const dot = defineOp({
  name: "dot",
  summary: "Sums of products over contracted axes; batch axes, then those of x, then those of y",
  laws: { costly: true },
  type: (inputs, parameters) => {
    const [x, y] = two(inputs);
    const axes = axesOf(parameters);
    expectSameDtype(x, y);
    expectDtype(x, signed);
    expectAxes(x.shape, [...axes.lhsBatch, ...axes.lhsContract]);
    expectAxes(y.shape, [...axes.rhsBatch, ...axes.rhsContract]);
    expectPaired(axes.lhsContract, axes.rhsContract);
    expectPaired(axes.lhsBatch, axes.rhsBatch);
    const pairs = [
      ...axes.lhsContract.map((axis, k) => [axis, axes.rhsContract[k]] as const),
      ...axes.lhsBatch.map((axis, k) => [axis, axes.rhsBatch[k]] as const),
    ];
    for (const [left, right] of pairs) {
      const [one, other] = [x.shape[left] as Dim, y.shape[right as number] as Dim];
      if (!sameDim(one, other)) {
        fault(
          `axis ${left} of the left operand and axis ${right} of the right one must match: ` +
            `their shapes are ${shapeText(x.shape)} and ${shapeText(y.shape)}`,
          [one, other],
        );
      }
    }
    const { lhsFree, rhsFree } = freeAxes(axes, x.shape.length, y.shape.length);
    const shape = [
      ...axes.lhsBatch.map((axis) => x.shape[axis] as Dim),
      ...lhsFree.map((axis) => x.shape[axis] as Dim),
      ...rhsFree.map((axis) => y.shape[axis] as Dim),
    ];
    return [arrayType(x.dtype, shape)];
  },
  reference: (inputs, parameters, context) =>
    fill(outputOf(context), (out) => {
      const [x, y] = two(inputs);
      const axes = axesOf(parameters);
      const { lhsFree, rhsFree } = freeAxes(axes, x.shape.length, y.shape.length);
      const nowhere = (free: readonly number[]): readonly number[] => free.map(() => 0);
      const left = [...stridesAt(x.shape, [...axes.lhsBatch, ...lhsFree]), ...nowhere(rhsFree)];
      const right = [
        ...stridesAt(y.shape, axes.rhsBatch),
        ...nowhere(lhsFree),
        ...stridesAt(y.shape, rhsFree),
      ];
      const contracted = extentsAt(x.shape, axes.lhsContract);
      const leftInner = stridesAt(x.shape, axes.lhsContract);
      const rightInner = stridesAt(y.shape, axes.rhsContract);
      const multiply = product(x.dtype);
      forEachIndex(outputOf(context).shape, (index, position) => {
        const [i, j] = [offsetOf(index, left), offsetOf(index, right)];
        let total = 0;
        forEachIndex(contracted, (place) => {
          total += multiply(
            x.data[i + offsetOf(place, leftInner)] as number,
            y.data[j + offsetOf(place, rightInner)] as number,
          );
        });
        out[position] = total;
      });
    }),
  derivative: {
    kind: "multilinear",
    transposes: [
      // w has [batch, free of x, free of y]; with y it loses the last and gains what x contracted.
      ({ builder, inputs, equation }, w) => {
        const [x, y] = two(inputs);
        const axes = axesOf(equation.parameters);
        const [rank, otherRank] = [x.type.shape.length, y.type.shape.length];
        const { lhsFree, rhsFree } = freeAxes(axes, rank, otherRank);
        const batch = axes.lhsBatch.length;
        const result = builder.dot(w, y, {
          contract: [rhsFree.map((_, k) => batch + lhsFree.length + k), rhsFree],
          batch: [axes.lhsBatch.map((_, k) => k), axes.rhsBatch],
        });
        const order = [...axes.rhsContract].sort((a, b) => a - b);
        const place = new Map<number, number>();
        axes.lhsBatch.forEach((axis, k) => place.set(axis, k));
        lhsFree.forEach((axis, k) => place.set(axis, batch + k));
        axes.lhsContract.forEach((axis, k) => {
          place.set(axis, batch + lhsFree.length + order.indexOf(axes.rhsContract[k] as number));
        });
        return builder.transpose(result, permutation(rank, place));
      },
      ({ builder, inputs, equation }, w) => {
        const [x, y] = two(inputs);
        const axes = axesOf(equation.parameters);
        const [otherRank, rank] = [x.type.shape.length, y.type.shape.length];
        const { lhsFree, rhsFree } = freeAxes(axes, otherRank, rank);
        const batch = axes.lhsBatch.length;
        const result = builder.dot(x, w, {
          contract: [lhsFree, lhsFree.map((_, k) => batch + k)],
          batch: [axes.lhsBatch, axes.lhsBatch.map((_, k) => k)],
        });
        const order = [...axes.lhsContract].sort((a, b) => a - b);
        const place = new Map<number, number>();
        axes.rhsBatch.forEach((axis, k) => place.set(axis, k));
        axes.rhsContract.forEach((axis, k) => {
          place.set(axis, batch + order.indexOf(axes.lhsContract[k] as number));
        });
        rhsFree.forEach((axis, k) => place.set(axis, batch + order.length + k));
        return builder.transpose(result, permutation(rank, place));
      },
    ],
  },
  // The elements of x and of y that are multiplied for it.
  dependence: ({ builder, inputs, outputs, equation }, masks) => {
    const [x, y] = two(inputs);
    const axes = axesOf(equation.parameters);
    const { lhsFree, rhsFree } = freeAxes(axes, x.type.shape.length, y.type.shape.length);
    const { shape } = (outputs[0] as Value).type;
    const batch = axes.lhsBatch.map((_, k) => k);
    const sides = [
      { contract: axes.lhsContract, batch: axes.lhsBatch, free: lhsFree, from: batch.length },
      {
        contract: axes.rhsContract,
        batch: axes.rhsBatch,
        free: rhsFree,
        from: batch.length + lhsFree.length,
      },
    ];
    const parts = sides.flatMap((side, k) => {
      const mask = masks[k];
      if (mask === undefined) return [];
      const combined = builder.one("reduce_or", [mask], { axes: side.contract });
      // The axes that are left, in their order, and where each stands in the result.
      const place = new Map<number, number>();
      side.batch.forEach((axis, n) => place.set(axis, n));
      side.free.forEach((axis, n) => place.set(axis, side.from + n));
      const kept = otherAxes(mask.type.shape.length, side.contract);
      const places = kept.map((axis) => place.get(axis) as number);
      return [builder.broadcast(combined, shape, places)];
    });
    return parts.reduce((all, part) => builder.binary("bit_or", all, part));
  },
  batch: ({ builder, equation }, inputs, batched) => {
    const [x, y] = two(inputs);
    const axes = axesOf(equation.parameters);
    const shift = (list: readonly number[], by: boolean | undefined): readonly number[] =>
      by ? list.map((axis) => axis + 1) : list;
    const contract = [
      shift(axes.lhsContract, batched[0]),
      shift(axes.rhsContract, batched[1]),
    ] as const;
    const left = shift(axes.lhsBatch, batched[0]);
    const right = shift(axes.rhsBatch, batched[1]);
    if (batched[0] && batched[1]) {
      return [
        builder.dot(x, y, {
          contract,
          batch: [
            [0, ...left],
            [0, ...right],
          ],
        }),
      ];
    }
    // The new axis is the first free one of its operand.
    const result = builder.dot(x, y, { contract, batch: [left, right] });
    const lhsFree = x.type.shape.length - left.length - contract[0].length;
    return [moveAxis(builder, result, left.length + (batched[0] ? 0 : lhsFree), 0)];
  },
  lower: { kind: "schedule" },
  samples: [
    { inputs: [wave("f64", [2, 3]), wave("f64", [3, 4], 1)], parameters: spec([1], [0]) },
    { inputs: [wave("f64", [3]), wave("f64", [3], 1)], parameters: spec([0], [0]) },
    { inputs: [wave("f64", [2]), wave("f64", [3], 1)], parameters: spec([], []) },
    { inputs: [wave("f64", [3, 2]), wave("f64", [4, 3], 1)], parameters: spec([0], [1]) },
    {
      inputs: [wave("f64", [2, 3, 4]), wave("f64", [4, 2, 5], 1)],
      parameters: spec([2], [0], [0], [1]),
    },
    {
      inputs: [wave("f64", [3, 2, 5, 4]), wave("f64", [4, 3, 2, 3], 1)],
      parameters: spec([3, 0], [0, 1], [1], [2]),
    },
    {
      inputs: [wave("f64", [2, 3, 4]), wave("f64", [4, 3, 2], 1)],
      parameters: spec([2, 1], [0, 1], [0], [2]),
    },
    { inputs: [f64([2], []), f64([-3], [])], parameters: spec([], []) },
    { inputs: [f64([], [2, 0]), f64([], [0, 3])], parameters: spec([1], [0]) },
    {
      inputs: [wave("f16", [7, 5]), wave("f16", [5, 9], 1)],
      parameters: spec([1], [0]),
      differentiate: [],
    },
    {
      inputs: [wave("f32", [7, 5]), wave("f32", [5, 9], 1)],
      parameters: spec([1], [0]),
      differentiate: [],
    },
    {
      inputs: [i32([1, 2, 2147483647]), i32([5, -1, 3])],
      parameters: spec([0], [0]),
    },
  ],
});

function axesOf(parameters: Parameters): Axes {
  return {
    lhsContract: integers(parameters, "lhsContract"),
    rhsContract: integers(parameters, "rhsContract"),
    lhsBatch: integers(parameters, "lhsBatch"),
    rhsBatch: integers(parameters, "rhsBatch"),
  };
}

function freeAxes(
  axes: Axes,
  lhsRank: number,
  rhsRank: number,
): { readonly lhsFree: readonly number[]; readonly rhsFree: readonly number[] } {
  return {
    lhsFree: otherAxes(lhsRank, [...axes.lhsBatch, ...axes.lhsContract]),
    rhsFree: otherAxes(rhsRank, [...axes.rhsBatch, ...axes.rhsContract]),
  };
}

function expectPaired(left: readonly number[], right: readonly number[]): void {
  if (left.length !== right.length) {
    throw new Error(`a dot pairs ${left.length} axes with ${right.length}`);
  }
}

function permutation(rank: number, place: ReadonlyMap<number, number>): readonly number[] {
  return Array.from({ length: rank }, (_, axis) => place.get(axis) as number);
}

function product(dtype: DType): (x: number, y: number) => number {
  return dtype === "i32" ? Math.imul : (x, y) => x * y;
}

function spec(
  lhsContract: readonly number[],
  rhsContract: readonly number[],
  lhsBatch: readonly number[] = [],
  rhsBatch: readonly number[] = [],
): Parameters {
  return { lhsContract, rhsContract, lhsBatch, rhsBatch };
}
