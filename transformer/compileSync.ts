/** The compiler, waited for: a worker compiles while this thread sleeps. For doors that are sync. */

import {
  MessageChannel,
  receiveMessageOnPort,
  type Worker as NodeWorker,
  Worker,
} from "node:worker_threads";
import type { Signature } from "../compiler/compile.ts";
import type { Diagnostic } from "../compiler/diagnostics/diagnostic.ts";
import type { Graph, Span } from "../compiler/ir/types.ts";
import type { RootSettings } from "./rootOptions.ts";
import type { Shipped } from "./ship.ts";

export interface CompileJob {
  readonly graph: Graph;
  readonly signature: Signature;
  readonly settings: RootSettings;
  /** Keep what kernels compute and come from. */
  readonly profile: boolean;
  /** Where the root stands, for faults that know no better place. */
  readonly root: Span;
}
export type CompileAnswer = { readonly shipped: Shipped } | { readonly fault: Diagnostic };

export interface SyncCompiler {
  readonly compile: (job: CompileJob) => CompileAnswer;
  readonly close: () => void;
}

/** Starts a worker; loading the compiler takes it about a second, once. */
export function syncCompiler(): SyncCompiler {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const signal = new Int32Array(new SharedArrayBuffer(4));
  const { port1, port2 } = new MessageChannel();
  const worker: NodeWorker = new Worker(new URL(`./compileWorker.${extension}`, import.meta.url), {
    workerData: { port: port2, signal },
    transferList: [port2],
  });
  worker.unref();
  return {
    compile(job) {
      Atomics.store(signal, 0, 0);
      port1.postMessage(job);
      Atomics.wait(signal, 0, 0);
      const received = receiveMessageOnPort(port1);
      if (received === undefined) throw new Error("the compiler gave no answer");
      return received.message as CompileAnswer;
    },
    close() {
      port1.close();
      void worker.terminate();
    },
  };
}
