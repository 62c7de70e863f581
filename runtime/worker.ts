/**
 * What a thread does: it waits in the shared memory for a kernel, and takes parts of it. Its text is
 * all that a worker is given, so it needs nothing around it.
 */

/** Words of the control block, at `controlAddress`. */
export const words = {
  /** Serial number of the kernel under way, above eight bits with the next part to take. */
  next: 0,
  program: 1,
  kernel: 2,
  parts: 3,
  /** Parts that are done. */
  done: 4,
  /** Parts that ended with an error. */
  failed: 5,
  /** Messages that every thread was sent. */
  mail: 6,
  /** Changes with each kernel and each message: what threads wait for. */
  bell: 7,
} as const;

export type Words = typeof words;

/** The lower bits of `next`: parts of a kernel. */
export const partBits = 8;

/** What a thread is told first. */
export interface Hello {
  readonly memory: WebAssembly.Memory;
  readonly controlAddress: number;
  readonly words: Words;
  readonly partBits: number;
  readonly thread: number;
}

/** A program that the thread may be asked to run kernels of. */
export interface Introduction {
  readonly program: number;
  readonly module: WebAssembly.Module;
  readonly constants: number;
  readonly imports: readonly string[];
}

type Functions = Readonly<Record<string, unknown>>;

/** `listen` takes what is called with each message, `answer` sends one. */
export function worker(
  listen: (onMessage: (message: unknown) => void) => void,
  answer: (message: unknown) => void,
  ownFunctions: Functions,
): void {
  const tasks = new Map<number, (...numbers: number[]) => void>();
  let hello: Hello | undefined;
  let control = new Int32Array(0);
  let letters = 0;
  listen((message) => {
    if (message === "start") {
      answer("ready");
      return;
    }
    letters++;
    if (hello === undefined) {
      hello = message as Hello;
      control = new Int32Array(hello.memory.buffer, hello.controlAddress, 16);
    } else {
      const { program, module, constants, imports } = message as Introduction;
      const math: Record<string, unknown> = {};
      for (const name of imports) {
        math[name] = ownFunctions[name] ?? (Math as unknown as Functions)[name];
      }
      const { memory } = hello;
      const env = { memory, constants, fault() {}, allocate() {}, release() {}, fork() {} };
      const { exports } = new WebAssembly.Instance(module, {
        env,
        math: math as WebAssembly.ModuleImports,
      });
      tasks.set(program, exports["task"] as (...numbers: number[]) => void);
    }
    // Until there is another message, which the event loop brings
    const { words: at, partBits: bits, thread } = hello;
    const mask = (1 << bits) - 1;
    let idle = 0;
    for (;;) {
      const bell = Atomics.load(control, at.bell);
      if (Atomics.load(control, at.mail) !== letters) return;
      const next = Atomics.load(control, at.next);
      const part = next & mask;
      const parts = Atomics.load(control, at.parts);
      const task = tasks.get(Atomics.load(control, at.program));
      const kernel = Atomics.load(control, at.kernel);
      if (part >= parts || task === undefined) {
        // A kernel often follows soon: looking costs less than being woken.
        if (++idle > 20_000) Atomics.wait(control, at.bell, bell);
        continue;
      }
      // What was read belongs to the kernel whose part this is, or the part is somebody else's.
      if (Atomics.compareExchange(control, at.next, next, next + 1) !== next) continue;
      idle = 0;
      try {
        task(kernel, thread, part, parts);
      } catch {
        Atomics.add(control, at.failed, 1);
      }
      Atomics.add(control, at.done, 1);
    }
  });
}
