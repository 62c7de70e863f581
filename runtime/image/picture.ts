/** What tensors have to be to be pictures. */

import type { Tensor } from "../tensor.ts";

/** A canvas of the page, or one of its own. */
export type Canvas = HTMLCanvasElement | OffscreenCanvas;

/** Pixels in rows from the top, each with its channels. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** The picture that a tensor is. Throws where it is none, in the name of a function. */
export function pictureOf({ shape, dtype }: Tensor, name: string): Picture {
  const [height = 0, width = 0, channels = 1] = shape;
  const isPicture =
    (shape.length === 2 || shape.length === 3) && (channels === 1 || isColoured(channels));
  const given = `${name}: a tensor ${dtype}[${shape.join(", ")}]`;
  if (!isPicture) {
    throw new RangeError(
      `${given} is no picture, which is [height, width], or [height, width, channels] with 1, 3 or ` +
        "4 channels: bring it into that order by `transpose` and `reshape`, and take one picture of several",
    );
  }
  if (height === 0 || width === 0) {
    throw new RangeError(`${given} has no pixels: there is nothing to show`);
  }
  if (dtype !== "f32") {
    throw new TypeError(
      `${given} is no picture, whose elements are f32 from 0 to 1: use \`cast("f32")\`, and divide ` +
        "what is counted to 255",
    );
  }
  return { width, height, channels };
}

function isColoured(channels: number): boolean {
  return channels === 3 || channels === 4;
}

/** Gives a canvas the size of a picture; one that has it keeps what is on it. */
export function fit(canvas: Canvas, { width, height }: Picture): void {
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

/** A canvas that nobody sees. */
export function ownCanvas(width: number, height: number): Canvas {
  if (typeof OffscreenCanvas !== "undefined") return new OffscreenCanvas(width, height);
  return Object.assign(document.createElement("canvas"), { width, height });
}

type Flat = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D;

/** The context with which pixels are put on a canvas; null where the canvas has another one. */
export function flatContext(canvas: Canvas, options?: CanvasRenderingContext2DSettings) {
  return (canvas as OffscreenCanvas).getContext("2d", options) as Flat | null;
}

/** The context of a canvas for WebGPU; null where it has another one. */
export function webgpuContext(canvas: Canvas): GPUCanvasContext | null {
  return (canvas as HTMLCanvasElement).getContext("webgpu") as GPUCanvasContext | null;
}
