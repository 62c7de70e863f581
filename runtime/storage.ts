/**
 * Where the elements of tensors are: in the shared memory, or in a typed array of the host.
 *
 * A handle that was collected gives its memory back through a `FinalizationRegistry`. Those run
 * between turns of the event loop, so a long synchronous loop would fill the memory with dead
 * tensors: past a budget the tensors that were not used for longest move to typed arrays. If they
 * are dead, that is ordinary garbage; if not, they move back when they are used.
 */

import { bytesPerElement, cellsAt, type TypedArray, viewAt } from "./arrays.ts";
import type { DType } from "./manifest.ts";
import { Memory } from "./memory.ts";

/** Bytes of the shared memory: what the registry holds, and so no reference to elements. */
interface Block {
  address: number;
  readonly bytes: number;
}

/** Elements on a device that answers later. */
export interface Remote {
  readonly device: string;
  readonly read: (dtype: DType, length: number) => Promise<TypedArray>;
  readonly release: () => void;
}

export interface Storage {
  readonly dtype: DType;
  readonly length: number;
  block: Block | undefined;
  host: TypedArray | undefined;
  remote: Remote | undefined;
  /** Elements that the host has not computed yet. */
  awaited: Promise<TypedArray> | undefined;
  /**
   * As many bytes as there are on a device, never touched: the collector does not see those, and
   * would leave gigabytes of dead tensors lying.
   */
  weight: ArrayBuffer | undefined;
  /** What is said where the elements cannot be had at once. */
  gone: string | undefined;
}

/** What a storage has of elements that are nowhere. */
export const emptied = {
  block: undefined,
  host: undefined,
  remote: undefined,
  awaited: undefined,
  weight: undefined,
  gone: undefined,
};

export function storageOf(dtype: DType, length: number): Storage {
  return { dtype, length, ...emptied };
}

/** Bytes of tensors beyond those that were alive after the last collection. */
const smallestBudget = 64 * 2 ** 20;
const largestBudget = 2 ** 30;

export class Pool {
  readonly memory = new Memory();
  /** Blocks in the order of their last use, with the storage that each belongs to. */
  private readonly recent = new Map<Block, Storage>();
  private readonly registry = new FinalizationRegistry<Block | Remote>((held) => {
    if ("release" in held) held.release();
    else {
      this.releaseBlock(held);
      this.baseline = this.bytes;
    }
  });
  private bytes = 0;
  private baseline = 0;
  private budget = smallestBudget;

  /** Bytes that tensors have in the shared memory. */
  get tensorBytes(): number {
    return this.bytes;
  }

  /** Storage in the shared memory, for a program to write. */
  onDevice(dtype: DType, length: number): Storage {
    const storage = storageOf(dtype, length);
    this.place(storage);
    return storage;
  }

  onHost(dtype: DType, data: TypedArray): Storage {
    return { ...storageOf(dtype, data.length), host: data };
  }

  /** Storage in memory that a program allocated. */
  adopt(dtype: DType, length: number, address: number): Storage {
    const storage = storageOf(dtype, length);
    this.hold(storage, address);
    return storage;
  }

  /** Ties memory to the life of a handle. */
  track(handle: object, storage: Storage): void {
    const { block, remote } = storage;
    if (block !== undefined) this.registry.register(handle, block, block);
    if (remote !== undefined) this.trackRemote(handle, remote);
  }

  trackRemote(handle: object, remote: Remote): void {
    this.registry.register(handle, remote, remote);
  }

  /** Nobody's end gives these back any more. */
  forget(held: Block | Remote): void {
    this.registry.unregister(held);
  }

  /** The address of the elements; moves them there if they are not. */
  address(handle: object, storage: Storage): number {
    const { block, host } = storage;
    if (block !== undefined) {
      this.recent.delete(block);
      this.recent.set(block, storage);
      return block.address;
    }
    if (host === undefined) throw lost(storage);
    const placed = this.place(storage);
    cellsAt(this.memory.memory.buffer, placed.address, storage.dtype, storage.length).set(host);
    storage.host = undefined;
    this.track(handle, storage);
    // What had to leave was needed: a larger working set deserves a larger budget.
    this.budget = Math.min(largestBudget, this.budget + placed.bytes);
    return placed.address;
  }

