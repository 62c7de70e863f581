/** What ships: programs loaded and called, tensors held and given back. */

export { device, type DeviceReport, onReady } from "./auto/choice.ts";
export { loadAuto, type Offer } from "./auto/program.ts";
export { asTexture, gpuDevice, type TextureOptions } from "./image/asTexture.ts";
export { draw } from "./image/draw.ts";
export { fromImage, type ImageOptions, type ImageSource } from "./image/fromImage.ts";
export { asRoot, item, keep, receive, tails } from "./channels.ts";
export { load, loadAsync, type LoadedProgram, type Program } from "./load.ts";
export type { Code, Layout, Manifest, Tree } from "./manifest.ts";
export type { Interval, KernelTime, Profile, Timing } from "./profile.ts";
export { prefetch } from "./prefetch.ts";
export { profiler } from "./profiler.ts";
export * from "./sparse/index.ts";
export { Tensor, tensor } from "./tensor.ts";
export { useThreads } from "./threads.ts";
export { webgl } from "./webgl/gl.ts";
export { loadWebgl } from "./webgl/program.ts";
export { webgpu } from "./webgpu/gpu.ts";
export { loadWebgpu } from "./webgpu/program.ts";
