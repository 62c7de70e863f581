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

/** What the rounds of a loop do with results of the device, in order, while the loop goes on. */
export interface Tails {
  /** Has `tail` run when those before it are done. Waits where many are not; throws what one has thrown. */
  readonly put: <A extends unknown[]>(
    tail: (...args: A) => Promise<void>,
    ...args: A
  ) => Promise<void>;
  /** Waits for all; throws what one has thrown. */
  readonly done: () => Promise<void>;
}

/** Results wait for the host no longer than this many rounds. */
const mostTails = 4;

export function tails(): Tails {
  const pending: Promise<void>[] = [];
  let last = Promise.resolve();
  return {
    async put(tail, ...args) {
      last = last.then(() => tail(...args));
      // Whoever waits is told.
      last.catch(() => {});
      pending.push(last);
      if (pending.length > mostTails) await pending.shift();
    },
    done: () => last,
  };
}
