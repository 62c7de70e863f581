/** All workloads, each with the limit that the machine sets. */

import type { Workload } from "../harness.ts";
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

export const workloads: readonly Workload[] = [
  ...matmul,
  ...mlp,
  ...cnn,
  ...gpt,
  ...lstm,
  ...ode,
  ...convMobile,
  ...rows,
  ...logreg,
  ...processes,
  ...gradbench,
].map(limited);

function limited(workload: Workload): Workload {
  const { flops, traffic, systems } = workload;
  if (flops !== undefined) {
    return { ...workload, systems: { ...systems, limit: arithmeticLimit(flops) } };
  }
  if (traffic === undefined) return workload;
  return { ...workload, systems: { ...systems, limit: memoryLimit(traffic) } };
}
