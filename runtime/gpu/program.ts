/** A program for a graphics device as a function: tensors come back at once, plain values as a promise. */

import {
  boundExtent,
  type Copied,
  donatedOf,
  type Given,
  type Input,
  ownersOf,
  takeCall,
  writeInput,
} from "../arguments.ts";
import { countOf, newArray } from "../arrays.ts";
import { fromText } from "../binary.ts";
import type { Extents } from "../dims.ts";
import { faultAt } from "../faults.ts";
import type { LoadedProgram } from "../load.ts";
import { loaded } from "../loaded.ts";
import {
  type DeviceName,
  type GpuCode,
  isPlain,
  type Layout,
  type Leaf,
  leavesOf,
  type Manifest,
} from "../manifest.ts";
import { mathFunctions } from "../math.ts";
import type { TimedLaunch } from "../profile.ts";
import { profiled, type Profiler } from "../profiled.ts";
import { buildResult, plainArray, shapeOf, slotSize } from "../results.ts";
import { movedOnRemote, onRemote } from "../remote.ts";
import { pool } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import { Elements, elementsOf, fromWords, Region, toWords } from "./elements.ts";
import type { Gpu, Started } from "./gpu.ts";
import type { Queue } from "./queue.ts";

/** Builds a program, whose kernels the device compiles meanwhile. */
export function loadOn(
  queue: Queue,
  manifest: Manifest,
  code: GpuCode,
  captured?: () => readonly unknown[],
  profiler?: Profiler,
): LoadedProgram {
  const { name, target } = manifest;
  loaded.add(target);
  const { prepare } = programOn(queue, manifest, code);
  const call = (args: readonly unknown[]): Call => prepare(takeCall(manifest, args, captured?.()));
  const profile = profiler?.on[target as DeviceName];
  return profiled(
    name,
    (...args) => call(args).result(),
    profile && (async (...args) => profile(call(args))),
  );
}

/** A program on a device, called with what `takeCall` gives. */
export interface DeviceProgram {
  /** Its kernels are compiled; rejects where that fails. */
  readonly ready: Promise<unknown>;
  readonly prepare: (given: Given) => Call;
}

export function programOn(queue: Queue, manifest: Manifest, code: GpuCode): DeviceProgram {
  const linked = new Linked(queue, manifest, code);
  return { ready: linked.ready, prepare: (given) => new Call(linked, given) };
}

type Run = (...operands: number[]) => void;

class Linked {
  readonly queue: Queue;
  readonly manifest: Manifest;
  readonly ready: Promise<unknown>;
  run: Run | undefined;
  /** What the host's part hands over in the call under way, by the offset. */
  readonly handed = new Map<number, number>();
  /** Told of the launches of the call under way. */
  observer: TimedLaunch[] | undefined;
  /** Memory that the call under way has asked for. */
  readonly transient = new Set<number>();

  constructor(queue: Queue, manifest: Manifest, code: GpuCode) {
    this.queue = queue;
    this.manifest = manifest;
    this.ready = queue.isReady(queue.open().then((gpu) => this.link(gpu, code)));
    // A call says what went wrong.
    this.ready.catch(() => {});
  }

  private async link(gpu: Gpu, code: GpuCode): Promise<void> {
    const { layout } = this.manifest;
    const constants = fromText(layout.constants);
    const address = gpu.memory.allocate(constants.length + 4 * code.cells);
    if (constants.length > 0) gpu.write(address, constants);
    const math = mathFunctions(layout.imports);
    const cells = address + constants.length;
    const launch = await gpu.link(code, { constants: address, cells, math });
    const make =
      typeof code.host === "string"
        ? (new Function(`return ${code.host}`)() as Exclude<GpuCode["host"], string>)
        : code.host;
    this.run = make({
      constants: address,
      math: math as never,
      launch: (number, threads, ...operands) => {
        // A grid without rounds, or one whose length is none: in an arm that does not run.
        if (threads <= 0) return;
        this.observer?.push({ number, threads });
        launch(code.launches[number] as number, threads, operands);
      },
      allocate: (bytes) => {
        const at = gpu.memory.allocate(bytes);
        this.transient.add(at);
        return at;
      },
      release: (at) => {
        if (this.transient.delete(at)) gpu.memory.release(at);
      },
      fault: (site, index, extent) => {
        throw faultAt(layout.sites[site], index, extent);
      },
      hand_over: (offset, value) => {
        this.handed.set(offset, value);
      },
    });
  }
}

/** Has the work of a call recorded; gives the values of the leaves that are no tensors, later. */
type Recorder = (gpu: Gpu, run: () => Promise<readonly unknown[]>) => Promise<readonly unknown[]>;

