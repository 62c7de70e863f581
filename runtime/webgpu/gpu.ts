/** A device of WebGPU: its memory is one buffer. */

import type { Allocator } from "../allocator.ts";
import {
  deviceMemory,
  faultBytes,
  firstFault,
  type Gpu,
  type Launch,
  mostCalls,
  type Piece,
  type Places,
  settle,
  type Started,
  toUseLess,
} from "../gpu/gpu.ts";
import { firstParameter, groupSize, mostGroups, windowWords } from "../gpu/launches.ts";
import { Queue } from "../gpu/queue.ts";
import type { GpuCode, WebgpuCode, WebgpuEntry } from "../manifest.ts";
import { openDevice, usage } from "./device.ts";
import type { Stopwatch } from "./stopwatch.ts";

const firstBytes = 2 ** 24;

/** Uniform words: a window for each launch, at a multiple of 256 bytes (`launches.ts`). */
const windowBytes = 4 * windowWords;
const uniformBytes = 2 ** 18;

export class WebGpu implements Gpu {
  readonly device: GPUDevice;
  readonly memory: Allocator;
  /** All arrays; another one when it has grown. */
  buffer: GPUBuffer;
  private readonly uniforms: GPUBuffer;
  private readonly groupLayout: GPUBindGroupLayout;
  private readonly pipelineLayout: GPUPipelineLayout;
  private group: GPUBindGroup;
  /** Uniform words of the launches that are being recorded. */
  private readonly words = new Uint32Array(uniformBytes / 4);
  private readonly singles = new Float32Array(this.words.buffer);
  private used = 0;
  private encoder: GPUCommandEncoder | undefined;
  private pass: GPUComputePassEncoder | undefined;
  /** Of the launches that are being recorded, where they are timed. */
  private stopwatch: Stopwatch | undefined;
  /** Those of which nobody knows yet whether they failed, in the order of their work. */
  private started: Started[] = [];
  /** What was read before has been looked at. */
  private settled: Promise<unknown> = Promise.resolve();
  /** Why the device can do nothing more. */
  private broken: Error | undefined;

