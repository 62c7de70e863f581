/** Tensors as textures of WebGPU. */

import { expectSomewhere } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import { webgpu, type WebGpu } from "../webgpu/gpu.ts";
import { pictureOf } from "./picture.ts";
import { elementsOn, used } from "./use.ts";
import { painterOf } from "./webgpu.ts";

const formats = ["rgba8unorm", "rgba32float"] as const;

export interface TextureOptions {
  /** Bytes, which is the default, or the elements as they are. */
  readonly format?: (typeof formats)[number];
}

/** As in `lang/image.ts`, where it is explained. */
export async function gpuDevice(): Promise<GPUDevice> {
  const { device } = await webgpu.open();
  return device;
}

/** As in `lang/image.ts`. */
export function asTexture(
  tensor: Tensor,
  { format = "rgba8unorm" }: TextureOptions = {},
): Promise<GPUTexture> {
  const picture = pictureOf(tensor, "asTexture");
  if (!formats.includes(format)) {
    throw new RangeError(
      `asTexture: format: "${String(format)}" is neither ${formats.join(" nor ")}`,
    );
  }
  expectSomewhere(Tensor.storageOf(tensor));
  let made: GPUTexture | undefined;
  const textured = used(elementsOn(webgpu, tensor), (gpu, address) => {
    made = painterOf(gpu as WebGpu).texture(address, picture, format);
    return made;
  });
  return textured.catch((error: unknown) => {
    made?.destroy();
    throw error;
  });
}
