/** A page that draws tensors and reads images, as people ship it, and tells the tests what it sees. */

import {
  asTexture,
  compile,
  type Dim,
  draw,
  fromImage,
  gpuDevice,
  type Tensor,
  tensor,
} from "fluxion";
import { webgl, webgpu } from "fluxion/runtime";

type Picture = Tensor<any>;
export type Place = "host" | "wasm" | "webgpu" | "webgl";
export type Kind = "html" | "offscreen";
export type SourceKind = "bitmap" | "canvas" | "data" | "frame" | "image" | "offscreen" | "video";
type Canvas = HTMLCanvasElement | OffscreenCanvas;

export interface Drawing {
  readonly shape: readonly number[];
  /** Numbers that JSON does not know are written out. */
  readonly elements: readonly (number | string)[];
  readonly place: Place;
}

export interface Seen {
  readonly width: number;
  readonly height: number;
  readonly bytes: readonly number[];
}

type Grey = Tensor<[Dim, Dim]>;
type Coloured = Tensor<[Dim, Dim, Dim]>;
function twiceGrey<H extends Dim, W extends Dim>(x: Tensor<[H, W]>) {
  return x.mul(2);
}
function twice<H extends Dim, W extends Dim, C extends Dim>(x: Tensor<[H, W, C]>) {
  return x.mul(2);
}
function taken<H extends Dim, W extends Dim>(x: Tensor<[H, W]>, rows: Tensor<[2], "i32">) {
  return x.take(rows, 0);
}

const programs = {
  wasm: [compile(twiceGrey, { target: "wasm" }), compile(twice, { target: "wasm" })],
  webgpu: [compile(twiceGrey, { target: "webgpu" }), compile(twice, { target: "webgpu" })],
  webgl: [compile(twiceGrey, { target: "webgl" }), compile(twice, { target: "webgl" })],
} as const;
const takers = {
  webgpu: compile(taken, { target: "webgpu" }),
  webgl: compile(taken, { target: "webgl" }),
} as const;

/** A tensor with such elements that was computed somewhere. */
function made({ shape, elements, place }: Drawing): Picture {
  const data = Float32Array.from(elements, Number);
  if (place === "host") return tensor(data, shape);
  const half = tensor(
    data.map((v) => v / 2),
    shape,
  );
  const [grey, coloured] = programs[place];
  return shape.length === 2 ? grey(half as Grey) : coloured(half as Coloured);
}

function canvasOf(kind: Kind): Canvas {
  return kind === "offscreen" ? new OffscreenCanvas(3, 2) : document.createElement("canvas");
}

function seen(canvas: Canvas): Seen {
  const { width, height } = canvas;
  const context = new OffscreenCanvas(width, height).getContext("2d")!;
  context.drawImage(canvas, 0, 0);
  return { width, height, bytes: [...context.getImageData(0, 0, width, height).data] };
}

/** A canvas with such pixels. */
function painted({ width, height, bytes }: Seen, kind: Kind): Canvas {
  const canvas = canvasOf(kind);
  Object.assign(canvas, { width, height });
  const context = (canvas as OffscreenCanvas).getContext("2d")!;
  context.putImageData(new ImageData(new Uint8ClampedArray(bytes), width, height), 0, 0);
  return canvas;
}

async function sourceOf(pixels: Seen, kind: SourceKind) {
  const { width, height, bytes } = pixels;
  const canvas = painted(pixels, "html") as HTMLCanvasElement;
  switch (kind) {
    case "bitmap":
      return createImageBitmap(canvas, { premultiplyAlpha: "none" });
    case "canvas":
      return canvas;
    case "data":
      return new ImageData(new Uint8ClampedArray(bytes), width, height);
    case "frame":
      return new VideoFrame(canvas, { timestamp: 0 });
    case "offscreen":
      return painted(pixels, "offscreen");
    case "image": {
      const image = new Image();
      image.src = canvas.toDataURL("image/png");
      await image.decode();
      return image;
    }
    case "video": {
      const video = document.createElement("video");
      video.muted = true;
      video.srcObject = canvas.captureStream();
      await video.play();
      return video;
    }
  }
}

async function messageOf(promise: () => unknown): Promise<string> {
  try {
    await promise();
    return "nothing failed";
  } catch (error) {
    return String(error);
  }
}

