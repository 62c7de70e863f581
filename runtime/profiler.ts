/** The profiler, which ships where the build asks for it. */

import { profileLaunches } from "./gpu/profiler.ts";
import { profileCall } from "./profile.ts";
import type { Profiler } from "./profiled.ts";
import { timed as timedOnWebgl } from "./webgl/stopwatch.ts";
import { timed } from "./webgpu/stopwatch.ts";

export const profiler: Profiler = {
  ofCall: profileCall,
  on: {
    webgpu: (call) => profileLaunches(call, timed),
    webgl: (call) => profileLaunches(call, timedOnWebgl),
  },
};
