/** What ships: programs loaded and called, tensors held and given back. */

export { device, type DeviceReport, onReady } from "./auto/choice.ts";
export { loadAuto, type Offer } from "./auto/program.ts";
export { load, loadAsync, type Program } from "./load.ts";
export type { Code, Layout, Manifest, Tree } from "./manifest.ts";
export * from "./sparse/index.ts";
export { Tensor, tensor } from "./tensor.ts";
export { useThreads } from "./threads.ts";
export { webgpu } from "./webgpu/gpu.ts";
export { loadWebgpu } from "./webgpu/program.ts";
