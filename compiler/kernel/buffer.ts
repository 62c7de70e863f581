/** Memory of arrays as the program is being lowered: who needs which bytes from when to when. */

import { type Dim, sameDim } from "../ir/dim.ts";
import type { Value } from "../ir/types.ts";
import type { Local } from "./loop.ts";

/**
 * `arena`: planned, at a place in the program's arena. `heap`: its size is known only in the
 * middle of the program, which asks the host for it. `joined`: one of several, by the path taken.
 */
export type BufferKind = "arena" | "heap" | "parameter" | "constant" | "result" | "joined";

export interface Buffer {
  readonly kind: BufferKind;
  readonly name: string;
  /** Holds the address while the program runs. */
  readonly pointer: Local;
  /** Holds the planned address of an arena buffer; `pointer` itself unless a loop swaps it. */
  home: Local;
  readonly bytes: Dim;
  /** Of a joined buffer: which ones it may be. */
  readonly sources: Buffer[];
  /** The steps of the program between which it holds something. */
  from: number;
  to: number;
  /** Buffers that may lie in the same bytes if they end at the very step where this one starts. */
  readonly overlays: Set<Buffer>;
  /** The values that live here, and the views that read it later. */
  readonly values: Value[];
}

/** Marks a use; of a joined buffer, a use of everything it may be. */
export function touch(buffer: Buffer, step: number): void {
  buffer.to = Math.max(buffer.to, step);
  for (const source of buffer.sources) touch(source, step);
}

/** True when `first` holds nothing any more where `second` begins to, or lies in its very place. */
export function endsBefore(first: Buffer, second: Buffer): boolean {
  if (first.to !== second.from) return first.to < second.from;
  return second.overlays.has(first) && sameDim(first.bytes, second.bytes);
}

/** The buffers behind a buffer, through every join. */
export function rootsOf(buffer: Buffer): readonly Buffer[] {
  return buffer.kind === "joined" ? buffer.sources.flatMap(rootsOf) : [buffer];
}
