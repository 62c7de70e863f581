/** What passes between the code of the host and the regions of an asynchronous root on a device. */

import type { LoadedProgram, Program } from "./load.ts";
import { profiled } from "./profiled.ts";
import { Tensor } from "./tensor.ts";

/** An asynchronous root: what `compile` gives of it. */
export function asRoot(name: string, call: Program): LoadedProgram {
  return profiled(name, call);
}

/** The number that a tensor of one element holds, or a number itself, when it is there. */
export async function receive(value: unknown): Promise<unknown> {
  return value instanceof Tensor ? (await value.data())[0] : value;
}

/** As `receive`, at once. */
export function item(value: unknown): unknown {
  return value instanceof Tensor ? value.dataSync()[0] : value;
}

/**
 * The same value, whose tensors the host now has as well: a region that carries them on does not
 * write in their memory.
 */
export function keep<T>(value: T): T {
  if (value instanceof Tensor) Tensor.keep(value);
  else if (typeof value === "object" && value !== null && !ArrayBuffer.isView(value)) {
    for (const part of Object.values(value)) keep(part);
  }
  return value;
}
