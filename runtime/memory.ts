/** The one linear memory that all programs share, and who has which bytes of it. */

import { Allocator } from "./allocator.ts";

/** Typed-array views of the whole memory; taken again whenever it grows. */
export interface Views {
  f64: Float64Array;
  f32: Float32Array;
  i32: Int32Array;
  u16: Uint16Array;
  u8: Uint8Array;
}

const page = 65536;
/** Addresses are positive 32-bit integers. */
const maximumPages = 32767;
const alignment = 16;
/**
 * Below, nothing is allocated: an address of 0 means none. What threads tell each other is at
 * `controlAddress`, the operands of tasks follow at 512 (`compiler/kernel/tasks.ts`).
 */
const firstAddress = 1024;
export const controlAddress = 256;
/** Bytes kept free at the end, so that a vector load at the edge of an array stays inside. */
const margin = 64;

function viewsOf({ buffer }: WebAssembly.Memory): Views {
  return {
    f64: new Float64Array(buffer),
    f32: new Float32Array(buffer),
    i32: new Int32Array(buffer),
    u16: new Uint16Array(buffer),
    u8: new Uint8Array(buffer),
  };
}

export class Memory {
  memory: WebAssembly.Memory;
  readonly views: Views;
  private readonly pieces = new Allocator(firstAddress, alignment, (end) => {
    const needed = end + margin - this.memory.buffer.byteLength;
    if (needed > 0) this.grow(needed);
  });

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: maximumPages });
    this.views = viewsOf(this.memory);
  }

  /** Moves everything, each byte to the address where it was, to another memory. */
  move(made: (limits: WebAssembly.MemoryDescriptor) => WebAssembly.Memory): void {
    const memory = made({ initial: this.memory.buffer.byteLength / page, maximum: maximumPages });
    new Uint8Array(memory.buffer).set(this.views.u8);
    this.memory = memory;
    Object.assign(this.views, viewsOf(memory));
  }

  /** The address of fresh bytes, a multiple of 16. Their contents are undefined. */
  allocate = (bytes: number): number => this.pieces.allocate(bytes);

  /** Gives bytes back. Address 0 is ignored. */
  release = (address: number): void => this.pieces.release(address);

  /** Bytes in use or free among those in use. */
  get extent(): number {
    return this.pieces.extent;
  }

  /** Grows by at least a quarter, so that growing costs little over many calls. */
  private grow(bytes: number): void {
    const have = this.memory.buffer.byteLength / page;
    const wanted = Math.ceil(bytes / page);
    const generous = Math.min(Math.max(wanted, Math.ceil(have / 4)), maximumPages - have);
    if (generous < wanted) {
      throw new RangeError(
        `the arrays of all programs need more than ${(maximumPages * page) / 2 ** 30} GiB; ` +
          "use smaller batches, shorter loops (a derivative keeps numbers of each round), or " +
          "dispose of tensors that are no longer needed",
      );
    }
    this.memory.grow(generous);
    Object.assign(this.views, viewsOf(this.memory));
  }
}