/** What becomes of a leaf of the result. */
interface Output {
  readonly leaf: Leaf;
  /** Of a tensor: its elements, and the handle. */
  readonly elements: Elements | undefined;
  readonly tensor: Tensor | undefined;
}

/** Whether a call failed. It holds no handles: who waits for a call does not keep its tensors. */
class Outcome implements Started {
  readonly layout: Layout;
  failed: unknown;
  private readonly given: readonly Elements[];
  private readonly made: readonly Elements[];

  constructor(layout: Layout, given: readonly Elements[], made: readonly Elements[]) {
    this.layout = layout;
    this.given = given;
    this.made = made;
  }

  /** Why its results are none: it failed, or what it was given did. */
  get failure(): unknown {
    return this.failed ?? this.given.find(({ failed }) => failed !== undefined)?.failed;
  }

  fail(error: unknown): void {
    this.failed ??= error;
    for (const elements of this.made) elements.failed ??= error;
  }
}

/** One call: what it takes, and where its results will be. */
export class Call {
  private readonly linked: Linked;
  private readonly extents: Extents;
  private readonly inputs: readonly Input[];
  private readonly copies = new Map<Input, ReturnType<typeof toWords>>();
  private readonly elements: readonly (Elements | undefined)[];
  private readonly owners: ReadonlyMap<number, number>;
  private readonly leaves: readonly Leaf[];
  private readonly frame = new Region();
  private readonly outputs: readonly Output[];
  private readonly isPlain: boolean;
  private readonly outcome: Outcome;

  constructor(linked: Linked, { inputs, extents }: Given) {
    const { manifest } = linked;
    const { layout } = manifest;
    this.linked = linked;
    this.inputs = inputs;
    this.extents = extents;
    // The caller may write to an array as soon as the call is back.
    for (const input of this.inputs) {
      if (input.kind === "copy") this.copies.set(input, wordsOf(input));
    }
    this.elements = this.inputs.map((input) =>
      input.kind === "tensor" ? elementsOf(linked.queue, input.tensor) : undefined,
    );
    this.owners = ownersOf(layout, this.inputs);
    this.leaves = leavesOf(manifest.result);
    this.frame.own();
    this.isPlain =
      isPlain(manifest.result) || layout.results.some(({ kind }) => kind === "allocated");
    this.outputs = this.leaves.map((leaf, k) => this.output(leaf, k));
    const made = this.outputs.flatMap(({ elements }) => elements ?? []);
    this.outcome = new Outcome(
      layout,
      this.elements.flatMap((given) => given ?? []),
      made,
    );
  }

  /** Starts the call, and gives its result or the promise of it. */
  result(): unknown {
    const { linked, isPlain } = this;
    const { ready, queue } = linked;
    if (!isPlain) {
      const fail = (error: unknown): void => this.outcome.fail(error);
      queue.inOrder({ ready, run: (gpu) => void this.run(gpu), fail });
      this.takeOver();
      return this.built(() => undefined);
    }
    return this.later((_, run) => run());
  }

