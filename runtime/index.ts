/** What ships: programs loaded and called, tensors held and given back. */

export { directProgram } from "./directProgram.ts";
export { erf } from "./erf.ts";
export { faultAt } from "./faults.ts";
export { fromHalf, roundHalf, toHalf } from "./half.ts";
export { arrayKind } from "./kinds/arrays.ts";
export { booleanKind, numberKind } from "./kinds/scalars.ts";
export { tableKind } from "./kinds/tables.ts";
export { tensorKind } from "./kinds/tensors.ts";
export { constantKind, recordKind, tupleKind } from "./kinds/trees.ts";
export { pow, rem, saturateI32, saturateU32, saturateU8, toInt32 } from "./math.ts";
export { runText } from "./runText.ts";
export { device, type DeviceReport, onReady } from "./auto/choice.ts";
export { loadAuto, type Offer } from "./auto/program.ts";
export { asTexture, gpuDevice, type TextureOptions } from "./image/asTexture.ts";
export { draw } from "./image/draw.ts";
export { fromImage, type ImageOptions, type ImageSource } from "./image/fromImage.ts";
export { load, loadAsync, type LoadedProgram, loadWith, type Program } from "./load.ts";
export type { Code, Layout, Manifest, Tree } from "./manifest.ts";
export type { Interval, KernelTime, Profile, Timing } from "./profile.ts";
export { profiler } from "./profiler.ts";
export * from "./sparse/index.ts";
export { Tensor, tensor } from "./tensor.ts";
export { useThreads } from "./threads.ts";
export { webgl } from "./webgl/gl.ts";
export { loadWebgl } from "./webgl/program.ts";
export { webgpu } from "./webgpu/gpu.ts";
export { loadWebgpu } from "./webgpu/program.ts";
