/**
 * What a user meets before the first step, and around it: how long a fresh process takes to a first
 * gradient, how large a training program is, how much memory it takes, how long it is compiled. The
 * programs are in `apps/`.
 */

import { execFile } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import type { Prepare, Reading, Workload } from "../harness.ts";

const bench = path.resolve(import.meta.dirname, "..");
const bundles = () => import("../bundles.ts");

/** What a program prints, in a Node of its own. */
async function printed(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, TFJS_WASM: (await bundles()).tfjsWasmFolder() };
  try {
    return (await promisify(execFile)(process.execPath, args, { env })).stdout;
  } catch (error) {
    const { stderr = "" } = error as { readonly stderr?: string };
    const said = stderr.split("\n").find((line) => line.includes("Error: "));
    throw new Error(said ?? `${args[0]} fails`, { cause: error });
  }
}

const empty = "empty-process";

/** A gradient from nothing. The time is that of the whole process. */
function started(app: string): Prepare {
  return async () => {
    const file = await (await bundles()).bundleForNode(app);
    return async () => Number((await printed(file)).trim().split("\n").at(-1));
  };
}

/** Training, and the most bytes that the process held beyond those of an empty one. */
function trained(app: string): Prepare {
  return async () => {
    const file = await (await bundles()).bundleForNode(app);
    return async (): Promise<Reading> => {
      const without = await peakOf();
      const text = await printed(path.join(bench, "apps/peak.ts"), file);
      const [value] = text.split("\n").filter((line) => /^-?[\d.]+(e-?\d+)?$/.test(line));
      return { amount: peakIn(text) - without, value: Number(value) };
    };
  };
}

const peakOf = async (): Promise<number> => peakIn(await printed(path.join(bench, "apps/peak.ts")));

function peakIn(text: string): number {
  const [, bytes] = /^peak (\d+)$/m.exec(text) ?? [];
  if (bytes === undefined) throw new Error(`a process did not tell its memory: ${text}`);
  return Number(bytes);
}

function bundled(app: string, files: () => Promise<readonly string[]> = async () => []): Prepare {
  return async () => {
    const { gzippedBytes } = await bundles();
    return async (): Promise<Reading> => ({ amount: await gzippedBytes(app, await files()) });
  };
}

/** Both times of one process: a fresh compilation, and another after an edit. */
function compiled(which: "cold" | "edit"): Prepare {
  return async () => {
    const folder = path.join(bench, "out/compile");
    mkdirSync(folder, { recursive: true });
    const file = path.join(folder, `${which}.ts`);
    return async (): Promise<Reading> => {
      copyFileSync(path.join(bench, "own/gptProgram.ts"), file);
      const edit = ["learningRate: 0.01", "learningRate: 0.02"];
      const text = await printed(path.join(bench, "apps/compile.ts"), file, ...edit);
      return { amount: (JSON.parse(text) as Record<typeof which, number>)[which] };
    };
  };
}

export const workloads: readonly Workload[] = [
  {
    name: "cold-start",
    runs: 15,
    baseline: empty,
    tolerance: 1e-3,
    systems: {
      [empty]: async () => async () => {
        await printed("--eval", "");
        return undefined;
      },
      "fluxion-wasm": started("gradientFluxion"),
      "jax-js-wasm": started("gradientJax"),
      "tfjs-wasm": started("gradientTfjs"),
    },
  },
  {
    name: "bundle-size",
    unit: "bytes",
    runs: 1,
    systems: {
      "fluxion-wasm": bundled("trainFluxion"),
      "jax-js-wasm": bundled("trainJax"),
      "tfjs-wasm": bundled("trainTfjs", async () => [
        `${(await bundles()).tfjsWasmFolder()}tfjs-backend-wasm-simd.wasm`,
      ]),
    },
    notes: {
      "fluxion-wasm": "gzipped",
      "jax-js-wasm": "gzipped, without the backends that it loads on demand",
      "tfjs-wasm": "gzipped, with its WebAssembly",
    },
  },
  {
    name: "peak-memory",
    unit: "bytes",
    runs: 3,
    // A hundred steps of Adam.
    tolerance: 2e-2,
    systems: {
      "fluxion-wasm": trained("trainFluxion"),
      "jax-js-wasm": trained("trainJax"),
      "tfjs-wasm": trained("trainTfjs"),
    },
  },
  { name: "compile-time-cold", runs: 5, systems: { "fluxion-wasm": compiled("cold") } },
  { name: "compile-time-edit", runs: 5, systems: { "fluxion-wasm": compiled("edit") } },
];