  /** As `result`, always as a promise. What `record` is given starts the work. */
  later(record: Recorder): Promise<unknown> {
    const { ready, queue } = this.linked;
    const promise = new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        this.outcome.fail(error);
        reject(error);
      };
      const run = (gpu: Gpu): void => {
        const read = record(gpu, () => this.run(gpu));
        read.then((values) => resolve(this.built((k) => values[k])), reject);
      };
      queue.inOrder({ ready, run, fail });
    });
    this.takeOver();
    return promise;
  }

  get manifest(): Manifest {
    return this.linked.manifest;
  }

  /** Runs something that starts the work, and notes its launches. */
  observed<T>(launches: TimedLaunch[], run: () => T): T {
    const { linked } = this;
    linked.observer = launches;
    try {
      return run();
    } finally {
      linked.observer = undefined;
    }
  }

  private output(leaf: Leaf, k: number): Output {
    const { queue, manifest } = this.linked;
    const place = manifest.layout.results[k];
    if (leaf.as !== "tensor" || place?.kind === "allocated") {
      return { leaf, elements: undefined, tensor: undefined };
    }
    const shape = shapeOf(leaf, this.extents);
    const owner = this.owners.get(k);
    const input = owner === undefined ? undefined : this.inputs[owner];
    if (input?.kind === "tensor" && owner !== undefined) {
      const elements = this.elements[owner];
      return { leaf, elements, tensor: Tensor.heirOf(input.tensor, shape, movedOnRemote) };
    }
    const elements =
      place?.kind === "stored"
        ? new Elements(queue, this.frame, place.offset)
        : new Elements(queue, new Region());
    const storage = onRemote(leaf.dtype, countOf(shape), elements);
    return { leaf, elements, tensor: new Tensor(storage, shape, leaf.dtype) };
  }

  private built(plain: (k: number) => unknown): unknown {
    let k = 0;
    return buildResult(this.linked.manifest.result, () => {
      const at = k++;
      return this.outputs[at]?.tensor ?? plain(at);
    });
  }

  /** Arguments that the program takes over are empty after the call. */
  private takeOver(): void {
    const { layout, name } = this.linked.manifest;
    for (const tensor of donatedOf(layout, this.inputs)) Tensor.takeOver(tensor, name);
  }

  /** Records the work; the values of the leaves that are no tensors, later. */
  private run(gpu: Gpu): Promise<readonly unknown[]> {
    const { linked, extents, outputs } = this;
    const { layout } = linked.manifest;
    const { memory } = gpu;
    const own: number[] = [];
    const allocate = (bytes: number): number => {
      const at = memory.allocate(bytes);
      own.push(at);
      return at;
    };
    linked.handed.clear();
    gpu.enter(this.outcome);
    try {
      const operands = this.inputs.map((input, k) => {
        if (input.kind === "scalar") return input.value;
        if (input.kind === "tensor") return (this.elements[k] as Elements).address;
        const words = this.copies.get(input) as ReturnType<typeof toWords>;
        const at = allocate(words.byteLength);
        gpu.write(at, words);
        return at;
      });
      const frameBytes = Math.max(0, ...layout.results.map(endInFrame), ...layout.bound.map(end));
      this.frame.place(gpu, frameBytes);
      const places = outputs.map(({ leaf, elements }, k): number => {
        const place = layout.results[k];
        if (place?.kind === "stored") return this.frame.address + place.offset;
        if (place?.kind !== "passed") return 0;
        const bytes = 4 * countOf(shapeOf(leaf, extents));
        if (elements === undefined) return allocate(bytes);
        if (!this.owners.has(k)) elements.region.place(gpu, bytes);
        return elements.address;
      });
      layout.results.forEach((place, k) => {
        if (place.kind === "passed") operands.push(places[k] as number);
      });
      for (const name of layout.symbols) operands.push(boundExtent(name, extents));
      let arena = 0;
      for (const sizes of layout.arena) arena += Math.ceil(slotSize(sizes, extents) / 16) * 16;
      operands.push(arena === 0 ? 0 : allocate(arena), this.frame.address);
      linked.run?.(...operands);
      return this.read(gpu, places);
    } finally {
      // Work that comes later may take the memory: it is done later.
      for (const at of own) memory.release(at);
      for (const at of linked.transient) memory.release(at);
      linked.transient.clear();
      this.frame.release();
    }
  }

  private async read(gpu: Gpu, places: readonly number[]): Promise<readonly unknown[]> {
    const { linked, extents, outputs } = this;
    const { layout } = linked.manifest;
    if (!this.isPlain) return [];
    for (const { symbol, offset } of layout.bound) {
      extents.set(symbol, linked.handed.get(offset) as number);
    }
    const plain = outputs.flatMap(({ leaf, tensor }, k) => {
      if (tensor !== undefined) return [];
      const place = layout.results[k];
      const shape = shapeOf(leaf, extents);
      const address =
        place?.kind === "allocated" ? linked.handed.get(place.offset) : (places[k] as number);
      return [{ k, leaf, shape, address: address as number, bytes: 4 * countOf(shape) }];
    });
    const parts = await gpu.read(plain);
    if (this.outcome.failed !== undefined) throw this.outcome.failed;
    const values: unknown[] = [];
    plain.forEach(({ k, leaf, shape }, at) => {
      const data = fromWords(parts[at] as ArrayBuffer, leaf.dtype);
      const place = layout.results[k];
      if (leaf.as === "tensor")
        values[k] = new Tensor(pool.onHost(leaf.dtype, data), shape, leaf.dtype);
      else if (place?.kind === "stored")
        values[k] = leaf.as === "boolean" ? data[0] !== 0 : data[0];
      else values[k] = plainArray(leaf, shape, data);
    });
    return values;
  }
}

function wordsOf(input: Copied): ReturnType<typeof toWords> {
  const { dtype } = input.leaf;
  const data = newArray(dtype, countOf(input.shape));
  writeInput(input, data);
  return toWords(data, dtype);
}

/** Slots of the frame have eight bytes each. */
function end({ offset }: { readonly offset: number }): number {
  return offset + 8;
}

function endInFrame(place: Manifest["layout"]["results"][number]): number {
  return place.kind === "stored" ? end(place) : 0;
}
