/** What all schedules of convolutions know: settings, images with a border, channels by groups. */

import { type Dim, exactQuotient } from "../../ir/dim.ts";
import type { Expr } from "../loop.ts";

export interface Settings {
  readonly stride: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
  readonly dilation: readonly number[];
  readonly groups: number;
}

/** Images with their border: dense, [N, …spatial, C]. */
export interface Images {
  readonly base: Expr;
  readonly shape: readonly Dim[];
  /** Elements before the first one that the convolution reads, along each spatial axis. */
  readonly skip: readonly number[];
}

export function divided(extent: Dim, groups: number): Dim {
  const quotient = exactQuotient(extent, groups);
  if (quotient === undefined) throw new Error("channels cannot be divided into groups");
  return quotient;
}

export function at(list: readonly number[], k: number): number {
  return list[k] as number;
}
