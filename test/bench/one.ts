/**
 * One workload in this process, for `bench.ts`, which starts it: what was left by another workload
 * would slow it down, and what it does to itself ends it alone.
 */

import type { Effort, Measurement } from "./harness.ts";
import { measure } from "./harness.ts";
import { workloads } from "./workloads/index.ts";

export interface Order {
  readonly workload: string;
  /** Default: all. */
  readonly systems?: readonly string[] | undefined;
  readonly effort: Effort;
}

export type News =
  | { readonly progress: string; readonly system: string }
  | { readonly measurements: readonly Measurement[] };

// Peers print advice while they load.
for (const level of ["log", "info", "warn"] as const) console[level] = () => {};

// Whoever started this is gone.
process.once("disconnect", () => process.exit(1));
process.once("message", (order: Order) => void obey(order));

async function obey({ workload: name, systems, effort }: Order): Promise<void> {
  const workload = workloads.find((one) => one.name === name);
  if (workload === undefined) throw new Error(`there is no workload ${name}`);
  let told = 0;
  const tell = (system: string, what: string, often: boolean): void => {
    const now = performance.now();
    if (often && now - told < 200) return;
    told = now;
    process.send?.({ system, progress: `${system}: ${what}` } satisfies News);
  };
  const measurements = await measure(
    workload,
    (system) => systems === undefined || systems.includes(system),
    effort,
    tell,
  );
  process.send?.({ measurements } satisfies News, () => process.exit(0));
}