const black: Seen = { width: 1, height: 1, bytes: [0, 0, 0, 255] };

const app = {
  /** Draws to a canvas of the page, which people see. */
  async show(drawing: Drawing): Promise<void> {
    const canvas = document.createElement("canvas");
    canvas.style.display = "block";
    document.body.style.margin = "0";
    document.body.replaceChildren(canvas);
    await draw(made(drawing), canvas);
  },

  /** The pixels in the corner of a screenshot. */
  async pixelsOf(screenshot: string, width: number, height: number): Promise<Seen> {
    const image = new Image();
    image.src = `data:image/png;base64,${screenshot}`;
    await image.decode();
    const canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d")!.drawImage(image, 0, 0);
    return seen(canvas);
  },

  /** Draws one after the other to one canvas; what is there after each. */
  async draw(drawings: readonly Drawing[], kind: Kind): Promise<Seen[]> {
    const canvas = canvasOf(kind);
    const all: Seen[] = [];
    for (const drawing of drawings) {
      await draw(made(drawing), canvas);
      all.push(seen(canvas));
    }
    return all;
  },

  /** Asks for all drawings at once; what is there at the end. */
  async drawAtOnce(drawings: readonly Drawing[], kind: Kind): Promise<Seen> {
    const canvas = canvasOf(kind);
    const done = drawings.map((drawing) => {
      const one = made(drawing);
      const drawn = draw(one, canvas);
      // What is drawn is what there was.
      one[Symbol.dispose]();
      return drawn;
    });
    await Promise.all(done);
    return seen(canvas);
  },

  /** The same with a context that its owner has set to something. */
  async drawToSetContext(drawing: Drawing) {
    const canvas = new OffscreenCanvas(4, 4);
    const context = canvas.getContext("2d")!;
    canvas.width = drawing.shape[1]!;
    canvas.height = drawing.shape[0]!;
    context.translate(2, 1);
    context.globalAlpha = 0.5;
    context.fillRect(0, 0, 2, 2);
    await draw(made(drawing), canvas);
    const { e, f } = context.getTransform();
    return { seen: seen(canvas), moved: [e, f], alpha: context.globalAlpha };
  },

  drawToForeign(place: Place): Promise<string> {
    const canvas = new OffscreenCanvas(4, 4);
    canvas.getContext("webgl2");
    const one = made({ shape: [1, 2], elements: [0, 1], place });
    return messageOf(() => draw(one, canvas));
  },

  /** What is said of a drawing of something that fails, and of one after it. */
  async drawFailing(place: "webgpu" | "webgl", row: number): Promise<string[]> {
    const canvas = canvasOf("html");
    const x = tensor(new Float32Array(8), [4, 2]);
    const bad = takers[place](x as Tensor<[Dim, Dim]>, tensor(Int32Array.of(0, row), [2]));
    const said = await messageOf(() => draw(bad as Picture, canvas));
    const later = await messageOf(() => draw(bad as Picture, canvas));
    const good = made({ shape: [1, 2], elements: [0, 1], place });
    return [said, later, await messageOf(() => draw(good, canvas))];
  },

  /** What stands in a texture of a tensor; floats that are none are written out. */
  async texture(drawing: Drawing, format: "rgba8unorm" | "rgba32float") {
    const device = await gpuDevice();
    const texture = await asTexture(made(drawing), { format });
    const { width, height } = texture;
    const perRow = 256 * Math.ceil((16 * width) / 256);
    const buffer = device.createBuffer({ size: perRow * height, usage: 0x1 | 0x8 });
    const encoder = device.createCommandEncoder();
    encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow: perRow }, [width, height]);
    device.queue.submit([encoder.finish()]);
    await buffer.mapAsync(1);
    const all = buffer.getMappedRange();
    const rows = Array.from({ length: height }, (_, y) =>
      format === "rgba8unorm"
        ? [...new Uint8Array(all, y * perRow, 4 * width)]
        : Array.from(new Float32Array(all, y * perRow, 4 * width), String),
    );
    buffer.destroy();
    texture.destroy();
    return { width, height, values: rows.flat() };
  },

  failingTexture(): Promise<string> {
    const x = tensor(new Float32Array(8), [4, 2]);
    const rows = tensor(Int32Array.of(0, 7), [2]);
    const bad = takers.webgpu(x as Tensor<[Dim, Dim]>, rows);
    return messageOf(() => asTexture(bad as Picture));
  },

  /** Draws very often; how many pieces of memory that leaves, and the most bytes that were read. */
  async drawOften(place: "webgpu" | "webgl", count: number, kind: Kind) {
    const { memory } = await (place === "webgpu" ? webgpu : webgl).open();
    const canvas = canvasOf(kind);
    const elements = Array.from({ length: 3 * 40 * 30 }, (_, k) => (k % 6) / 5);
    const one = made({ shape: [30, 40, 3], elements, place });
    await draw(one, canvas);
    const before = memory.count;
    let most = 0;
    const { prototype } = GPUBuffer;
    const { getMappedRange } = prototype;
    prototype.getMappedRange = function (...args) {
      const range = getMappedRange.apply(this, args);
      most = Math.max(most, range.byteLength);
      return range;
    };
    for (let k = 0; k < count; k++) {
      const drawn = draw(one, canvas);
      if (k % 10 === 9) await drawn;
    }
    prototype.getMappedRange = getMappedRange;
    return { before, after: memory.count, most, seen: seen(canvas) };
  },

  /** Draws what was there before the memory of the device moved. */
  async drawAfterGrowth(drawing: Drawing): Promise<Seen> {
    const { memory } = await (drawing.place === "webgpu" ? webgpu : webgl).open();
    const canvas = canvasOf("html");
    const one = made(drawing);
    await draw(one, canvas);
    const words = memory.extent / 4 + 2 ** 23;
    const large = made({ ...drawing, shape: [1, words], elements: new Array(words).fill(0) });
    await draw(one, canvas);
    large[Symbol.dispose]();
    return seen(canvas);
  },

  /** The elements of an image that changes right after, and whether they are on the host. */
  async read(pixels: Seen, kind: SourceKind, channels: 1 | 3 | 4, device?: "wasm" | "webgpu") {
    const source = await sourceOf(pixels, kind);
    const one = fromImage(source, { channels, device });
    if (source instanceof HTMLCanvasElement) source.width = 1;
    else if (source instanceof ImageData) source.data.fill(7);
    else if ("close" in source) source.close();
    let isHere = true;
    try {
      one.dataSync();
    } catch {
      isHere = false;
    }
    return { shape: one.shape, data: [...(await one.data())], isHere };
  },

  /** From an image through a program for a device to a canvas. */
  async pass(pixels: Seen, place: "webgpu" | "webgl" | "wasm", device: "wasm" | "webgpu") {
    const canvas = canvasOf("offscreen");
    const image = fromImage(painted(pixels, "html"), { channels: 4, device });
    await draw(programs[place][1](image as Coloured), canvas);
    return seen(canvas);
  },

  async readOften(pixels: Seen, count: number) {
    const { memory } = await webgpu.open();
    const canvas = painted(pixels, "html");
    fromImage(canvas, { device: "webgpu" })[Symbol.dispose]();
    const before = memory.count;
    for (let k = 0; k < count; k++) {
      const one = fromImage(canvas, { device: "webgpu" });
      await draw(one as Picture, new OffscreenCanvas(1, 1));
      one[Symbol.dispose]();
    }
    return { before, after: memory.count };
  },

  refusals(): Promise<string[]> {
    const closed = (painted(black, "offscreen") as OffscreenCanvas).transferToImageBitmap();
    closed.close();
    return Promise.all([
      messageOf(() => fromImage(new Image())),
      messageOf(() => fromImage(document.createElement("video"))),
      messageOf(() => fromImage(closed, { device: "webgpu" })),
      messageOf(() => fromImage(new OffscreenCanvas(2, 2), { channels: 2 as 1 })),
      messageOf(() => fromImage(new OffscreenCanvas(2, 2), { device: "gpu" as "wasm" })),
      messageOf(() => fromImage(new ImageData(2, 2, { colorSpace: "display-p3" }))),
      messageOf(() => fromImage(new OffscreenCanvas(9000, 1), { device: "webgpu" }).data()),
    ]);
  },
};

export type App = typeof app;
Object.assign(globalThis, { app });
document.title = "ready";
