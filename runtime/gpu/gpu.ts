/**
 * What programs need of a graphics device. All arrays of all programs are in one memory, which
 * grows; work is done in the order in which it was asked for, so memory that is given back may be
 * taken by work that comes later.
 */

import { Allocator } from "../allocator.ts";
import { faultAt } from "../faults.ts";
import type { GpuCode, Layout } from "../manifest.ts";

/** Starts an entry of a program with so many threads. */
export type Launch = (entry: number, threads: number, operands: readonly number[]) => void;

/** A call whose work has been asked for. It fails by itself, or with what it was given. */
export interface Started {
  readonly layout: Layout;
  readonly failure: unknown;
  readonly fail: (error: unknown) => void;
}

export interface Piece {
  readonly address: number;
  readonly bytes: number;
}

/** Where a program has its constants and its cells, and the functions that it imports. */
export interface Places {
  readonly constants: number;
  readonly cells: number;
  readonly math: Readonly<Record<string, (x: number, y: number) => number>>;
}

/** There is no such device here; the message says what is missing. */
export class NoDevice extends Error {
  override readonly name = "NoDevice";
}

export interface Gpu {
  readonly memory: Allocator;
  /** Compiles the entries of a program. */
  readonly link: (code: GpuCode, places: Places) => Promise<Launch>;
  /** Throws if the device can do nothing any more. */
  readonly check: () => void;
  /** The launches that follow are those of this call. */
  readonly enter: (call: Started) => void;
  /** Has the device do what was recorded. */
  readonly submit: () => void;
  readonly write: (address: number, data: ArrayBufferView<ArrayBuffer>) => void;
  /** The bytes of some pieces of the memory. After that, the calls before know whether they failed. */
  readonly read: (pieces: readonly Piece[]) => Promise<readonly ArrayBuffer[]>;
}

/** Arrays begin at multiples of this, which bindings of parts of the memory need. */
const alignment = 256;
/** Below, nothing is allocated: an address of 0 means none. There, calls say what failed in them. */
const firstAddress = 4096;
/** Of a failure: the place in the program, from 1, and two numbers of the message. */
export const faultBytes = 16;
export const firstFault = faultBytes;
export const mostCalls = (firstAddress - firstFault) / faultBytes;

/** The memory of a device, which `reach` makes large enough. */
export function deviceMemory(reach: (end: number) => void): Allocator {
  return new Allocator(firstAddress, alignment, reach);
}

/** Tells calls that they failed, from what the device says of each, or what they were given. */
export function settle(started: readonly Started[], table: Int32Array): void {
  started.forEach((call, k) => {
    const [site = 0, index = 0, extent = 0] = table.subarray((k * faultBytes) / 4);
    if (call.failure !== undefined) call.fail(call.failure);
    else if (site > 0) call.fail(faultAt(call.layout.sites[site - 1], index, extent));
  });
}

export const toUseLess =
  "use smaller batches, give way to the event loop (`await`) between steps, which lets the " +
  'collector find tensors that nobody has any more, or compile with target: "wasm"';
