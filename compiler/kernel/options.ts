/** How a program is lowered: what the target has, and what its root allows. */

import { byteSize, type DType } from "../ir/types.ts";

export interface ProgramOptions {
  /** True for targets with vectors. */
  readonly vectors: boolean;
  /** True where a running function is not replaced by faster code: long loops run in chunks. */
  readonly chunks: boolean;
  /** Sums of scalar code may be taken in another order. */
  readonly reassociate?: boolean;
  /** Positions of parameters that the program may overwrite when nothing reads them any more. */
  readonly donated?: readonly number[];
  /** The work, in `costOf` and `count`, from which on threads share a kernel; none: never. */
  readonly forkAbove?: number | undefined;
  /** True where a kernel is started for all of its rounds at once, each a thread of a grid. */
  readonly grid?: boolean;
  /**
   * True where each thread of a grid should store one element, in a place that is its own, and read
   * none that its kernel stores.
   */
  readonly gathers?: boolean;
  /** True where no element of an array has less than four bytes. */
  readonly wholeWords?: boolean;
  /** True where doubles are computed, and stored, in single precision. */
  readonly singles?: boolean;
  /** Positions of scalar parameters that are in memory: their addresses are passed. */
  readonly inMemory?: readonly number[];
}

/** The bytes of an element in memory. */
export function elementBytes(dtype: DType, { wholeWords }: ProgramOptions): number {
  return wholeWords === true ? 4 : byteSize(dtype);
}
