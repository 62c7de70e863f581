/** All workloads, each with the limit that the machine sets. */

import { useThreads } from "fluxion";
import { device } from "../device.ts";
import type { Prepare, Workload } from "../harness.ts";
import { arithmeticLimit, memoryLimit } from "../limit.ts";
import { workloads as cnn } from "./cnn.ts";
import { workloads as convMobile } from "./convMobile.ts";
import { workloads as gpt } from "./gpt.ts";
import { workloads as gradbench } from "./gradbench.ts";
import { workloads as logreg } from "./logreg.ts";
import { workloads as lstm } from "./lstm.ts";
import { workloads as matmul } from "./matmul.ts";
import { workloads as mlp } from "./mlp.ts";
import { workloads as ode } from "./ode.ts";
import { workloads as processes } from "./processes.ts";
import { workloads as rows } from "./rows.ts";

const tensors = [...matmul, ...mlp, ...cnn, ...gpt, ...lstm, ...convMobile, ...rows];

/** Peers with WebGL. */
const withWebgl = /^(fluxion|tfjs)-wasm$/;
const withWebgpu = /^(fluxion|jax-js|tfjs)-wasm$/;

export const workloads: readonly Workload[] =
  device === "wasm"
    ? [...tensors.map(threaded), ...ode, ...logreg, ...processes, ...gradbench].map(limited)
    : tensors.map(onGraphics);

/** The systems that have a form for graphics devices. The target of the build is that of ours. */
function onGraphics(workload: Workload): Workload {
  const has = device === "webgl" ? withWebgl : withWebgpu;
  const systems = Object.entries(workload.systems).flatMap(([name, prepare]) =>
    has.test(name) ? [[name.replace("wasm", device), prepare]] : [],
  );
  return { ...workload, systems: Object.fromEntries(systems) as Workload["systems"] };
}

function limited(workload: Workload): Workload {
  const { flops, traffic, systems } = workload;
  if (flops !== undefined) {
    return { ...workload, systems: { ...systems, limit: arithmeticLimit(flops) } };
  }
  if (traffic === undefined) return workload;
  return { ...workload, systems: { ...systems, limit: memoryLimit(traffic) } };
}

/** With a system more where threads have something to do. */
function threaded(workload: Workload): Workload {
  const { "fluxion-wasm": alone, ...others } = workload.systems;
  if (alone === undefined) return workload;
  const systems = { "fluxion-wasm": alone, "fluxion-wasm-threads": inThreads(alone), ...others };
  return { ...workload, systems };
}

/** The threads are there for a step only, and wait while it is the turn of others. */
function inThreads(prepare: Prepare): Prepare {
  return async () => {
    const step = await prepare();
    return async () => {
      await useThreads();
      // They have been asleep, which they are not in a loop.
      await new Promise(setImmediate);
      const start = performance.now();
      const outcome = await step();
      const amount = performance.now() - start;
      await useThreads(1);
      return typeof outcome === "object" ? outcome : { amount, value: outcome };
    };
  };
}
