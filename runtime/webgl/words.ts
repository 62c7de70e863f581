/** The processor's copy of the memory, by rows: which of them the device has changed, and which we. */

import type { Places } from "../gpu/gpu.ts";
import { rowBits } from "../gpu/launches.ts";
import type { WordsEnvironment } from "../manifest.ts";

const rowWords = 2 ** rowBits;

/** Ends an entry that failed: the place of the call says how. */
class Ended extends Error {}

export class Words {
  u32 = new Uint32Array(0);
  i32 = new Int32Array(0);
  private f32 = new Float32Array(0);
  /** Rows that the device has, and we have not. */
  private stale = new Uint8Array(0);
  private marks = new Uint8Array(0);

  /** Makes room for so many rows. */
  reach(rows: number): void {
    if (rows <= this.stale.length) return;
    const u32 = new Uint32Array(rows * rowWords);
    u32.set(this.u32);
    this.u32 = u32;
    this.i32 = new Int32Array(u32.buffer);
    this.f32 = new Float32Array(u32.buffer);
    const stale = new Uint8Array(rows).fill(1);
    stale.set(this.stale);
    this.stale = stale;
    this.marks = new Uint8Array(rows);
  }

  /** The device changes some words. */
  change(from: number, to: number): void {
    this.stale.fill(1, from >> rowBits, Math.ceil(to / rowWords));
  }

  /** Runs of rows to be fetched, as they are taken. */
  changed(): readonly (readonly [from: number, to: number])[] {
    return runsOf(this.stale);
  }

  /** Runs of rows that were stored in since. */
  written(): readonly (readonly [from: number, to: number])[] {
    return runsOf(this.marks);
  }

  run(
    make: (environment: WordsEnvironment) => (...operands: number[]) => void,
    { constants, math }: Places,
    failure: number,
    operands: readonly number[],
  ): void {
    const { u32, i32, f32, marks } = this;
    const mark = (to: number, bytes: number): void => {
      if (bytes > 0) marks.fill(1, to >> (rowBits + 2), ((to + bytes - 1) >> (rowBits + 2)) + 1);
    };
    const entry = make({
      constants,
      math: math as never,
      views: { f32, i32, written: marks },
      fault: (site, index, extent) => {
        i32.set([site + 1, index, extent], failure / 4);
        mark(failure, 16);
        throw new Ended();
      },
      copy: (to, from, bytes) => {
        u32.copyWithin(to / 4, from / 4, (from + bytes) / 4);
        mark(to, bytes);
      },
      clear: (to, bytes) => {
        u32.fill(0, to / 4, (to + bytes) / 4);
        mark(to, bytes);
      },
    });
    try {
      entry(...operands);
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
    }
  }
}

/** Where marks stand, in runs; takes them away. */
function runsOf(marks: Uint8Array): readonly (readonly [from: number, to: number])[] {
  const runs: (readonly [number, number])[] = [];
  for (let at = marks.indexOf(1); at >= 0; at = marks.indexOf(1, at)) {
    const next = marks.indexOf(0, at);
    const end = next < 0 ? marks.length : next;
    runs.push([at, end]);
    at = end;
  }
  marks.fill(0);
  return runs;
}
