/**
 * Convolutions in which each channel has a filter of its own: vectors of channels, a few neighbours
 * of the last axis at a time, the taps written out. Neighbours share what they read of the images.
 *
 *   y[n, p, c] = Σ_q x[n, p·stride + q·dilation, c] · k[q, c]
 */

import type { Dim } from "../../ir/dim.ts";
import type { DType } from "../../ir/types.ts";
import { addIndex, dimIndex, flatIndex, localIndex, scaleIndex } from "../affine.ts";
import {
  constant,
  type Expr,
  load,
  type Local,
  local,
  loop,
  machine,
  op,
  read,
  set,
  type Statement,
  store,
  temporary,
} from "../loop.ts";
import { type Axis, axesOf, type ChooseRange, nest, wrap, wrapShared } from "../nest.ts";
import type { Range } from "../tasks.ts";
import { range } from "./tile.ts";

/** Results along the last axis that are computed together. */
const together = 4;
/** Channels of a line in the cache. */
const channelGrain = 16;

export interface Depthwise {
  readonly dtype: DType;
  readonly vectors: boolean;
  /** Images with their border, of this shape, and elements before the first that is read. */
  readonly images: Expr;
  readonly imageShape: readonly Dim[];
  readonly skip: readonly number[];
  /** [...window, channels] */
  readonly filter: Expr;
  readonly window: readonly number[];
  /** [N, …spatial, channels] */
  readonly result: Expr;
  readonly resultShape: readonly Dim[];
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
}

/** The result from the images and the filter; then, for each row of it, its end. */
export function depthwiseResult(
  given: Depthwise,
  outer: readonly Axis[],
  end: readonly Statement[],
  choose: ChooseRange,
): readonly Statement[] {
  const { dtype } = given;
  const body = blocksOf(given, outer, undefined, (block) => {
    const sums = range(block.count).map((k) => temporary(`sum${k}`, machine(dtype)));
    return [
      ...sums.map((sum) => set(sum, constant(0, dtype))),
      ...block.taps.flatMap((tap) => [
        ...tap.reads,
        set(block.weight, load(given.filter, tap.weightAt, dtype)),
        ...sums.map((sum, k) =>
          set(sum, madd(dtype, read(tap.images[k] as Local), read(block.weight), read(sum))),
        ),
      ]),
      ...sums.map((sum, k) => store(given.result, block.resultAt[k] as Expr, dtype, read(sum))),
    ];
  });
  return wrapShared(outer, [...body, ...end], choose);
}

/** What the result's cotangent, in the result's place, adds to that of the filter. */
export function depthwiseFilter(given: Depthwise, choose: ChooseRange): readonly Statement[] {
  const { dtype, resultShape } = given;
  // All results add to the filter of their channel: it is the channels that are split.
  const channels = choose(resultShape.at(-1) as Dim, channelGrain);
  const outer = axesOf(resultShape.slice(0, -2), "n");
  const body = blocksOf(given, outer, channels, (block) => {
    const slopes = range(block.count).map((k) => temporary(`slope${k}`, machine(dtype)));
    return [
      ...slopes.map((slope, k) => set(slope, load(given.result, block.resultAt[k] as Expr, dtype))),
      ...block.taps.flatMap((tap) => {
        const old: Expr = load(given.filter, tap.weightAt, dtype);
        const grown = slopes.reduce(
          (sum, slope, k) => madd(dtype, read(tap.images[k] as Local), read(slope), sum),
          old,
        );
        return [...tap.reads, store(given.filter, tap.weightAt, dtype, grown)];
      }),
    ];
  });
  return wrap(outer, body);
}

function madd(dtype: DType, a: Expr, b: Expr, c: Expr): Expr {
  return { kind: "madd", dtype, lanes: 1, a, b, c };
}

/** Some neighbouring results of one channel. */
interface Results {
  readonly count: number;
  readonly resultAt: readonly Expr[];
  readonly weight: Local;
  readonly taps: readonly Tap[];
}

interface Tap {
  readonly weightAt: Expr;
  /** Sets those of `images` that no tap before has read. */
  readonly reads: readonly Statement[];
  /** The element of the images for each result. */
  readonly images: readonly Local[];
}

/** A row of the result, at an index of the outer axes: `channels` of it, or all. */
function blocksOf(
  given: Depthwise,
  outer: readonly Axis[],
  channels: Range | undefined,
  body: (block: Results) => readonly Statement[],
): readonly Statement[] {
  const { resultShape } = given;
  const place = local("p", "i32");
  const columns = resultShape.at(-2) as Dim;
  const [channel] = axesOf(resultShape.slice(-1), "c");
  if (channel === undefined) throw new Error("a convolution has channels");
  const block = (count: number): readonly Statement[] => {
    const index = [...outer.map(({ counter }) => localIndex(counter)), localIndex(place)];
    const results = resultsAt(given, index, localIndex(channel.counter), count);
    return nest([channel], body(results), given.vectors, channels && (() => channels));
  };
  const many =
    typeof columns === "number"
      ? constant(columns - (columns % together))
      : op("bit_and", "i32", [dimIndex(columns), constant(-together)]);
  return [
    loop(place, many, block(together), together),
    loop(place, dimIndex(columns), block(1), 1, many),
  ];
}

function resultsAt(
  given: Depthwise,
  index: readonly Expr[],
  channel: Expr,
  count: number,
): Results {
  const { dtype, window, stride, dilation, skip, resultShape, imageShape } = given;
  const rank = window.length;
  const seen = new Map<string, Local>();
  const taps = tapsOf(window).map((tap): Tap => {
    const reads: Statement[] = [];
    const images = range(count).map((k): Local => {
      const offsets = tap.map((q, axis) => {
        const moved = axis === rank - 1 ? k * (stride[axis] as number) : 0;
        return q * (dilation[axis] as number) + moved + (skip[axis] as number);
      });
      const key = offsets.join();
      const known = seen.get(key);
      if (known !== undefined) return known;
      const element = temporary("x", machine(dtype));
      seen.set(key, element);
      const at = offsets.map((offset, axis) =>
        addIndex(scaleIndex(index[axis + 1] as Expr, stride[axis] as number), constant(offset)),
      );
      const from = flatIndex(imageShape, [index[0] as Expr, ...at, channel]);
      reads.push(set(element, load(given.images, from, dtype)));
      return element;
    });
    const weightAt = flatIndex(
      [...window, resultShape.at(-1) as Dim],
      [...tap.map((q) => constant(q)), channel],
    );
    return { weightAt, reads, images };
  });
  const resultAt = range(count).map((k) =>
    flatIndex(resultShape, [
      ...index.slice(0, -1),
      addIndex(index.at(-1) as Expr, constant(k)),
      channel,
    ]),
  );
  return { count, resultAt, weight: temporary("w", machine(dtype)), taps };
}

/** All positions in a window, the last axis fastest. */
function tapsOf(window: readonly number[]): readonly (readonly number[])[] {
  return window.reduce<readonly (readonly number[])[]>(
    (all, extent) => all.flatMap((tap) => range(extent).map((q) => [...tap, q])),
    [[]],
  );
}

/** Where taps are few enough to be written out. */
export function isDepthwise(
  window: readonly number[],
  channels: Dim,
  outputs: Dim,
  groups: number,
): boolean {
  const taps = window.reduce((product, extent) => product * extent, 1);
  return channels === 1 && outputs === groups && taps <= 64;
}
