/** How long launches take: the host waits for each. */

import type { Interval, Times } from "../profile.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { WebGl } from "./gl.ts";

/** What each launch takes that `record` makes, in their order. Throws what `record` throws. */
export async function timed(gpu: Gpu, record: () => void): Promise<Times> {
  const device = gpu as WebGl;
  const intervals: Interval[] = [];
  device.finish();
  const first = performance.now();
  let start = 0;
  device.watched(() => {
    device.finish();
    const end = performance.now() - first;
    intervals.push([start, end]);
    start = end;
  }, record);
  return { timing: "host", intervals };
}
