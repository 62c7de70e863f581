/** What a call on a graphics device takes. */

import { Profile, type TimedLaunch, type Times } from "../profile.ts";
import type { Gpu } from "./gpu.ts";
import type { Call } from "./program.ts";

/** What each launch takes that `record` makes, in their order. Throws what `record` throws. */
export type Timed = (gpu: Gpu, record: () => void) => Promise<Times>;

/**
 * Does a call, whose kernels have been compiled by then. Without a way to time launches, for devices
 * that have none, all of them together are one row.
 */
export async function profileLaunches(call: Call, timed: Timed = timedTogether): Promise<Profile> {
  const launches: TimedLaunch[] = [];
  let times: Times = { timing: "call", intervals: [] };
  const result = await call.later((gpu, run) => {
    let values: Promise<readonly unknown[]> = Promise.resolve([]);
    const taken = timed(gpu, () => {
      values = call.observed(launches, run);
    });
    return Promise.all([taken, values]).then(([all, read]) => {
      times = all;
      return read;
    });
  });
  const { name, kernels } = call.manifest;
  if (times.timing !== "call") return new Profile(name, result, times, launches, kernels);
  const threads = launches.reduce((sum, launch) => sum + launch.threads, 0);
  return new Profile(name, result, times, [{ number: 0, threads }], [{ name, places: [] }]);
}

function timedTogether(gpu: Gpu, record: () => void): Promise<Times> {
  const done = async (): Promise<number> => {
    await gpu.read([]);
    return performance.now();
  };
  const before = done();
  record();
  return Promise.all([before, done()]).then(([start, end]) => ({
    timing: "call",
    intervals: [[0, end - start]],
  }));
}
