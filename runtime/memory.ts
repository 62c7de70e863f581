/** The one linear memory that all programs share, and who has which bytes of it. */

/** Typed-array views of the whole memory; taken again whenever it grows. */
export interface Views {
  f64: Float64Array;
  f32: Float32Array;
  i32: Int32Array;
  u16: Uint16Array;
  u8: Uint8Array;
}

interface Free {
  start: number;
  end: number;
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

/** Allocates bytes: first fit in a list sorted by address, neighbours joined. */
export class Memory {
  memory: WebAssembly.Memory;
  readonly views: Views;
  private readonly sizes = new Map<number, number>();
  private readonly free: Free[] = [];
  private end = firstAddress;

  constructor() {
    this.memory = new WebAssembly.Memory({ initial: 16, maximum: maximumPages });
    this.views = viewsOf(this.memory);
  }

  /** True when other threads can have the memory as well. */
  get isShared(): boolean {
    return !(this.memory.buffer instanceof ArrayBuffer);
  }

  /** Moves everything, each byte to the address where it was, to memory that threads can share. */
  share(): void {
    const initial = this.memory.buffer.byteLength / page;
    const shared = new WebAssembly.Memory({ initial, maximum: maximumPages, shared: true });
    new Uint8Array(shared.buffer).set(this.views.u8);
    this.memory = shared;
    Object.assign(this.views, viewsOf(shared));
  }

  /** The address of fresh bytes, a multiple of 16. Their contents are undefined. */
  allocate = (bytes: number): number => {
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    const at = this.fromFree(size) ?? this.fromEnd(size);
    this.sizes.set(at, size);
    return at;
  };

  /** Gives bytes back. Address 0 is ignored. */
  release = (address: number): void => {
    const size = this.sizes.get(address);
    if (size === undefined) {
      if (address === 0) return;
      throw new Error(`nothing is allocated at ${address}`);
    }
    this.sizes.delete(address);
    this.insert(address, address + size);
  };

  /** Bytes in use or free among those in use. */
  get extent(): number {
    return this.end;
  }

  private fromFree(size: number): number | undefined {
    for (let k = 0; k < this.free.length; k++) {
      const block = this.free[k] as Free;
      if (block.end - block.start < size) continue;
      const { start } = block;
      block.start += size;
      if (block.start === block.end) this.free.splice(k, 1);
      return start;
    }
    return undefined;
  }

  private fromEnd(size: number): number {
    const start = this.end;
    const needed = start + size + margin;
    const have = this.memory.buffer.byteLength;
    if (needed > have) this.grow(needed - have);
    this.end = start + size;
    return start;
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

  private insert(start: number, end: number): void {
    let low = 0;
    let high = this.free.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.free[middle] as Free).start < start) low = middle + 1;
      else high = middle;
    }
    const before = this.free[low - 1];
    const after = this.free[low];
    if (before?.end === start && after?.start === end) {
      before.end = after.end;
      this.free.splice(low, 1);
    } else if (before?.end === start) before.end = end;
    else if (after?.start === end) after.start = start;
    else this.free.splice(low, 0, { start, end });
    const last = this.free.at(-1);
    if (last?.end === this.end) {
      this.end = last.start;
      this.free.pop();
    }
  }
}
