/**
 * Threads that share the work of one program: workers of Node or of the browser, which have the
 * memory of all programs in common and take parts of kernels.
 */

import { type Crew, binaryOf, type Linked, team } from "./link.ts";
import { ownFunctions } from "./math.ts";
import { controlAddress } from "./memory.ts";
import { pool } from "./storage.ts";
import { type Hello, type Introduction, partBits, words, worker } from "./worker.ts";

const mostThreads = (1 << partBits) - 1;

/** As in `lang/device.ts`, where it is explained. */
export async function useThreads(count: number = hardwareThreads()): Promise<number> {
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(`useThreads: ${count} is no number of threads; pass 1 or more`);
  }
  const before = changing;
  const change = before.then(() => changeTo(Math.min(count, mostThreads)));
  changing = change.catch(() => undefined);
  return change;
}

/** Ends when the change under way has ended. */
let changing: Promise<unknown> = Promise.resolve();

async function changeTo(wanted: number): Promise<number> {
  team.crew = undefined;
  if (wanted === 1 || !mayShareMemory()) return 1;
  if (workers?.count !== wanted) {
    workers?.end();
    workers = undefined;
    const threads = await startThreads(wanted - 1);
    if (threads === undefined) return 1;
    if (team.share === undefined) await shareMemory();
    workers = new Workers(threads);
  }
  workers.wake();
  team.crew = workers;
  return wanted;
}

/** The threads that there are, in use or waiting. */
let workers: Workers | undefined;

function hardwareThreads(): number {
  return globalThis.navigator?.hardwareConcurrency ?? 1;
}

/** Pages may share memory only if they are cross-origin isolated. */
function mayShareMemory(): boolean {
  if (typeof SharedArrayBuffer === "undefined") return false;
  const { crossOriginIsolated } = globalThis as { readonly crossOriginIsolated?: boolean };
  return crossOriginIsolated !== false;
}

/** `(import "env" "memory" (memory 1 32767))` → `(memory 1 32767 shared)`: one bit of its limits. */
function shareImport(bytes: Uint8Array): void {
  const name = "memory";
  const at = bytes.findIndex((_, start) => {
    return [...name].every((letter, k) => bytes[start + k] === letter.charCodeAt(0));
  });
  const [kind, limits] = [at + name.length, at + name.length + 1];
  if (at < 0 || bytes[kind] !== 2 || bytes[limits] !== 1) {
    throw new Error("the code of a program imports no memory of limited size");
  }
  bytes[limits] = 3;
}

/** Moves the memory, and ties every program to the new one at once. */
async function shareMemory(): Promise<void> {
  const modules = new Map<Linked, WebAssembly.Module>();
  const living = (): readonly Linked[] =>
    team.programs.flatMap((program) => program.deref() ?? []).filter(({ module }) => module);
  // While these are compiled, more may be loaded.
  for (let open = living(); open.length > 0; open = living().filter((one) => !modules.has(one))) {
    for (const program of open) {
      if (program.code.kind !== "wasm") continue;
      modules.set(program, await WebAssembly.compile(binaryOf(program.code, shareImport)));
    }
  }
  pool.memory.move(sharedMemory);
  team.share = shareImport;
  for (const [program, module] of modules) program.link(module);
}

function sharedMemory(limits: WebAssembly.MemoryDescriptor): WebAssembly.Memory {
  return new WebAssembly.Memory({ ...limits, shared: true });
}

// Threads

interface Thread {
  readonly send: (message: unknown) => void;
  readonly end: () => void;
}

/** A worker of Node, as far as it is used here. */
interface NodeWorker {
  postMessage: (message: unknown) => void;
  terminate: () => unknown;
  unref: () => void;
  on: (event: "message" | "error", listener: (value: unknown) => void) => void;
}
type NodeWorkers = {
  readonly Worker: new (
    text: string,
    options: { readonly eval: true; readonly execArgv: readonly string[] },
  ) => NodeWorker;
};

/** Threads that are running; undefined where they cannot be had. */
async function startThreads(count: number): Promise<readonly Thread[] | undefined> {
  const started = await Promise.allSettled(Array.from({ length: count }, () => startThread()));
  const threads = started.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  if (threads.length === count) return threads;
  for (const thread of threads) thread.end();
  return undefined;
}

