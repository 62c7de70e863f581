/** The benchmark: this library beside its peers, in one run, turn by turn. */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Measurement, measure, type Workload } from "./harness.ts";
import { limitOf } from "./limit.ts";
import { workloads as cnn } from "./workloads/cnn.ts";
import { workloads as gradbench } from "./workloads/gradbench.ts";
import { workloads as matmul } from "./workloads/matmul.ts";
import { workloads as mlp } from "./workloads/mlp.ts";

const all: readonly Workload[] = [...matmul, ...mlp, ...cnn, ...gradbench].map((workload) => ({
  ...workload,
  systems: {
    ...workload.systems,
    ...(workload.flops === undefined ? {} : { limit: limitOf(workload.flops) }),
  },
}));

const help = `Times this library beside its peers, in one process, turn by turn.

  npm run bench -- [workload…] [options]

  --json             one JSON object a line instead of a table
  --systems A,B      only these systems
  --seconds N        time for each system on each workload; default 2
  --help             this text

workloads: ${all.map(({ name }) => name).join(", ")}
All of them where none is named; a beginning, such as gradbench, names all that begin so.`;

process.on("SIGINT", () => process.exit(130));

const { values, positionals } = readArguments();
if (values.help) {
  console.log(help);
  process.exit(0);
}
installPeers();
const chosen = all.filter(
  ({ name }) => positionals.length === 0 || positionals.some((asked) => isNamed(name, asked)),
);
const systems = values.systems?.split(",");
const effort = { budget: Number(values.seconds) * 1000, minRuns: 15, maxRuns: 2000 };
const noise = quietly();
for (const workload of chosen) {
  const results = await measure(
    workload,
    (system) => systems === undefined || systems.includes(system),
    effort,
  );
  noise.restore();
  if (values.json) for (const result of results) console.log(JSON.stringify(result));
  else console.log(tableOf(workload.name, results));
}

/** `gradbench` names `gradbench-llsq-primal` and the others. */
function isNamed(name: string, asked: string): boolean {
  return name === asked || name.startsWith(`${asked}-`);
}

function readArguments() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        systems: { type: "string" },
        seconds: { type: "string", default: "2" },
        help: { type: "boolean", default: false },
      },
    });
    const unknown = parsed.positionals.filter(
      (asked) => !all.some(({ name }) => isNamed(name, asked)),
    );
    if (unknown.length > 0) throw new Error(`there is no workload ${unknown.join(", ")}`);
    if (!(Number(parsed.values.seconds) > 0)) throw new Error("--seconds needs a number above 0");
    return parsed;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
    process.exit(2);
  }
}

/** The peers are not dependencies of the project: they are fetched when they are first needed. */
function installPeers(): void {
  const folder = import.meta.dirname;
  if (existsSync(`${folder}/node_modules/@jax-js/jax`)) return;
  console.error("installing the peers in test/bench …");
  const options = { cwd: folder, stdio: ["ignore", "ignore", "inherit"] as const };
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent"], {
    ...options,
    stdio: [...options.stdio],
  });
}

/** Peers print advice while they load; a benchmark's output is its table. */
function quietly(): { restore: () => void } {
  const { warn, log } = console;
  console.warn = () => {};
  return {
    restore: () => {
      console.warn = warn;
      console.log = log;
    },
  };
}

function tableOf(name: string, results: readonly Measurement[]): string {
  const own = results.find(({ system }) => system === "fluxion-wasm");
  const rows = results.map((result) => {
    const rate = result.gflops === undefined ? "" : `${result.gflops.toFixed(1)} GFLOP/s`;
    const times = own === undefined ? "" : `${(result.median_ms / own.median_ms).toFixed(2)}×`;
    return [
      `  ${result.system.padEnd(20)}`,
      `${result.median_ms.toFixed(3)} ms`.padStart(12),
      rate.padStart(16),
      times.padStart(9),
      `  ${result.note ?? ""}`,
    ].join("");
  });
  return [name, ...rows].join("\n");
}
