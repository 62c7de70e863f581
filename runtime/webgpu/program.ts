/** Programs for WebGPU. */

import { loadOn } from "../gpu/program.ts";
import type { LoadedProgram } from "../load.ts";
import type { Manifest, WebgpuCode } from "../manifest.ts";
import type { Profiler } from "../profiled.ts";
import { webgpu } from "./gpu.ts";

/** Builds a program, whose kernels the device compiles meanwhile. */
export function loadWebgpu(
  manifest: Manifest,
  code: WebgpuCode,
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): LoadedProgram {
  return loadOn(webgpu, manifest, code, captured, profiler);
}
