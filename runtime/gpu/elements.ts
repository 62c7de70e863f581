/** Elements of tensors on the device. There, every element has four bytes. */

import { newArray, type TypedArray } from "../arrays.ts";
import type { DType } from "../manifest.ts";
import { addRemote } from "../remote.ts";
import { pool, type Remote } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import type { Gpu } from "./gpu.ts";
import type { Queue } from "./queue.ts";

/** Bytes of the device, given back when nobody has them any more. */
export class Region {
  address = 0;
  private owners = 0;
  private readonly gpu: { current: Gpu | undefined } = { current: undefined };

  own(): void {
    this.owners++;
  }

  place(gpu: Gpu, bytes: number): void {
    this.gpu.current = gpu;
    this.address = gpu.memory.allocate(bytes);
  }

  /** Called when work that was asked for before is done or recorded. */
  release(): void {
    if (--this.owners > 0) return;
    this.gpu.current?.memory.release(this.address);
    this.gpu.current = undefined;
  }
}

/** The elements of one tensor, in a region, from an offset on. */
export class Elements implements Remote {
  readonly queue: Queue;
  readonly region: Region;
  readonly offset: number;
  /** Why they were never computed. */
  failed: unknown;
  private isReleased = false;

  constructor(queue: Queue, region: Region, offset = 0) {
    this.queue = queue;
    this.region = region;
    this.offset = offset;
    region.own();
  }

  get device(): string {
    return this.queue.name;
  }

  get address(): number {
    if (this.failed !== undefined) throw this.failed;
    return this.region.address + this.offset;
  }

  read(dtype: DType, length: number): Promise<TypedArray> {
    return new Promise((resolve, reject) => {
      const run = (gpu: Gpu): void => {
        const pieces = [{ address: this.address, bytes: 4 * length }];
        gpu.read(pieces).then(([bytes]) => {
          if (this.failed === undefined) resolve(fromWords(bytes as ArrayBuffer, dtype));
          else reject(this.failed as Error);
        }, reject);
      };
      this.queue.inOrder({ ready: undefined, run, fail: reject });
    });
  }

  release(): void {
    if (this.isReleased) return;
    this.isReleased = true;
    const run = (): void => this.region.release();
    this.queue.inOrder({ ready: undefined, run, fail: run });
  }
}

/** The elements of an argument on the device; brings them there if they are not. */
export function elementsOf(queue: Queue, tensor: Tensor): Elements {
  const storage = Tensor.storageOf(tensor);
  const { remote, awaited, dtype } = storage;
  if (remote instanceof Elements && remote.queue === queue) return remote;
  let words = awaited === undefined ? toWords(pool.read(storage), dtype) : undefined;
  const read = (data: TypedArray): void => {
    words = toWords(data, dtype);
  };
  const ready = awaited === undefined ? undefined : queue.isReady(awaited.then(read));
  const elements = new Elements(queue, new Region());
  const run = (gpu: Gpu): void => {
    const { region } = elements;
    const given = words as Words;
    region.place(gpu, given.byteLength);
    gpu.write(region.address, given);
  };
  const fail = (error: unknown): void => {
    elements.failed = error;
  };
  queue.inOrder({ ready, run, fail });
  addRemote(tensor, storage, elements);
  return elements;
}

type Words = Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

export function toWords(data: TypedArray, dtype: DType): Words {
  switch (dtype) {
    case "f64":
    case "f32":
    case "f16":
      return Float32Array.from(data);
    case "i32":
      return Int32Array.from(data);
    default:
      return Uint32Array.from(data);
  }
}

export function fromWords(bytes: ArrayBuffer, dtype: DType): TypedArray {
  const words = viewOf(bytes, dtype);
  const data = newArray(dtype, words.length);
  data.set(words);
  return data;
}

function viewOf(bytes: ArrayBuffer, dtype: DType): Words {
  if (dtype === "f64" || dtype === "f32" || dtype === "f16") return new Float32Array(bytes);
  return dtype === "i32" ? new Int32Array(bytes) : new Uint32Array(bytes);
}
