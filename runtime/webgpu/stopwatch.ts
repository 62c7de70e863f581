/** How long launches take, each in a pass of its own. */

import type { Interval, Times } from "../profile.ts";
import type { Gpu } from "../gpu/gpu.ts";
import { usage } from "./device.ts";
import type { WebGpu } from "./gpu.ts";

/** What each launch takes that `record` makes, in their order. Throws what `record` throws. */
export function timed(gpu: Gpu, record: () => void): Promise<Times> {
  const { device } = gpu as WebGpu;
  // What was recorded before is no part of it.
  gpu.submit();
  const stopwatch = device.features.has("timestamp-query")
    ? new Timestamps(device)
    : new Completions(device);
  (gpu as WebGpu).watched(stopwatch, record);
  return stopwatch.times().catch((error: unknown) => {
    // A device that was lost has a better word for it.
    gpu.check();
    throw error;
  });
}

/** Told of launches. */
export interface Stopwatch {
  /** What the pass of the next launch is made with. */
  readonly next: (encoder: GPUCommandEncoder) => GPUComputePassDescriptor | undefined;
  /** A launch has been recorded, whose pass can be ended, and what was recorded be submitted. */
  readonly launched: (endPass: () => void, submit: () => void) => void;
}

/** As many as one set of queries has room for, two for each launch. */
const mostQueries = 4096;
const queryBytes = 8;

/** By the device, which writes its clock at both ends of each pass. */
class Timestamps implements Stopwatch {
  private readonly device: GPUDevice;
  private readonly queries: GPUQuerySet;
  private readonly resolved: GPUBuffer;
  /** Queries in use, and the copies of those that were before. */
  private used = 0;
  private readonly copies: GPUBuffer[] = [];

  constructor(device: GPUDevice) {
    this.device = device;
    this.queries = device.createQuerySet({ type: "timestamp", count: mostQueries });
    this.resolved = device.createBuffer({
      label: "times",
      size: queryBytes * mostQueries,
      usage: usage.queryResolve | usage.copySource,
    });
  }

  next(encoder: GPUCommandEncoder): GPUComputePassDescriptor {
    if (this.used === mostQueries) this.resolve(encoder);
    const beginningOfPassWriteIndex = this.used++;
    const endOfPassWriteIndex = this.used++;
    const { queries: querySet } = this;
    return { timestampWrites: { querySet, beginningOfPassWriteIndex, endOfPassWriteIndex } };
  }

  launched(endPass: () => void): void {
    endPass();
  }

  /** Keeps what has been measured: the queries can be used again. */
  private resolve(encoder: GPUCommandEncoder): void {
    const size = queryBytes * this.used;
    const copy = this.device.createBuffer({ size, usage: usage.mapRead | usage.copyTarget });
    encoder.resolveQuerySet(this.queries, 0, this.used, this.resolved, 0);
    encoder.copyBufferToBuffer(this.resolved, 0, copy, 0, size);
    this.copies.push(copy);
    this.used = 0;
  }

  async times(): Promise<Times> {
    if (this.used > 0) {
      const encoder = this.device.createCommandEncoder();
      this.resolve(encoder);
      this.device.queue.submit([encoder.finish()]);
    }
    const intervals: Interval[] = [];
    let first: bigint | undefined;
    for (const copy of this.copies) {
      await copy.mapAsync(1);
      const stamps = new BigUint64Array(copy.getMappedRange());
      for (let k = 0; k < stamps.length; k += 2) {
        const [start, end] = [stamps[k] as bigint, stamps[k + 1] as bigint];
        first ??= start;
        const from = Number(start - first) / 1e6;
        // A device may set its clock anew.
        intervals.push([from, Math.max(from, Number(end - first) / 1e6)]);
      }
      copy.destroy();
    }
    this.queries.destroy();
    this.resolved.destroy();
    return { timing: "device", intervals };
  }
}

/** By the host, which is told when each launch is done. */
class Completions implements Stopwatch {
  private readonly device: GPUDevice;
  private readonly done: Promise<number>[];

  constructor(device: GPUDevice) {
    this.device = device;
    // The first launch begins when all work before it is done.
    this.done = [this.now()];
  }

  private async now(): Promise<number> {
    await this.device.queue.onSubmittedWorkDone();
    return performance.now();
  }

  next(): undefined {
    // A pass as any other.
  }

  launched(_: () => void, submit: () => void): void {
    submit();
    this.done.push(this.now());
  }

  async times(): Promise<Times> {
    const [first = 0, ...ends] = await Promise.all(this.done);
    let start = 0;
    const intervals = ends.map((at): Interval => [start, (start = at - first)]);
    return { timing: "host", intervals };
  }
}
