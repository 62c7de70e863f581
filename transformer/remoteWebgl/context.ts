/**
 * WebGL for programs in Node: a context in a page of a headless Chromium. Commands are sent in
 * batches; where a result is asked for, this thread waits for it, as it would in a page.
 */

import { rmSync } from "node:fs";
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  Worker,
} from "node:worker_threads";
import { NoDevice } from "../../runtime/gpu/gpu.ts";
import { findChromium } from "./chromium.ts";
import { type Argument, type CommandOf, isQuestion, makers, packed, unpacked } from "./protocol.ts";

/** Commands and bytes that wait until somebody asks, or that many are there. */
const mostCommands = 500;
const mostBytes = 2 ** 22;

/** Opens a context in a browser of its own, which ends with this process. */
export async function openRemoteContext(): Promise<WebGL2RenderingContext> {
  const browser = await findChromium();
  if (browser === undefined) {
    throw new NoDevice(
      "WebGL needs a browser, and none was found: install Chromium, or @sparticuz/chromium " +
        '(npm install --save-dev @sparticuz/chromium), or compile with target: "wasm"',
    );
  }
  process.stderr.write("WebGL runs in a headless Chromium\n");
  return new Remote(browser.path, browser.flags).context();
}

class Remote {
  private readonly port: MessagePort;
  private readonly signal = new Int32Array(new SharedArrayBuffer(4));
  private commands: CommandOf[] = [];
  private bytes: Uint8Array[] = [];
  private size = 0;
  private count = 0;
  private readonly numbers = new WeakMap<object, number>();
  private readonly lost: (() => void)[] = [];

  constructor(browser: string, flags: readonly string[]) {
    const { port1, port2 } = new MessageChannel();
    this.port = port1;
    const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
    const worker = new Worker(new URL(`./worker.${extension}`, import.meta.url), {
      workerData: { port: port2, signal: this.signal, browser, flags },
      transferList: [port2],
    });
    worker.unref();
  }

  context(): WebGL2RenderingContext {
    const { pid, folder } = this.received() as { readonly pid: number; readonly folder: string };
    process.on("exit", () => {
      try {
        process.kill(pid);
      } catch {
        // It has ended by itself.
      }
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    });
    const { constants } = this.replied().head as {
      readonly constants?: Readonly<Record<string, number>>;
    };
    if (constants === undefined) {
      throw new NoDevice("the Chromium that was found has no WebGL 2: update it, or its driver");
    }
    const canvas = {
      addEventListener: (name: string, listener: () => void) => {
        if (name === "webglcontextlost") this.lost.push(listener);
      },
    };
    const methods = new Map<string, unknown>();
    return new Proxy({} as WebGL2RenderingContext, {
      get: (_, name) => {
        if (typeof name !== "string" || name === "then") return undefined;
        if (name === "canvas") return canvas;
        if (Object.hasOwn(constants, name)) return constants[name];
        let method = methods.get(name);
        if (method === undefined) {
          method = (...given: unknown[]) => this.call(name, given);
          methods.set(name, method);
        }
        return method;
      },
    });
  }

  private call(method: string, given: readonly unknown[]): unknown {
    const isFilled = method === "getBufferSubData" || isRead(method, given);
    const list = given.map((each) => this.argument(each, isFilled));
    if (makers.has(method)) {
      const object = {};
      const made = this.count++;
      this.numbers.set(object, made);
      this.add({ method, arguments: list, made });
      return object;
    }
    this.add({ method, arguments: list });
    if (isFilled) {
      const target = given.find((each) => ArrayBuffer.isView(each)) as ArrayBufferView;
      const { all, start } = this.ask();
      const { buffer, byteOffset, byteLength } = target;
      new Uint8Array(buffer, byteOffset, byteLength).set(all.subarray(start, start + byteLength));
      return undefined;
    }
    if (isQuestion(method)) return (this.ask().head as { readonly value?: unknown }).value;
    if (method === "flush" || this.commands.length > mostCommands || this.size > mostBytes) {
      this.send(false);
    }
    return undefined;
  }

  private add(command: CommandOf): void {
    this.commands.push(command);
  }

  private argument(value: unknown, isFilled: boolean): Argument {
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteOffset, byteLength, constructor } = value;
      const type = constructor.name;
      if (isFilled) return { type, from: -1, length: byteLength };
      const from = this.size;
      // What is sent later is as it is now.
      this.bytes.push(new Uint8Array(buffer, byteOffset, byteLength).slice());
      this.size += Math.ceil(byteLength / 8) * 8;
      return { type, from, length: byteLength };
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      const object = this.numbers.get(value);
      if (object === undefined) throw new Error("an object of another context");
      return { object };
    }
    return value as Argument;
  }

  private send(isAsked: boolean): void {
    const { commands, bytes } = this;
    if (commands.length === 0) return;
    const batch = packed({ commands, isAsked }, bytes);
    this.commands = [];
    this.bytes = [];
    this.size = 0;
    this.port.postMessage(batch, [batch.buffer]);
  }

  private ask(): Reply {
    Atomics.store(this.signal, 0, 0);
    this.send(true);
    return this.replied();
  }

  private replied(): Reply {
    for (;;) {
      const all = this.received() as Uint8Array | { readonly failed: string };
      if ("failed" in all) throw new Error(`the browser with WebGL is gone: ${all.failed}`);
      const { head, start } = unpacked(all);
      const known = head as { readonly lost?: true; readonly thrown?: string };
      if (known.thrown !== undefined) throw new Error(`the page with WebGL: ${known.thrown}`);
      if (known.lost === undefined) return { head, start, all };
      for (const listener of this.lost) listener();
    }
  }

  private received(): unknown {
    for (;;) {
      const received = receiveMessageOnPort(this.port);
      if (received !== undefined) return received.message as unknown;
      Atomics.store(this.signal, 0, 0);
      Atomics.wait(this.signal, 0, 0, 20);
    }
  }
}

interface Reply {
  readonly head: unknown;
  readonly start: number;
  readonly all: Uint8Array;
}

/** True of `readPixels` into an array, and not into a buffer of the device. */
function isRead(method: string, given: readonly unknown[]): boolean {
  return method === "readPixels" && ArrayBuffer.isView(given.at(-1));
}
