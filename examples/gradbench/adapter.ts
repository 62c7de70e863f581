/** GradBench's protocol: messages as lines of JSON on standard input, answers on standard output. */

import { createInterface } from "node:readline";
import type { Prepare, Runs } from "./problem.ts";

interface Message {
  readonly id?: unknown;
  readonly kind?: unknown;
  readonly module?: unknown;
  readonly function?: unknown;
  readonly input?: unknown;
}

interface Timing {
  readonly name: string;
  readonly nanoseconds: number;
}

type Functions = Readonly<Record<string, unknown>>;

/** A problem is compiled when its module is asked for: one that fails leaves the others alone. */
const modules: Readonly<Record<string, () => Promise<Functions>>> = {
  hello: () => import("./hello.ts"),
  llsq: () => import("./llsq.ts"),
  lse: () => import("./lse.ts"),
  det: () => import("./det.ts"),
  ode: () => import("./ode.ts"),
  lstm: () => import("./lstm.ts"),
  gmm: () => import("./gmm.ts"),
  ba: () => import("./ba.ts"),
  ht: () => import("./ht.ts"),
  kmeans: () => import("./kmeans.ts"),
  particle: () => import("./particle.ts"),
  saddle: () => import("./saddle.ts"),
};

const defined = new Map<string, Functions>();

async function answer(line: string): Promise<object> {
  let message: Message | undefined;
  try {
    message = JSON.parse(line) as Message;
    const { id, kind } = message;
    if (kind === "start") return { id, tool: "fluxion" };
    if (kind === "define") return { id, ...(await define(message)) };
    if (kind === "evaluate") return { id, ...(await evaluate(message)) };
    return { id };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { id: message?.id ?? null, success: false, error: text };
  }
}

async function define({ module }: Message): Promise<object> {
  const start = process.hrtime.bigint();
  await functionsOf(module);
  return { success: true, timings: [timing("define", start)] };
}

async function functionsOf(module: unknown): Promise<Functions> {
  const name = String(module);
  const load = Object.hasOwn(modules, name) ? modules[name] : undefined;
  if (load === undefined) throw new Error(`there is no module "${name}"`);
  const functions = defined.get(name) ?? (await load());
  defined.set(name, functions);
  return functions;
}

/** At least once, and until both the runs and the seconds that are asked for are over. */
async function evaluate(message: Message): Promise<object> {
  const functions = await functionsOf(message.module);
  const name = String(message.function);
  const prepare = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (typeof prepare !== "function") throw new Error(`there is no function "${name}"`);

  const begin = process.hrtime.bigint();
  const { run, answer: output } = (prepare as Prepare<unknown>)(message.input);
  const timings = [timing("prepare", begin)];

  const { min_runs: runs = 1, min_seconds: seconds = 0 } = (message.input ?? {}) as Runs;
  const end = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9));
  for (let count = 0; count < Math.max(runs, 1) || process.hrtime.bigint() < end; count++) {
    const start = process.hrtime.bigint();
    run();
    timings.push(timing("evaluate", start));
  }
  return { success: true, output: output(), timings };
}

function timing(name: string, start: bigint): Timing {
  return { name, nanoseconds: Number(process.hrtime.bigint() - start) };
}

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  if (line.trim() !== "") process.stdout.write(`${JSON.stringify(await answer(line))}\n`);
}