  constructor(device: GPUDevice) {
    this.device = device;
    this.buffer = this.memoryOf(firstBytes);
    this.memory = deviceMemory((end) => this.reach(end));
    this.uniforms = device.createBuffer({
      label: "parameters",
      size: uniformBytes,
      usage: usage.uniform | usage.copyTarget,
    });
    this.groupLayout = device.createBindGroupLayout({
      entries: [
        { binding: 0, visibility: 4, buffer: { type: "storage" } },
        {
          binding: 1,
          visibility: 4,
          buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: windowBytes },
        },
      ],
    });
    this.pipelineLayout = device.createPipelineLayout({ bindGroupLayouts: [this.groupLayout] });
    this.group = this.bind();
    device.addEventListener("uncapturederror", (event) => {
      const { error } = event;
      // The class itself is no name of Node's.
      const isFull = error.constructor.name === "GPUOutOfMemoryError";
      this.broken ??= isFull
        ? new RangeError(`the device has no room for all arrays on it: ${toUseLess}`)
        : new Error(`WebGPU: ${error.message}`);
      // Whoever asks for results is told.
      event.preventDefault();
    });
    void device.lost.then(({ message }) => {
      this.broken ??= new Error(
        `the WebGPU device was lost, and what was on it: ${message}; load the page, or start the program, again`,
      );
    });
  }

  async link(code: GpuCode, { cells }: Places): Promise<Launch> {
    const { entries } = code as WebgpuCode;
    const pipelines = await this.compile(code as WebgpuCode);
    return (entry, threads, operands) => {
      const { types } = entries[entry] as WebgpuEntry;
      this.launch(pipelines[entry] as GPUComputePipeline, types, cells, threads, operands);
    };
  }

  /** The entries of a program, compiled at the same time. */
  private async compile({
    frame,
    functions,
    entries,
  }: WebgpuCode): Promise<readonly GPUComputePipeline[]> {
    this.device.pushErrorScope("validation");
    // A module of all entries would be read again for each of them.
    const modules = entries.map(({ text, uses }) => {
      const code = [frame, ...uses.map((k) => functions[k]), text].join("\n");
      return this.device.createShaderModule({ code });
    });
    const wrong = await this.device.popErrorScope();
    if (wrong !== null) {
      throw new Error(
        `WebGPU does not take a kernel, which is a fault of the compiler: ${wrong.message}; ` +
          'please report it, and compile with target: "wasm" until then',
      );
    }
    return Promise.all(
      modules.map((module, k) =>
        this.device.createComputePipelineAsync({
          layout: this.pipelineLayout,
          compute: { module, entryPoint: `entry_${k}` },
        }),
      ),
    );
  }

  check(): void {
    if (this.broken !== undefined) throw this.broken;
  }

  enter(call: Started): void {
    if (this.started.length === mostCalls) this.read([]).catch(() => {});
    this.started.push(call);
  }

  /** Records one more launch of an entry. */
  private launch(
    pipeline: GPUComputePipeline,
    types: string,
    cells: number,
    threads: number,
    operands: readonly number[],
  ): void {
    const bytes = 4 * (firstParameter + operands.length);
    if (this.used + Math.max(bytes, windowBytes) > uniformBytes) this.submit();
    const at = this.used / 4;
    const { words, singles } = this;
    words[at] = threads;
    words[at + 1] = firstFault + (this.started.length - 1) * faultBytes;
    words[at + 2] = cells;
    operands.forEach((operand, k) => {
      if (types[k + 1] === "f") singles[at + firstParameter + k] = operand;
      else words[at + firstParameter + k] = operand;
    });
    const pass = this.recorded();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, this.group, [this.used]);
    const groups = types.startsWith("1") ? 1 : Math.ceil(threads / groupSize);
    pass.dispatchWorkgroups(Math.min(groups, mostGroups), Math.ceil(groups / mostGroups));
    this.used += Math.ceil(bytes / 256) * 256;
    this.stopwatch?.launched(
      () => this.endPass(),
      () => this.submit(),
    );
  }

  /** Records and submits something, whose launches a stopwatch is told of. */
  watched(stopwatch: Stopwatch, record: () => void): void {
    this.stopwatch = stopwatch;
    try {
      record();
    } finally {
      this.submit();
      this.stopwatch = undefined;
    }
  }

  submit(): void {
    if (this.encoder === undefined) return;
    this.endPass();
    this.device.queue.writeBuffer(this.uniforms, 0, this.words, 0, this.used / 4);
    this.device.queue.submit([this.encoder.finish()]);
    this.encoder = undefined;
    this.used = 0;
  }

  private endPass(): void {
    this.pass?.end();
    this.pass = undefined;
  }

  write(address: number, data: ArrayBufferView<ArrayBuffer>): void {
    this.submit();
    this.device.queue.writeBuffer(this.buffer, address, data);
  }

  async read(pieces: readonly Piece[]): Promise<readonly ArrayBuffer[]> {
    this.check();
    this.submit();
    const { started, settled: before } = this;
    this.started = [];
    const tableBytes = started.length * faultBytes;
    const staging = this.device.createBuffer({
      label: "results",
      size: Math.max(
        4,
        pieces.reduce((sum, { bytes }) => sum + bytes, tableBytes),
      ),
      usage: usage.mapRead | usage.copyTarget,
    });
    const encoder = this.device.createCommandEncoder();
    if (tableBytes > 0) {
      encoder.copyBufferToBuffer(this.buffer, firstFault, staging, 0, tableBytes);
      encoder.clearBuffer(this.buffer, firstFault, tableBytes);
    }
    let at = tableBytes;
    for (const { address, bytes } of pieces) {
      if (bytes > 0) encoder.copyBufferToBuffer(this.buffer, address, staging, at, bytes);
      at += bytes;
    }
    this.device.queue.submit([encoder.finish()]);
    const mapped = this.mapped(staging);
    const read = before.then(() => mapped);
    const known = read.then((all) => settle(started, new Int32Array(all, 0, tableBytes / 4)));
    this.settled = known.catch(() => {});
    await known;
    const all = await read;
    let from = tableBytes;
    return pieces.map(({ bytes }) => all.slice(from, (from += bytes)));
  }

  private async mapped(staging: GPUBuffer): Promise<ArrayBuffer> {
    try {
      await staging.mapAsync(1);
    } catch (error) {
      this.check();
      throw error;
    }
    const all = staging.getMappedRange().slice(0);
    staging.destroy();
    this.check();
    return all;
  }

  private recorded(): GPUComputePassEncoder {
    this.encoder ??= this.device.createCommandEncoder();
    this.pass ??= this.encoder.beginComputePass(this.stopwatch?.next(this.encoder));
    return this.pass;
  }

  private memoryOf(size: number): GPUBuffer {
    return this.device.createBuffer({
      label: "memory",
      size,
      usage: usage.storage | usage.copySource | usage.copyTarget,
    });
  }

  private bind(): GPUBindGroup {
    return this.device.createBindGroup({
      layout: this.groupLayout,
      entries: [
        { binding: 0, resource: { buffer: this.buffer } },
        { binding: 1, resource: { buffer: this.uniforms, size: windowBytes } },
      ],
    });
  }

  /** Moves everything to a larger buffer, each byte to the address where it was. */
  private reach(end: number): void {
    const have = this.buffer.size;
    if (end <= have) return;
    const { maxStorageBufferBindingSize, maxBufferSize } = this.device.limits;
    const most = Math.min(maxStorageBufferBindingSize, maxBufferSize, 2 ** 31 - 4);
    const size = Math.min(Math.max(2 * have, Math.ceil(end / 4) * 4), most);
    if (size < end) {
      throw new RangeError(
        `the arrays on the device need more than the ${Math.floor(most / 2 ** 20)} MiB that it ` +
          `gives one buffer: ${toUseLess}`,
      );
    }
    this.submit();
    const larger = this.memoryOf(size);
    const encoder = this.device.createCommandEncoder();
    encoder.copyBufferToBuffer(this.buffer, 0, larger, 0, have);
    this.device.queue.submit([encoder.finish()]);
    this.buffer.destroy();
    this.buffer = larger;
    this.group = this.bind();
  }
}

/** The device of WebGPU of this process. */
export const webgpu = new Queue("WebGPU", async () => new WebGpu(await openDevice()));
