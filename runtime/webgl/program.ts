/** Programs for WebGL 2. */

import { loadOn } from "../gpu/program.ts";
import type { LoadedProgram } from "../load.ts";
import type { Manifest, WebglCode } from "../manifest.ts";
import type { Profiler } from "../profiled.ts";
import { webgl } from "./gl.ts";

/** Builds a program, whose kernels the device compiles meanwhile. */
export function loadWebgl(
  manifest: Manifest,
  code: WebglCode,
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): LoadedProgram {
  return loadOn(webgl, manifest, code, captured, profiler);
}
