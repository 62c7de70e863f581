/** Work of one device, in order. */

import type { Gpu } from "./gpu.ts";

interface Work {
  /** What has to be there before it can be done. */
  readonly ready: Promise<unknown> | undefined;
  readonly run: (gpu: Gpu) => void;
  readonly fail: (error: unknown) => void;
}

/** A device of the process: found once, asked for by the first program that needs it. */
export class Queue<G extends Gpu = Gpu> {
  /** What people call the device. */
  readonly name: string;
  private readonly find: () => Promise<G>;
  private opening: Promise<G> | undefined;
  private gpu: G | undefined;
  private readonly waiting: Work[] = [];
  private readonly done = new WeakSet<Promise<unknown>>();

  constructor(name: string, find: () => Promise<G>) {
    this.name = name;
    this.find = find;
  }

  /** Finds the device; the same for everyone. */
  open(): Promise<G> {
    this.opening ??= this.find().then((gpu) => {
      this.gpu = gpu;
      return gpu;
    });
    return this.opening;
  }

  /** Why the device can do nothing any more; undefined where it can, or has not been found yet. */
  get failure(): unknown {
    try {
      this.gpu?.check();
      return undefined;
    } catch (error) {
      return error;
    }
  }

  /** Marks what work may wait for as being there. */
  isReady<T>(promise: Promise<T>): Promise<T> {
    void promise.then(
      () => this.done.add(promise),
      () => {},
    );
    return promise;
  }

  /** Does the work now where nothing is in its way, else after all that was asked for before. */
  inOrder(work: Work): void {
    const isNow = work.ready === undefined || this.done.has(work.ready);
    if (this.gpu !== undefined && this.waiting.length === 0 && isNow) {
      attempt(work, this.gpu);
      return;
    }
    this.waiting.push(work);
    if (this.waiting.length === 1) void this.drain();
  }

  private async drain(): Promise<void> {
    for (let work = this.waiting[0]; work !== undefined; work = this.waiting[0]) {
      try {
        const found = await this.open();
        await work.ready;
        attempt(work, found);
      } catch (error) {
        work.fail(error);
      }
      this.waiting.shift();
    }
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
