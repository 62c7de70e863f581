/**
 * The memory of the device and the work for it. All arrays of all programs are in one buffer, which
 * grows; work is done in the order in which it was asked for, so memory that is given back may be
 * taken by work that comes later.
 */

import { Allocator } from "../allocator.ts";
import { faultAt } from "../faults.ts";
import type { Layout, WebgpuCode } from "../manifest.ts";
import { openDevice, usage } from "./device.ts";
import { firstParameter, groupSize, mostGroups, windowWords } from "./launches.ts";

/** Arrays begin at multiples of this, which bindings of parts of the memory need. */
const alignment = 256;
/** Below, nothing is allocated: an address of 0 means none. There, calls say what failed in them. */
const firstAddress = 4096;
/** Of a failure: the place in the program, from 1, and two numbers of the message. */
const faultBytes = 16;
const firstFault = faultBytes;
const mostCalls = (firstAddress - firstFault) / faultBytes;
const firstBytes = 2 ** 24;

/** Uniform words: a window for each launch, at a multiple of 256 bytes (`launches.ts`). */
const windowBytes = 4 * windowWords;
const uniformBytes = 2 ** 18;

const toUseLess =
  "use smaller batches, give way to the event loop (`await`) between steps, which lets the " +
  'collector find tensors that nobody has any more, or compile with target: "wasm"';

/** A program on the device. */
export interface DeviceProgram {
  readonly pipelines: readonly GPUComputePipeline[];
  /** Of each entry the types of its parameters. */
  readonly entries: readonly string[];
  readonly cells: number;
}

/** A call whose work has been asked for. It fails by itself, or with what it was given. */
export interface Started {
  readonly layout: Layout;
  readonly failure: unknown;
  readonly fail: (error: unknown) => void;
}

export class Gpu {
  readonly device: GPUDevice;
  readonly memory: Allocator;
  private buffer: GPUBuffer;
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
  /** Those of which nobody knows yet whether they failed, in the order of their work. */
  private started: Started[] = [];
  /** What was read before has been looked at. */
  private settled: Promise<unknown> = Promise.resolve();
  /** Why the device can do nothing more. */
  private broken: Error | undefined;

  constructor(device: GPUDevice) {
    this.device = device;
    this.buffer = this.memoryOf(firstBytes);
    this.memory = new Allocator(firstAddress, alignment, (end) => this.reach(end));
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

  /** The entries of a program, compiled at the same time. */
  async compile({ frame, functions, entries }: WebgpuCode): Promise<readonly GPUComputePipeline[]> {
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

  /** Throws if the device can do nothing any more. */
  check(): void {
    if (this.broken !== undefined) throw this.broken;
  }

  /** The launches that follow are those of this call. */
  enter(call: Started): void {
    if (this.started.length === mostCalls) this.read([]).catch(() => {});
    this.started.push(call);
  }

  /** Records one more launch of an entry. */
  launch(
    { pipelines, entries, cells }: DeviceProgram,
    entry: number,
    threads: number,
    operands: readonly number[],
  ): void {
    if (threads === 0) return;
    const bytes = 4 * (firstParameter + operands.length);
    if (this.used + Math.max(bytes, windowBytes) > uniformBytes) this.submit();
    const at = this.used / 4;
    const { words, singles } = this;
    words[at] = threads;
    words[at + 1] = firstFault + (this.started.length - 1) * faultBytes;
    words[at + 2] = cells;
    const types = entries[entry] as string;
    operands.forEach((operand, k) => {
      if (types[k + 1] === "f") singles[at + firstParameter + k] = operand;
      else words[at + firstParameter + k] = operand;
    });
    const pass = this.recorded();
    pass.setPipeline(pipelines[entry] as GPUComputePipeline);
    pass.setBindGroup(0, this.group, [this.used]);
    const groups = types.startsWith("1") ? 1 : Math.ceil(threads / groupSize);
    pass.dispatchWorkgroups(Math.min(groups, mostGroups), Math.ceil(groups / mostGroups));
    this.used += Math.ceil(bytes / 256) * 256;
  }

  /** Has the device do what was recorded. */
  submit(): void {
    if (this.encoder === undefined) return;
    this.pass?.end();
    this.device.queue.writeBuffer(this.uniforms, 0, this.words, 0, this.used / 4);
    this.device.queue.submit([this.encoder.finish()]);
    this.encoder = undefined;
    this.pass = undefined;
    this.used = 0;
  }

  write(address: number, data: ArrayBufferView<ArrayBuffer>): void {
    this.submit();
    this.device.queue.writeBuffer(this.buffer, address, data);
  }

  /** The bytes of some pieces of the memory. After that, the calls before know whether they failed. */
  async read(
    pieces: readonly { readonly address: number; readonly bytes: number }[],
  ): Promise<readonly ArrayBuffer[]> {
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
    this.pass ??= this.encoder.beginComputePass();
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

/** Tells calls that they failed, from what the device says of each, or what they were given. */
function settle(started: readonly Started[], table: Int32Array): void {
  started.forEach((call, k) => {
    const [site = 0, index = 0, extent = 0] = table.subarray((k * faultBytes) / 4);
    if (call.failure !== undefined) call.fail(call.failure);
    else if (site > 0) call.fail(faultAt(call.layout.sites[site - 1], index, extent));
  });
}

// Work in order

interface Work {
  /** What has to be there before it can be done. */
  readonly ready: Promise<unknown> | undefined;
  readonly run: (gpu: Gpu) => void;
  readonly fail: (error: unknown) => void;
}

let gpu: Gpu | undefined;
const waiting: Work[] = [];
const done = new WeakSet<Promise<unknown>>();

/** Finds the device; the same for everyone. */
let opening: Promise<Gpu> | undefined;
export function openGpu(): Promise<Gpu> {
  opening ??= openDevice().then((device) => {
    gpu = new Gpu(device);
    return gpu;
  });
  return opening;
}

/** Marks what work may wait for as being there. */
export function isReady<T>(promise: Promise<T>): Promise<T> {
  void promise.then(
    () => done.add(promise),
    () => {},
  );
  return promise;
}

/** Does the work now where nothing is in its way, else after all that was asked for before. */
export function inOrder(work: Work): void {
  const isNow = work.ready === undefined || done.has(work.ready);
  if (gpu !== undefined && waiting.length === 0 && isNow) {
    attempt(work, gpu);
    return;
  }
  waiting.push(work);
  if (waiting.length === 1) void drain();
}

async function drain(): Promise<void> {
  for (let work = waiting[0]; work !== undefined; work = waiting[0]) {
    try {
      const found = await openGpu();
      await work.ready;
      attempt(work, found);
    } catch (error) {
      work.fail(error);
    }
    waiting.shift();
  }
}

function attempt(work: Work, found: Gpu): void {
  try {
    found.check();
    work.run(found);
    found.submit();
  } catch (error) {
    work.fail(error);
  }
}
