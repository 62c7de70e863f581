/** Programs for "auto" in a runtime of their own, on a device that opens when the test says so. */

import { vi } from "vitest";
import { create } from "webgpu";
import { compile } from "../../compiler/compile.ts";
import type * as Runtime from "../../runtime/index.ts";
import { moduleWith } from "../programs/harness.ts";

/** A WebGPU whose adapter is not there until `open` is called. */
export class LateGpu {
  device: GPUDevice | undefined;
  readonly gpu: GPU;
  open: () => void = () => {};

  /** `changed` may put something in place of the source of a kernel. */
  constructor(changed: (code: string) => string = (code) => code) {
    const real = create([]);
    const isOpen = new Promise<void>((resolve) => {
      this.open = resolve;
    });
    const requestAdapter = async (options: GPURequestAdapterOptions): Promise<unknown> => {
      await isOpen;
      const adapter = await real.requestAdapter(options);
      if (adapter === null) throw new Error("the tests need SwiftShader");
      const requestDevice = async (descriptor: GPUDeviceDescriptor): Promise<GPUDevice> => {
        const device = await adapter.requestDevice(descriptor);
        const make = device.createShaderModule.bind(device);
        device.createShaderModule = ({ code }) => make({ code: changed(code) });
        this.device = device;
        return device;
      };
      return { limits: adapter.limits, features: adapter.features, requestDevice };
    };
    this.gpu = { requestAdapter } as unknown as GPU;
  }
}

/** A WebGPU that finds nothing. */
export const noGpu = { requestAdapter: async () => null } as unknown as GPU;

export interface Fresh<M> {
  readonly runtime: typeof Runtime;
  readonly roots: M;
}

/** The roots of a file, compiled for "auto", in a runtime that nobody else uses. */
export async function fresh<M extends object>(
  file: string,
  gpu: GPU,
  target: "auto" | "wasm" = "auto",
): Promise<Fresh<M>> {
  vi.resetModules();
  vi.stubGlobal("navigator", { gpu });
  const runtime = await import("../../runtime/index.ts");
  const version = `auto-${count++}`;
  const roots = await moduleWith<M>(file, { target, version, compile });
  return { runtime, roots };
}
let count = 0;
