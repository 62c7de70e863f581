/** The worker of `compileSync.ts`: compiles what it is sent, and wakes who waits. */

import { type MessagePort, workerData } from "node:worker_threads";
import { compile } from "../compiler/compile.ts";
import type { CompileAnswer, CompileJob } from "./compileSync.ts";
import { faultOf, placesFor } from "./plan.ts";
import { ship } from "./ship.ts";

const { port, signal } = workerData as { readonly port: MessagePort; readonly signal: Int32Array };

port.on("message", (job: CompileJob) => {
  void answer(job).then((message) => {
    port.postMessage(message);
    Atomics.store(signal, 0, 1);
    Atomics.notify(signal, 0);
  });
});

async function answer(job: CompileJob): Promise<CompileAnswer> {
  const { graph, signature, settings, root } = job;
  try {
    const options = { ...settings, ...placesFor(job) };
    return { shipped: await ship(graph, signature, options, compile, root) };
  } catch (error) {
    return { fault: faultOf(error, root, signature.name, settings.target) };
  }
}