async function startThread(): Promise<Thread> {
  const functions = Object.entries(ownFunctions).map(([name, fn]) => `${name}: ${String(fn)}`);
  const call = (listen: string, answer: string): string =>
    `(${String(worker)})(${listen}, ${answer}, {${functions.join(",\n")}});`;
  const isNode = (globalThis as { readonly process?: { readonly versions?: { node?: string } } })
    .process?.versions?.node;
  if (isNode !== undefined) {
    const module = "node:worker_threads";
    const { Worker: Thread } = (await import(/* @vite-ignore */ module)) as NodeWorkers;
    const text = `const { parentPort } = require("${module}");
${call(`(f) => parentPort.on("message", f)`, "(m) => parentPort.postMessage(m)")}`;
    // Loaders and the like that this process was started with are of no use there.
    const thread = new Thread(text, { eval: true, execArgv: [] });
    await new Promise((resolve, reject) => {
      thread.on("message", resolve);
      thread.on("error", reject);
      thread.postMessage("start");
    });
    // A process whose work is done ends, threads or not.
    thread.unref();
    return { send: (message) => thread.postMessage(message), end: () => void thread.terminate() };
  }
  const text = call("(f) => addEventListener('message', ({ data }) => f(data))", "postMessage");
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const thread = new Worker(url);
  await new Promise((resolve, reject) => {
    thread.addEventListener("message", resolve, { once: true });
    thread.addEventListener("error", reject, { once: true });
    thread.postMessage("start");
  });
  URL.revokeObjectURL(url);
  return { send: (message) => thread.postMessage(message), end: () => thread.terminate() };
}

class Workers implements Crew {
  readonly count: number;
  private readonly threads: readonly Thread[];
  private readonly control: Int32Array;
  private serial = 0;
  /** Programs with a lower number are known to the threads, or need none. */
  private known = 0;

  constructor(threads: readonly Thread[]) {
    this.threads = threads;
    this.count = threads.length + 1;
    const { memory } = pool.memory;
    this.control = new Int32Array(memory.buffer, controlAddress, 16);
    this.control.fill(0);
    this.post((thread): Hello => ({ memory, controlAddress, words, partBits, thread }));
  }

  /** Tells the threads about the programs that they do not know, and to look for work. */
  wake(): void {
    for (const reference of team.programs.slice(this.known)) {
      const program = reference.deref();
      if (program !== undefined) this.add(program);
    }
    this.known = team.programs.length;
    this.ring();
  }

  add = (program: Linked): void => {
    const { number, module, constants, layout, task } = program;
    this.known = Math.max(this.known, number + 1);
    if (module === undefined || task === undefined) return;
    const { imports } = layout;
    this.post((): Introduction => ({ program: number, module, constants, imports }));
  };

  fork = (program: Linked, kernel: number, parts: number): void => {
    const { control } = this;
    const task = program.task as NonNullable<Linked["task"]>;
    this.serial = (this.serial + 1) & (2 ** (31 - partBits) - 1);
    Atomics.store(control, words.program, program.number);
    Atomics.store(control, words.kernel, kernel);
    Atomics.store(control, words.parts, parts);
    Atomics.store(control, words.done, 0);
    Atomics.store(control, words.next, this.serial << partBits);
    this.ring();
    const mask = (1 << partBits) - 1;
    try {
      for (;;) {
        const next = Atomics.load(control, words.next);
        const part = next & mask;
        if (part >= parts) break;
        if (Atomics.compareExchange(control, words.next, next, next + 1) !== next) continue;
        try {
          task(kernel, 0, part, parts);
        } finally {
          Atomics.add(control, words.done, 1);
        }
      }
    } finally {
      while (Atomics.load(control, words.done) < parts);
    }
    if (Atomics.load(control, words.failed) === 0) return;
    Atomics.store(control, words.failed, 0);
    throw new Error(
      "a thread failed in its part of a kernel, for lack of memory perhaps, and the result is not " +
        "whole; `await useThreads(1)` goes on with one thread",
    );
  };

  end(): void {
    for (const { end } of this.threads) end();
  }

  /** Counted before it is sent: a thread that has it must not find that there is none. */
  private post(message: (thread: number) => unknown): void {
    Atomics.add(this.control, words.mail, 1);
    this.threads.forEach(({ send }, k) => send(message(k + 1)));
    this.ring();
  }

  private ring(): void {
    Atomics.add(this.control, words.bell, 1);
    Atomics.notify(this.control, words.bell);
  }
}
