/** What ships: programs loaded and called, tensors held and given back. */

export { load, loadAsync, type LoadedProgram, type Program } from "./load.ts";
export type { Code, Layout, Manifest, Tree } from "./manifest.ts";
export type { Interval, KernelTime, Profile, Timing } from "./profile.ts";
export { profiler } from "./profiler.ts";
export * from "./sparse/index.ts";
export { Tensor, tensor } from "./tensor.ts";
export { useThreads } from "./threads.ts";
export { loadWebgl } from "./webgl/program.ts";
export { loadWebgpu } from "./webgpu/program.ts";
