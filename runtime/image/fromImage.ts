/** Images as tensors. */

import { Elements, Region } from "../gpu/elements.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { onRemote } from "../remote.ts";
import { pool } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import { webgpu, type WebGpu } from "../webgpu/gpu.ts";
import { flatContext, ownCanvas, type Picture } from "./picture.ts";
import { luminance, painterOf } from "./webgpu.ts";

/** What has pixels. */
export type ImageSource =
  | HTMLCanvasElement
  | HTMLImageElement
  | HTMLVideoElement
  | ImageBitmap
  | ImageData
  | OffscreenCanvas
  | VideoFrame;

export interface ImageOptions {
  /** 3 for red, green and blue, which is the default, 4 with alpha, 1 for the luminance. */
  readonly channels?: 1 | 3 | 4;
  /** Where the elements are to be: on the host, which is the default, or on WebGPU. */
  readonly device?: "wasm" | "webgpu";
}

/** As in `lang/image.ts`, where it is explained. */
export function fromImage(
  source: ImageSource,
  { channels = 3, device = "wasm" }: ImageOptions = {},
): Tensor {
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new RangeError(`fromImage: channels: ${String(channels)} is none of 1, 3 and 4`);
  }
  if (device !== "wasm" && device !== "webgpu") {
    throw new RangeError(
      `fromImage: device: "${String(device)}" is neither "wasm" nor "webgpu"; what is on "wasm" may ` +
        "be passed to programs for every target",
    );
  }
  const picture = { ...sizeOf(source), channels };
  return device === "wasm" ? onHost(source, picture) : onWebgpu(source, picture);
}

interface Size {
  readonly width: number;
  readonly height: number;
}

function sizeOf(source: ImageSource): Size {
  const size = rawSize(source);
  if (size.width > 0 && size.height > 0) return size;
  throw new RangeError(
    "fromImage: the image has no pixels, or not yet: wait for `await image.decode()`, for " +
      "`loadeddata` of a video, and take frames and bitmaps before they are closed",
  );
}

function rawSize(source: ImageSource): Size {
  if ("naturalWidth" in source) return { width: source.naturalWidth, height: source.naturalHeight };
  if ("displayWidth" in source) return { width: source.displayWidth, height: source.displayHeight };
  if ("videoWidth" in source) {
    // Before, there is a size and no frame.
    const hasFrame = source.readyState >= 2;
    return { width: hasFrame ? source.videoWidth : 0, height: source.videoHeight };
  }
  if ("data" in source) {
    const { data, colorSpace = "srgb" } = source;
    if (!(data instanceof Uint8ClampedArray) || colorSpace !== "srgb") {
      throw new TypeError(
        `fromImage: an ImageData is taken as bytes in sRGB, and this one is in ${colorSpace}, ` +
          `${data.constructor.name}: put it on a canvas, and take that`,
      );
    }
  }
  return { width: source.width, height: source.height };
}

// On the host

function onHost(source: ImageSource, picture: Picture): Tensor {
  const { width, height, channels } = picture;
  const bytes = bytesOf(source, picture);
  const data = new Float32Array(width * height * channels);
  const [red, green, blue] = luminance;
  for (let from = 0, to = 0; to < data.length; from += 4, to += channels) {
    if (channels === 1) {
      const [r, g, b] = [bytes[from], bytes[from + 1], bytes[from + 2]] as [number, number, number];
      data[to] = (red * r + green * g + blue * b) / 255;
    } else for (let k = 0; k < channels; k++) data[to + k] = (bytes[from + k] as number) / 255;
  }
  return new Tensor(pool.onHost("f32", data), [height, width, channels], "f32");
}

/** Four bytes for each pixel. */
function bytesOf(source: ImageSource, { width, height }: Size): Uint8ClampedArray {
  if ("data" in source) return source.data as Uint8ClampedArray;
  return copied(source, { width, height }).getImageData(0, 0, width, height).data;
}

/** The image on a canvas of our own. */
function copied(source: Exclude<ImageSource, ImageData>, { width, height }: Size) {
  const context = flatContext(ownCanvas(width, height), { willReadFrequently: true });
  if (context === null) throw new Error("this browser has no canvas for 2d: update it");
  context.drawImage(source, 0, 0, width, height);
  return context;
}

// On WebGPU

function onWebgpu(source: ImageSource, picture: Picture): Tensor {
  const { width, height, channels } = picture;
  const count = width * height * channels;
  const elements = new Elements(webgpu, new Region());
  let image = source;
  let isTaken = false;
  const run = (gpu: Gpu): void => {
    isTaken = true;
    elements.region.place(gpu, 4 * count);
    painterOf(gpu as WebGpu).take(image, elements.address, picture);
  };
  const fail = (error: unknown): void => {
    isTaken = true;
    elements.failed = error;
  };
  webgpu.inOrder({ ready: undefined, run, fail });
  // The caller may change the image as soon as this is back.
  if (!isTaken) image = keptOf(source, picture);
  return new Tensor(onRemote("f32", count, elements), [height, width, channels], "f32");
}

/** The image as it is now. */
function keptOf(source: ImageSource, { width, height }: Size): ImageSource {
  if ("data" in source) {
    return new ImageData(new Uint8ClampedArray(source.data as Uint8ClampedArray), width, height);
  }
  return copied(source, { width, height }).canvas;
}
