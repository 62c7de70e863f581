/** What calls work in, and what is left of one that ends. */

import { pool } from "./storage.ts";

/** The bytes that calls work in: the arena, copies of arguments, plain results. */
const scratch = { address: 0, bytes: 0 };

export function scratchOf(bytes: number): number {
  if (bytes > scratch.bytes) {
    if (scratch.bytes > 0) pool.memory.release(scratch.address);
    scratch.bytes = 0;
    scratch.address = pool.memory.allocate(bytes);
    scratch.bytes = bytes;
  }
  return scratch.address;
}

/** For code, an address of bytes that are free again when the call ends, at the latest. */
export function allocate(bytes: number): number {
  const address = pool.memory.allocate(bytes);
  transient.add(address);
  return address;
}

export function release(address: number): void {
  transient.delete(address);
  pool.memory.release(address);
}

/** Addresses that a call has from `allocate` and has not given back. */
export const transient = new Set<number>();

export function releaseTransient(): void {
  for (const address of transient) pool.memory.release(address);
  transient.clear();
}

/** The engine's own words for a full stack name neither the function nor a way out. */
export function explained(error: unknown, name: string): unknown {
  if (!(error instanceof Error) || !/call stack|recursion/.test(error.message)) return error;
  return new RangeError(
    `${name}: calls go too deep for the stack; write the recursion as a loop, or make it shallower`,
    { cause: error },
  );
}
