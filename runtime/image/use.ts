/** Elements on a device, used there by something else than a program. */

import { type Elements, elementsOf } from "../gpu/elements.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Queue } from "../gpu/queue.ts";
import { onHostLater } from "../remote.ts";
import { isHere, pool } from "../storage.ts";
import { Tensor } from "../tensor.ts";

/** What using elements waits for besides them, and who is told that it was done or failed. */
interface Order {
  readonly ready?: Promise<unknown> | undefined;
  readonly end?: () => void;
}

/** Does something with elements in their turn. Gives what that gave when they are known to be right. */
export function used<T>(
  elements: Elements,
  use: (gpu: Gpu, address: number) => T,
  { ready, end }: Order = {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const run = (gpu: Gpu): void => {
      const result = use(gpu, elements.address);
      end?.();
      // After this it is known whether the elements were computed.
      gpu.read([]).then(() => {
        if (elements.failed === undefined) resolve(result);
        else reject(elements.failed as Error);
      }, reject);
    };
    const fail = (error: unknown): void => {
      end?.();
      reject(error as Error);
    };
    elements.queue.inOrder({ ready, run, fail });
  });
}

/** The elements of a tensor on a device, from wherever they are. */
export function elementsOn(queue: Queue, tensor: Tensor): Elements {
  const storage = Tensor.storageOf(tensor);
  const { dtype, length, remote } = storage;
  if (isHere(storage) || remote === undefined || remote.device === queue.name) {
    return elementsOf(queue, tensor);
  }
  // What another device has comes by way of the host.
  const read = onHostLater(dtype, length, pool.readLater(storage));
  return elementsOf(queue, new Tensor(read, tensor.shape, dtype));
}