  /** A copy of the elements, from wherever they are; rejects where they are nowhere. */
  async readLater(storage: Storage): Promise<TypedArray> {
    const { remote, awaited, dtype, length } = storage;
    if (awaited !== undefined) return (await awaited).slice();
    return remote !== undefined && !isHere(storage)
      ? remote.read(dtype, length)
      : this.read(storage);
  }

  /** A copy of the elements. */
  read(storage: Storage): TypedArray {
    const { block, host, dtype, length } = storage;
    if (host !== undefined) return viewAt(host.buffer, host.byteOffset, dtype, length).slice();
    if (block === undefined) throw lost(storage);
    return viewAt(this.memory.memory.buffer, block.address, dtype, length).slice();
  }

  dispose(storage: Storage, gone = "was disposed of"): void {
    const { block, remote } = storage;
    if (block !== undefined) this.releaseBlock(block);
    if (remote !== undefined) {
      this.forget(remote);
      remote.release();
    }
    Object.assign(storage, emptied);
    storage.gone = `this tensor ${gone}`;
  }

  /**
   * The elements under another owner, where a program writes them in the shared memory. The old
   * owner has none any more, and what they were is forgotten elsewhere.
   */
  moved(storage: Storage): Storage {
    const { dtype, length, block, host, remote } = storage;
    const next: Storage = { ...storageOf(dtype, length), block, host };
    if (block !== undefined) {
      this.forget(block);
      this.recent.set(block, next);
    }
    if (remote !== undefined) {
      this.forget(remote);
      remote.release();
    }
    Object.assign(storage, emptied);
    return next;
  }

  private place(storage: Storage): Block {
    const bytes = bytesOf(storage);
    this.makeRoom(bytes);
    return this.hold(storage, this.memory.allocate(bytes));
  }

  private hold(storage: Storage, address: number): Block {
    const block = { address, bytes: bytesOf(storage) };
    storage.block = block;
    this.bytes += block.bytes;
    this.recent.set(block, storage);
    return block;
  }

  private makeRoom(bytes: number): void {
    const limit = this.baseline + this.budget;
    if (this.bytes + bytes <= limit) return;
    for (const [block, storage] of this.recent) {
      if (this.bytes + bytes <= limit || this.pinned.has(block)) break;
      // Slicing the buffer copies without filling the copy with zeros first.
      const end = block.address + storage.length * bytesPerElement(storage.dtype);
      const copy = this.memory.memory.buffer.slice(block.address, end);
      storage.host = cellsAt(copy, 0, storage.dtype, storage.length);
      storage.block = undefined;
      this.releaseBlock(block);
    }
  }

  /** Arguments and results of the call under way stay where they are. */
  private readonly pinned = new Set<Block>();
  pin(storage: Storage): void {
    if (storage.block !== undefined) this.pinned.add(storage.block);
  }
  unpinAll(): void {
    this.pinned.clear();
  }

  releaseBlock(block: Block): void {
    this.forget(block);
    if (!this.recent.delete(block)) return;
    this.memory.release(block.address);
    this.bytes -= block.bytes;
  }
}

function bytesOf({ dtype, length }: Storage): number {
  return Math.max(1, length * bytesPerElement(dtype));
}

/** Whether a program that runs where it is called can have the elements. */
export function isHere({ block, host }: Storage): boolean {
  return block !== undefined || host !== undefined;
}

/** Throws what reading says where the elements are nowhere. */
export function expectSomewhere(storage: Storage): void {
  const { remote, awaited } = storage;
  if (!isHere(storage) && remote === undefined && awaited === undefined) throw lost(storage);
}

/** Why the elements cannot be had at once. */
export function lost({ gone = "this tensor was disposed of" }: Storage): Error {
  return new Error(gone);
}

/** One for the process: tensors pass between programs without being copied. */
export const pool = new Pool();
