/** Where programs run: threads, and the device of those for `"auto"`. */

import { choice, type DeviceReport as Report } from "../runtime/auto/choice.ts";
import { useThreads as shareWork } from "../runtime/threads.ts";

/** What programs run on, and why not on something else. */
export type DeviceReport = Report;

/**
 * What programs compiled for `"auto"` run on at this moment, why not on something else, and which of
 * them stay on wasm. Where nothing was compiled, it is `"js"`.
 */
export function device(): DeviceReport {
  return choice.report();
}

/**
 * Calls `callback` once, with the report of `device()`, as soon as it is known what programs for
 * `"auto"` run on: when they go to a graphics device, or when there is none for them. Where that is
 * known by now, it is called soon after this. `await new Promise(onReady)` waits for it.
 */
export function onReady(callback: (report: DeviceReport) => void): void {
  choice.onReady(callback);
}

/**
 * From now on that many threads, with the one that calls, share the work of programs for
 * WebAssembly: products, convolutions, elementwise operations and reductions of large arrays.
 * Results are the same to the last bit as with one.
 *
 * Gives the number of threads there are: 1 where threads or shared memory are not to be had, as in a
 * page that is not cross-origin isolated. After `useThreads(1)` the others wait until they are used
 * again. Without an argument it takes as many as the machine runs at once. The first time, the memory
 * of all tensors is moved. Throws a `RangeError` unless the number is a positive integer.
 */
export function useThreads(count?: number): Promise<number> {
  return shareWork(count);
}
