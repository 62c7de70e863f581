/** The graphics device of the process: found once, asked for by the first program that needs it. */

import { NoDevice } from "../gpu/gpu.ts";

/** What we call of the package `webgpu`, the WebGPU of Node. */
interface NodeWebgpu {
  readonly create: (options: readonly string[]) => GPU;
  readonly globals: object;
}

/** The flags of WebGPU, which stand in no engine before the device is there. */
export const usage = {
  mapRead: 0x1,
  copySource: 0x4,
  copyTarget: 0x8,
  uniform: 0x40,
  storage: 0x80,
  queryResolve: 0x200,
} as const;

let opened: Promise<GPUDevice> | undefined;
/** In Node, devices need it as long as they are used. */
let kept: GPU | undefined;

/** The device; throws a `NoDevice` that says what is missing. */
export function openDevice(): Promise<GPUDevice> {
  opened ??= open();
  return opened;
}

async function open(): Promise<GPUDevice> {
  const gpu = await findGpu();
  kept = gpu;
  const adapter = await kept.requestAdapter({ powerPreference: "high-performance" });
  if (adapter === null) {
    throw new NoDevice(
      "WebGPU is there, and no graphics device that it can use: update the driver, or compile " +
        'with target: "wasm"',
    );
  }
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  // For profiles.
  const wanted = ["timestamp-query"] as const;
  return adapter.requestDevice({
    label: "fluxion",
    requiredFeatures: wanted.filter((feature) => adapter.features.has(feature)),
    requiredLimits: { maxStorageBufferBindingSize, maxBufferSize },
  });
}

async function findGpu(): Promise<GPU> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  if (navigator?.gpu !== undefined) return navigator.gpu;
  if (typeof process !== "undefined" && process.versions?.node !== undefined) {
    // Not a name that a bundler would follow: pages have WebGPU of their own.
    const name = "webgpu";
    try {
      const { create } = (await import(/* @vite-ignore */ name)) as NodeWebgpu;
      // Kernels take less than the tenths of milliseconds that a page is told.
      return create(["disable-dawn-features=timestamp_quantization"]);
    } catch (error) {
      throw new NoDevice(
        "Node has no WebGPU of its own: install the package `webgpu` beside fluxion " +
          '(npm install webgpu), or compile with target: "wasm"',
        { cause: error },
      );
    }
  }
  throw new NoDevice(
    "this browser has no WebGPU, or the page is not served over https: compile with " +
      'target: "wasm"',
  );
}
