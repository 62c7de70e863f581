/** Tensors on canvases, and images as tensors. */

import {
  asTexture as textureOf,
  gpuDevice as deviceOf,
  type TextureOptions as Textures,
} from "../runtime/image/asTexture.ts";
import { draw as drawTensor } from "../runtime/image/draw.ts";
import {
  fromImage as take,
  type ImageOptions as Options,
  type ImageSource as Source,
} from "../runtime/image/fromImage.ts";
import type { Tensor as Handle } from "../runtime/tensor.ts";
import type { AnyShape, Tensor } from "./types.ts";

/** What has pixels: an image, a frame, a canvas. */
export type ImageSource = Source;

/** The channels of the tensor, and where it is to be. */
export type ImageOptions = Options;

/** What the elements are in a texture. */
export type TextureOptions = Textures;

/**
 * Draws a tensor of shape `[height, width]`, or `[height, width, channels]` with 1, 3 or 4 channels,
 * and gives the canvas its size in pixels. Elements are f32 from 0 to 1: others are clamped, NaN is 0.
 * One channel is grey; a fourth one is alpha, by which colours are not multiplied.
 *
 * A tensor on WebGPU or WebGL is drawn there, and its elements do not leave the device. Drawings to
 * one canvas are done in the order in which they were asked for. The promise is fulfilled when the
 * tensor has been drawn. It is rejected where the tensor could not be computed, and then the canvas
 * shows nothing that has a meaning.
 *
 * The page may read an `OffscreenCanvas` afterwards, or a canvas that is not part of it. What it reads
 * of one that is shown, and that WebGPU has drawn to, browsers may leave empty.
 *
 * A canvas has one kind of context for good. One without gets one: for WebGPU where the tensor is on
 * it, for 2d otherwise; each takes tensors from everywhere.
 *
 * Throws a `RangeError` for other shapes, a `TypeError` for other elements and for a canvas with a
 * context of another kind, and an `Error` for a tensor that was disposed of.
 */
export function draw(
  tensor: Tensor<AnyShape>,
  canvas: HTMLCanvasElement | OffscreenCanvas,
): Promise<void> {
  return drawTensor(tensor as unknown as Handle, canvas);
}

/**
 * The pixels of an image as a tensor f32 of shape `[height, width, channels]`, with values from 0 to 1
 * in steps of 1/255: rows from the top; sRGB as it is stored; alpha, by which colours are not
 * multiplied. `channels` is 3 where nothing else is said; 4 has alpha, 1 is the luminance with
 * the weights of Rec. 709. The image may be changed or closed as soon as this is back.
 *
 * With `device: "webgpu"` the image goes to WebGPU without its elements being on the host, and reading
 * the tensor says what failed there. Otherwise they are on the host, as those of `tensor` are, which
 * is the way for WebGL as well.
 *
 * Throws a `RangeError` for an image that has no pixels, or none yet, and for other options; a
 * `SecurityError` for pixels of another origin, which the page may not read.
 */
export function fromImage(source: ImageSource, options?: ImageOptions): Tensor<AnyShape> {
  return take(source, options) as unknown as Tensor<AnyShape>;
}

/**
 * A texture with a tensor of the shapes that `draw` takes, on the device of `gpuDevice`, for WebGPU code of
 * one's own: it can be bound, drawn to and copied. Grey is red, green and blue; without a fourth channel
 * alpha is 1, and colours are not multiplied by it. In the format `"rgba8unorm"`, the default, elements
 * are clamped to 0 to 1 and NaN is 0; in `"rgba32float"` they are what they are. The texture is a
 * copy that the caller destroys. Elements on WebGPU do not leave it; others are brought there.
 *
 * The promise is rejected where the tensor could not be computed and where there is no WebGPU. Throws a
 * `RangeError` for other shapes and formats, a `TypeError` for elements that are no f32, and an `Error`
 * for a tensor that was disposed of.
 */
export function asTexture(tensor: Tensor<AnyShape>, options?: TextureOptions): Promise<GPUTexture> {
  return textureOf(tensor as unknown as Handle, options);
}

/**
 * The device of WebGPU that programs run on, for code that uses it beside them; it is not to be destroyed.
 * Rejects where there is none, with what is missing.
 */
export function gpuDevice(): Promise<GPUDevice> {
  return deviceOf();
}
