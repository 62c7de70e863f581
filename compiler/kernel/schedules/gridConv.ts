/** Convolutions on a grid: products whose rows are pixels, or taps, that nobody lays out in memory. */

import { addDims, type Dim, elementCount, multiplyDims } from "../../ir/dim.ts";
import type { Value, ValueType } from "../../ir/types.ts";
import { addIndex, denseStrides, dimIndex, flatIndex, localIndex, scaleIndex } from "../affine.ts";
import type { Buffer } from "../buffer.ts";
import { add, constant, divide, type Expr, local, multiply, read, remainder } from "../loop.ts";
import { axesOf, wrap } from "../nest.ts";
import type { Program } from "../program.ts";
import { emitGridProduct, type ofElement } from "./gridTile.ts";
import { at, divided, type Images, type Settings } from "./images.ts";

/** On a grid, where a thread has several channels of the result. */
export function paysInSquares({ options }: Program, channels: Dim): boolean {
  return (
    options.grid === true &&
    options.gathers !== true &&
    (typeof channels !== "number" || channels >= 4)
  );
}

/** Pixels are rows of a product, channels of the result its columns; it sums over taps and channels. */
export function convOnGrid(
  program: Program,
  name: string,
  images: Images,
  filter: Expr,
  filterType: ValueType,
  { dtype, shape }: ValueType,
  { stride, dilation, groups }: Settings,
  result: Expr,
  finish: ReturnType<typeof ofElement>,
): void {
  const rank = stride.length;
  const [channels, outputs] = filterType.shape.slice(rank) as unknown as readonly [Dim, Dim];
  const perGroup = divided(outputs, groups);
  const strides = denseStrides(images.shape);
  const pixels = shape.slice(0, -1);
  const group = { counter: local("g", "i32"), extent: groups };
  const sums = axesOf([...filterType.shape.slice(0, rank), channels], "q");
  const tap = sums.map(({ counter }) => localIndex(counter));
  const skipped = images.skip.reduce<Dim>(
    (sum, extent, a) => addDims(sum, multiplyDims(strides[a + 1] as Dim, extent)),
    0,
  );
  const ofGroup = scaleIndex(localIndex(group.counter), channels);
  const column = (j: Expr): Expr => add(scaleIndex(localIndex(group.counter), perGroup), j);
  emitGridProduct(
    program,
    "conv",
    name,
    {
      dtype,
      m: elementCount(pixels),
      n: perGroup,
      batch: [group],
      a: {
        base: images.base,
        start: (i) => {
          const place = unflattened(i, pixels).map((p, a) =>
            multiply(p, dimIndex(multiplyDims(strides[a] as Dim, a === 0 ? 1 : at(stride, a - 1)))),
          );
          return place.reduce(add, addIndex(dimIndex(skipped), ofGroup));
        },
        step: tap.reduce(
          (sum, q, a) =>
            addIndex(
              sum,
              a === rank ? q : scaleIndex(q, multiplyDims(strides[a + 1] as Dim, at(dilation, a))),
            ),
          constant(0) as Expr,
        ),
      },
      b: {
        base: filter,
        start: column,
        step: flatIndex(filterType.shape, [...tap, constant(0)]),
      },
      sum: (round) => wrap(sums, round),
      target: { base: result, at: (i, j) => add(multiply(i, dimIndex(outputs)), column(j)) },
    },
    finish,
  );
}

/** Taps and channels are rows of a product, channels of y its columns; it sums over pixels. */
export function filterOnGrid(
  program: Program,
  name: string,
  images: Images,
  weights: Expr,
  pixels: readonly Dim[],
  { type: { dtype, shape } }: Value,
  { stride, dilation, groups }: Settings,
  buffer: Buffer,
): void {
  const rank = stride.length;
  const [channels, outputs] = shape.slice(rank) as unknown as readonly [Dim, Dim];
  const perGroup = divided(outputs, groups);
  const strides = denseStrides(images.shape);
  const rows = [...shape.slice(0, rank), channels];
  const group = { counter: local("g", "i32"), extent: groups };
  const sums = axesOf(pixels, "p");
  const pixel = sums.map(({ counter }) => localIndex(counter));
  const ofGroup = scaleIndex(localIndex(group.counter), channels);
  const column = (j: Expr): Expr => add(scaleIndex(localIndex(group.counter), perGroup), j);
  emitGridProduct(
    program,
    "conv_filter",
    name,
    {
      dtype,
      m: elementCount(rows),
      n: perGroup,
      batch: [group],
      a: {
        base: images.base,
        start: (i) => {
          const place = unflattened(i, rows).map((q, a) =>
            a === rank
              ? q
              : multiply(q, dimIndex(multiplyDims(strides[a + 1] as Dim, at(dilation, a)))),
          );
          return place.reduce(add, ofGroup);
        },
        step: pixel.reduce(
          (sum, p, a) =>
            addIndex(
              sum,
              scaleIndex(p, multiplyDims(strides[a] as Dim, a === 0 ? 1 : at(stride, a - 1))),
            ),
          constant(0) as Expr,
        ),
      },
      b: {
        base: weights,
        start: column,
        step: flatIndex([...pixels, outputs], [...pixel, constant(0)]),
      },
      sum: (round) => wrap(sums, round),
      target: {
        base: read(buffer.pointer),
        at: (i, j) => add(multiply(i, dimIndex(outputs)), column(j)),
      },
    },
    undefined,
  );
}

/** The index along each axis of an element, by its number. */
function unflattened(index: Expr, shape: readonly Dim[]): readonly Expr[] {
  const parts: Expr[] = [];
  let rest = index;
  for (const extent of shape.slice(1).toReversed()) {
    parts.unshift(remainder(rest, dimIndex(extent)));
    rest = divide(rest, dimIndex(extent));
  }
  return [rest, ...parts];
}
