/** Pictures on WebGPU: from the memory to a canvas, and from an image to the memory. */

import { usage } from "../webgpu/device.ts";
import type { WebGpu } from "../webgpu/gpu.ts";
import { type Canvas, fit, ownCanvas, type Picture, webgpuContext } from "./picture.ts";

const textureUsage = { copySource: 0x1, copyTarget: 0x2, binding: 0x4, attachment: 0x10 } as const;
const stages = { fragment: 0x2, compute: 0x4 } as const;

const picture = `\
struct Picture { first: u32, width: u32, height: u32, channels: u32 }
@group(0) @binding(1) var<uniform> picture: Picture;
fn address(x: u32, y: u32) -> u32 {
  return picture.first + (y * picture.width + x) * picture.channels;
}
`;

// NaN is told by its bits: comparisons of numbers may be folded as if there were none.
const drawing = `${picture}
@group(0) @binding(0) var<storage, read> memory: array<u32>;
override is_clamped: bool;
override is_premultiplied: bool;
@vertex fn cover(@builtin(vertex_index) k: u32) -> @builtin(position) vec4f {
  return vec4f(select(-1.0, 3.0, k == 1u), select(-1.0, 3.0, k == 2u), 0.0, 1.0);
}
fn value(at: u32) -> f32 {
  let bits = memory[at];
  if (!is_clamped) { return bitcast<f32>(bits); }
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0.0; }
  return clamp(bitcast<f32>(bits), 0.0, 1.0);
}
@fragment fn pixel(@builtin(position) place: vec4f) -> @location(0) vec4f {
  let at = address(u32(place.x), u32(place.y));
  let first = value(at);
  if (picture.channels == 1u) { return vec4f(first, first, first, 1.0); }
  let colour = vec3f(first, value(at + 1u), value(at + 2u));
  if (picture.channels == 3u) { return vec4f(colour, 1.0); }
  let alpha = value(at + 3u);
  return vec4f(select(1.0, alpha, is_premultiplied) * colour, alpha);
}
`;

const edge = 8;

/** The weights of Rec. 709, of the values as they are stored. */
export const luminance = [0.2126, 0.7152, 0.0722] as const;

const taking = `${picture}
@group(0) @binding(0) var<storage, read_write> memory: array<u32>;
@group(0) @binding(2) var image: texture_2d<f32>;
@compute @workgroup_size(${edge}, ${edge}) fn take(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= picture.width || id.y >= picture.height) { return; }
  let colour = textureLoad(image, id.xy, 0);
  let at = address(id.x, id.y);
  if (picture.channels == 1u) {
    memory[at] = bitcast<u32>(dot(colour.rgb, vec3f(${luminance.join(", ")})));
    return;
  }
  for (var k = 0u; k < picture.channels; k++) { memory[at + k] = bitcast<u32>(colour[k]); }
}
`;

/** What a device draws with. */
class Painter {
  private readonly gpu: WebGpu;
  private readonly uniforms: GPUBuffer;
  private readonly format: GPUTextureFormat = navigator.gpu.getPreferredCanvasFormat();
  private readonly configured = new WeakSet<GPUCanvasContext>();
  private readonly drawers = new Map<string, GPURenderPipeline>();
  private taker: GPUComputePipeline | undefined;
  private spare: Canvas | undefined;

  constructor(gpu: WebGpu) {
    this.gpu = gpu;
    this.uniforms = gpu.device.createBuffer({
      label: "picture",
      size: 16,
      usage: usage.uniform | usage.copyTarget,
    });
  }

  draw(address: number, size: Picture, canvas: Canvas, context: GPUCanvasContext): void {
    const { device } = this.gpu;
    expectFitting(device, size);
    fit(canvas, size);
    if (!this.configured.has(context)) {
      context.configure({ device, format: this.format, alphaMode: "premultiplied" });
      this.configured.add(context);
    }
    this.render(address, size, context.getCurrentTexture(), true);
  }

  /** A texture of the caller's, whose colours are not multiplied by alpha. */
  texture(address: number, size: Picture, format: GPUTextureFormat): GPUTexture {
    const { device } = this.gpu;
    expectFitting(device, size);
    const { copySource, copyTarget, binding, attachment } = textureUsage;
    const texture = device.createTexture({
      label: "tensor",
      size: [size.width, size.height],
      format,
      usage: copySource | copyTarget | binding | attachment,
    });
    this.render(address, size, texture, false);
    return texture;
  }

