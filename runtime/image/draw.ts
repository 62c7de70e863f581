/** Tensors on canvases: each is drawn by the device that it is on. */

import type { TypedArray } from "../arrays.ts";
import { Elements } from "../gpu/elements.ts";
import type { Gpu } from "../gpu/gpu.ts";
import type { Queue } from "../gpu/queue.ts";
import { expectSomewhere, isHere, pool, type Storage } from "../storage.ts";
import { Tensor } from "../tensor.ts";
// As types: a program that uses no device ships none.
import type { WebGl } from "../webgl/gl.ts";
import type { WebGpu } from "../webgpu/gpu.ts";
import {
  type Canvas,
  fit,
  flatContext,
  type Picture,
  pictureOf,
  webgpuContext,
} from "./picture.ts";
import { elementsOn, used } from "./use.ts";
import { drawOnWebgl } from "./webgl.ts";
import { painterOf } from "./webgpu.ts";

/** As in `lang/image.ts`, where it is explained. */
export function draw(tensor: Tensor, canvas: Canvas): Promise<void> {
  const picture = pictureOf(tensor, "draw");
  const storage = Tensor.storageOf(tensor);
  expectSomewhere(storage);
  const { remote } = storage;
  const elements = remote instanceof Elements ? remote : undefined;
  if (elements?.device === "WebGPU") return onWebgpu(elements, picture, canvas);
  const queue = drawnBy.get(canvas);
  if (queue !== undefined) return onWebgpu(elementsOn(queue, tensor), picture, canvas);
  const context = expectFlat(canvas);
  if (elements?.device === "WebGL") {
    return onDevice(elements, canvas, (gpu, address) =>
      copyTo(context, drawOnWebgl(gpu as WebGl, address, picture), picture),
    );
  }
  return onHost(storage, picture, canvas, context);
}

/** The queues of the devices that draw to canvases themselves. */
const drawnBy = new WeakMap<Canvas, Queue>();

/** Into the canvas itself, or by way of another one where it has pixels already. */
function onWebgpu(elements: Elements, picture: Picture, canvas: Canvas): Promise<void> {
  const own = webgpuContext(canvas);
  if (own !== null) {
    drawnBy.set(canvas, elements.queue);
    return onDevice(elements, canvas, (gpu, address) =>
      painterOf(gpu as WebGpu).draw(address, picture, canvas, own),
    );
  }
  const context = expectFlat(canvas);
  return onDevice(elements, canvas, (gpu, address) =>
    copyTo(context, painterOf(gpu as WebGpu).drawApart(address, picture), picture),
  );
}

function onDevice(
  elements: Elements,
  canvas: Canvas,
  paint: (gpu: Gpu, address: number) => void,
): Promise<void> {
  const { queue } = elements;
  const { before, end } = takeTurn(canvas, queue);
  return used(elements, paint, { ready: before && queue.isReady(before), end });
}

async function onHost(
  storage: Storage,
  picture: Picture,
  canvas: Canvas,
  context: NonNullable<ReturnType<typeof flatContext>>,
): Promise<void> {
  const { before, end } = takeTurn(canvas);
  try {
    const isNow = before === undefined && isHere(storage);
    const data = isNow
      ? pool.read(storage)
      : (await Promise.all([pool.readLater(storage), before]))[0];
    fit(canvas, picture);
    context.putImageData(pixelsOf(data, picture), 0, 0);
  } finally {
    end();
  }
}

function pixelsOf(data: TypedArray, { width, height, channels }: Picture): ImageData {
  const pixels = new ImageData(width, height);
  // Storing in it clamps and rounds, and makes NaN zero.
  const bytes = pixels.data;
  for (let from = 0, to = 0; to < bytes.length; from += channels, to += 4) {
    for (let k = 0; k < 3; k++)
      bytes[to + k] = 255 * (data[from + (channels > 1 ? k : 0)] as number);
    bytes[to + 3] = channels === 4 ? 255 * (data[from + 3] as number) : 255;
  }
  return pixels;
}

/** Copies what is on another canvas, whatever the context is set to. */
function copyTo(
  context: NonNullable<ReturnType<typeof flatContext>>,
  source: Canvas,
  picture: Picture,
): void {
  fit(context.canvas, picture);
  context.save();
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.globalCompositeOperation = "copy";
  context.globalAlpha = 1;
  context.filter = "none";
  context.shadowColor = "transparent";
  context.drawImage(source, 0, 0);
  context.restore();
}

function expectFlat(canvas: Canvas): NonNullable<ReturnType<typeof flatContext>> {
  const context = flatContext(canvas);
  if (context !== null) return context;
  throw new TypeError(
    "draw: this canvas has a context that is neither for 2d nor for the WebGPU that the tensor is " +
      "on, and a canvas has one for good: draw to a canvas of its own, and use that as an image",
  );
}

// Order

/** The last drawing to a canvas that was asked for and is not there yet. */
interface Turn {
  readonly queue: Queue | undefined;
  readonly ended: Promise<void>;
}
const turns = new WeakMap<Canvas, Turn>();

/** What a drawing has to wait for; that of its own device is in order anyway. */
function takeTurn(
  canvas: Canvas,
  queue?: Queue,
): { readonly before: Promise<void> | undefined; readonly end: () => void } {
  const last = turns.get(canvas);
  const isInOrder = last === undefined || (queue !== undefined && last.queue === queue);
  let resolve = (): void => {};
  const ended = new Promise<void>((done) => {
    resolve = done;
  });
  const turn: Turn = { queue, ended };
  turns.set(canvas, turn);
  const end = (): void => {
    resolve();
    if (turns.get(canvas) === turn) turns.delete(canvas);
  };
  return { before: isInOrder ? undefined : last?.ended, end };
}
