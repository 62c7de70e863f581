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
  remote?: Remote | undefined;
  /** Elements that the host has not computed yet. */
  awaited?: Promise<TypedArray> | undefined;
  /**
   * As many bytes as there are on a device, never touched: the collector does not see those, and
   * would leave gigabytes of dead tensors lying.
   */
  weight?: ArrayBuffer | undefined;
  /** What became of the elements, if they are nowhere. */
  gone?: string;
}

/** Bytes of tensors beyond those that were alive after the last collection. */
const smallestBudget = 64 * 2 ** 20;
const largestBudget = 2 ** 30;

export class Pool {
  readonly memory = new Memory();
  /** Blocks in the order of their last use, with the storage that each belongs to. */
  private readonly recent = new Map<Block, Storage>();
  private readonly registry: FinalizationRegistry<Block>;
  private readonly remotes = new FinalizationRegistry<Remote>((remote) => remote.release());
  private bytes = 0;
  private baseline = 0;
  private budget = smallestBudget;

  constructor() {
    this.registry = new FinalizationRegistry((block) => {
      this.releaseBlock(block);
      this.baseline = this.bytes;
    });
  }

  /** Bytes that tensors have in the shared memory. */
  get tensorBytes(): number {
    return this.bytes;
  }

  /** Storage in the shared memory, for a program to write. */
  onDevice(dtype: DType, length: number): Storage {
    const storage: Storage = { dtype, length, block: undefined, host: undefined };
    this.place(storage);
    return storage;
  }

  onHost(dtype: DType, data: TypedArray): Storage {
    return { dtype, length: data.length, block: undefined, host: data };
  }

  /** Storage in memory that a program allocated. */
  adopt(dtype: DType, length: number, address: number): Storage {
    const block: Block = { address, bytes: Math.max(1, length * bytesPerElement(dtype)) };
    const storage: Storage = { dtype, length, block, host: undefined };
    this.bytes += block.bytes;
    this.recent.set(block, storage);
    return storage;
  }

  /** Ties memory to the life of a handle. */
  track(handle: object, storage: Storage): void {
    if (storage.block !== undefined) this.registry.register(handle, storage.block, storage);
    if (storage.remote !== undefined) this.remotes.register(handle, storage.remote, storage);
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

  /** Storage on a device. */
  onRemote(dtype: DType, length: number, remote: Remote): Storage {
    const weight = weightOf(dtype, length);
    return { dtype, length, block: undefined, host: undefined, remote, weight };
  }

  /** Storage of elements that the host will have; whoever reads them learns why there are none. */
  onHostLater(dtype: DType, length: number, awaited: Promise<TypedArray>): Storage {
    const storage: Storage = { dtype, length, block: undefined, host: undefined, awaited };
    const arrived = (data: TypedArray): void => {
      if (storage.awaited !== awaited) return;
      storage.host = data;
      storage.awaited = undefined;
    };
    awaited.then(arrived, () => {});
    return storage;
  }

  /** A copy of the elements, from wherever they are; rejects where they are nowhere. */
  async readLater(storage: Storage): Promise<TypedArray> {
    const { remote, awaited, dtype, length } = storage;
    if (awaited !== undefined) return (await awaited).slice();
    return remote !== undefined && !isHere(storage)
      ? remote.read(dtype, length)
      : this.read(storage);
  }

  /** Elements that are on a device too from now on. */
  addRemote(handle: object, storage: Storage, remote: Remote): void {
    storage.remote = remote;
    storage.weight = weightOf(storage.dtype, storage.length);
    this.remotes.register(handle, remote, storage);
  }

  /** A copy of the elements. */
  read(storage: Storage): TypedArray {
    const { block, host, dtype, length } = storage;
    if (host !== undefined) return viewAt(host.buffer, host.byteOffset, dtype, length).slice();
    if (block === undefined) throw lost(storage);
    return viewAt(this.memory.memory.buffer, block.address, dtype, length).slice();
  }

  dispose(storage: Storage, gone = "was disposed of"): void {
    if (storage.block !== undefined) {
      this.registry.unregister(storage);
      this.releaseBlock(storage.block);
    }
    if (storage.remote !== undefined) {
      this.remotes.unregister(storage);
      storage.remote.release();
    }
    storage.block = undefined;
    storage.host = undefined;
    storage.remote = undefined;
    storage.awaited = undefined;
    storage.weight = undefined;
    storage.gone = gone;
  }

  /**
   * The elements under another owner, where a program writes them: on a device or in the shared
   * memory. The old owner has none any more, and what they were is forgotten elsewhere.
   */
  moved(storage: Storage, isOnRemote: boolean): Storage {
    const { dtype, length, block, remote, weight } = storage;
    const next: Storage = isOnRemote
      ? { dtype, length, block: undefined, host: undefined, remote, weight }
      : { dtype, length, block, host: undefined };
    this.registry.unregister(storage);
    this.remotes.unregister(storage);
    if (isOnRemote) {
      if (block !== undefined) this.releaseBlock(block);
    } else {
      remote?.release();
      if (block !== undefined) this.recent.set(block, next);
    }
    storage.block = undefined;
    storage.host = undefined;
    storage.remote = undefined;
    storage.awaited = undefined;
    storage.weight = undefined;
    return next;
  }

  private place(storage: Storage): Block {
    const bytes = Math.max(1, storage.length * bytesPerElement(storage.dtype));
    this.makeRoom(bytes);
    const block: Block = { address: this.memory.allocate(bytes), bytes };
    storage.block = block;
    this.bytes += bytes;
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
      this.registry.unregister(storage);
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

  private releaseBlock(block: Block): void {
    if (!this.recent.delete(block)) return;
    this.memory.release(block.address);
    this.bytes -= block.bytes;
  }
}

function weightOf(dtype: DType, length: number): ArrayBuffer {
  return new ArrayBuffer(length * bytesPerElement(dtype));
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
export function lost({ gone = "was disposed of", remote, awaited }: Storage): Error {
  if (awaited !== undefined) {
    return new Error(
      "the elements of this tensor are not there yet: take them by `await x.data()`, or compile " +
        'what uses it with target: "auto"',
    );
  }
  if (remote !== undefined) {
    return new Error(
      `this tensor is on ${remote.device}, which answers later: take its elements by ` +
        "`await x.data()`, or compile what uses it for the same target",
    );
  }
  return new Error(`this tensor ${gone}`);
}

/** One for the process: tensors pass between programs without being copied. */
export const pool = new Pool();