  private render(
    address: number,
    size: Picture,
    texture: GPUTexture,
    isPremultiplied: boolean,
  ): void {
    const pipeline = this.drawerFor(texture.format, isPremultiplied);
    const view = texture.createView();
    const attachment = { view, loadOp: "clear", storeOp: "store" } as const;
    this.work(address, size, (encoder) => {
      const pass = encoder.beginRenderPass({ colorAttachments: [attachment] });
      pass.setPipeline(pipeline);
      pass.setBindGroup(0, this.bind(pipeline, []));
      pass.draw(3);
      pass.end();
    });
  }

  /** Draws to a canvas of the painter, which holds the picture until this turn ends. */
  drawApart(address: number, size: Picture): Canvas {
    this.spare ??= ownCanvas(size.width, size.height);
    const context = webgpuContext(this.spare);
    if (context === null) throw new Error("this browser has no canvas for WebGPU: update it");
    this.draw(address, size, this.spare, context);
    return this.spare;
  }

  take(source: GPUCopyExternalImageSource, address: number, size: Picture): void {
    const { device } = this.gpu;
    const { width, height } = size;
    expectFitting(device, size);
    const texture = device.createTexture({
      label: "image",
      size: [width, height],
      format: "rgba8unorm",
      usage: textureUsage.copyTarget | textureUsage.binding | textureUsage.attachment,
    });
    try {
      device.queue.copyExternalImageToTexture({ source }, { texture }, [width, height]);
      this.taker ??= this.makeTaker();
      const pipeline = this.taker;
      this.work(address, size, (encoder) => {
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, this.bind(pipeline, [{ binding: 2, resource: texture.createView() }]));
        pass.dispatchWorkgroups(Math.ceil(width / edge), Math.ceil(height / edge));
        pass.end();
      });
    } finally {
      texture.destroy();
    }
  }

  /** Has something done after all that was recorded. */
  private work(
    address: number,
    { width, height, channels }: Picture,
    record: (encoder: GPUCommandEncoder) => void,
  ): void {
    const { device } = this.gpu;
    this.gpu.submit();
    const words = new Uint32Array([address / 4, width, height, channels]);
    device.queue.writeBuffer(this.uniforms, 0, words);
    const encoder = device.createCommandEncoder();
    record(encoder);
    device.queue.submit([encoder.finish()]);
  }

  private bind(
    pipeline: GPURenderPipeline | GPUComputePipeline,
    others: readonly GPUBindGroupEntry[],
  ): GPUBindGroup {
    const { device, buffer } = this.gpu;
    return device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer } },
        { binding: 1, resource: { buffer: this.uniforms } },
        ...others,
      ],
    });
  }

  private drawerFor(format: GPUTextureFormat, isPremultiplied: boolean): GPURenderPipeline {
    const key = `${format} ${isPremultiplied}`;
    const known = this.drawers.get(key);
    if (known !== undefined) return known;
    const { device } = this.gpu;
    const { fragment: visibility } = stages;
    const module = device.createShaderModule({ code: drawing });
    const constants = {
      is_clamped: Number(format !== "rgba32float"),
      is_premultiplied: Number(isPremultiplied),
    };
    const drawer = device.createRenderPipeline({
      layout: layoutOf(device, [
        { binding: 0, visibility, buffer: { type: "read-only-storage" } },
        { binding: 1, visibility, buffer: { type: "uniform" } },
      ]),
      vertex: { module },
      fragment: { module, constants, targets: [{ format }] },
    });
    this.drawers.set(key, drawer);
    return drawer;
  }

  private makeTaker(): GPUComputePipeline {
    const { device } = this.gpu;
    const { compute: visibility } = stages;
    return device.createComputePipeline({
      layout: layoutOf(device, [
        { binding: 0, visibility, buffer: { type: "storage" } },
        { binding: 1, visibility, buffer: { type: "uniform" } },
        { binding: 2, visibility, texture: {} },
      ]),
      compute: { module: device.createShaderModule({ code: taking }) },
    });
  }
}

function layoutOf(
  device: GPUDevice,
  entries: readonly GPUBindGroupLayoutEntry[],
): GPUPipelineLayout {
  const layout = device.createBindGroupLayout({ entries: [...entries] });
  return device.createPipelineLayout({ bindGroupLayouts: [layout] });
}

function expectFitting({ limits }: GPUDevice, { width, height }: Picture): void {
  const most = limits.maxTextureDimension2D;
  if (width <= most && height <= most) return;
  throw new RangeError(
    `a picture of ${width} × ${height} pixels is more than the ${most} × ${most} that WebGPU gives ` +
      "a texture here: take it in parts, or smaller",
  );
}

const painters = new WeakMap<WebGpu, Painter>();

/** The painter of a device. */
export function painterOf(gpu: WebGpu): Painter {
  const known = painters.get(gpu);
  if (known !== undefined) return known;
  const painter = new Painter(gpu);
  painters.set(gpu, painter);
  return painter;
}
