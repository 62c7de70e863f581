/** Who has which bytes of a memory: first fit in a list sorted by address, neighbours joined. */

interface Free {
  start: number;
  end: number;
}

export class Allocator {
  private readonly sizes = new Map<number, number>();
  private readonly free: Free[] = [];
  private readonly alignment: number;
  private readonly reach: (end: number) => void;
  private end: number;

  /** Addresses from `first` on; `reach` makes the memory so large, or throws. */
  constructor(first: number, alignment: number, reach: (end: number) => void) {
    this.end = first;
    this.alignment = alignment;
    this.reach = reach;
  }

  /** The address of fresh bytes, a multiple of the alignment. Their contents are undefined. */
  allocate(bytes: number): number {
    const { alignment } = this;
    const size = Math.max(alignment, Math.ceil(bytes / alignment) * alignment);
    const at = this.fromFree(size) ?? this.fromEnd(size);
    this.sizes.set(at, size);
    return at;
  }

  /** Gives bytes back. Address 0 is ignored. */
  release(address: number): void {
    const size = this.sizes.get(address);
    if (size === undefined) {
      if (address === 0) return;
      throw new Error(`nothing is allocated at ${address}`);
    }
    this.sizes.delete(address);
    this.insert(address, address + size);
  }

  /** How many pieces are given out. */
  get count(): number {
    return this.sizes.size;
  }

  /** The end of the bytes in use, and free among those in use. */
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
    this.reach(start + size);
    this.end = start + size;
    return start;
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
