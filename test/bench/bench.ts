/** The benchmark: this library beside its peers, in one run, turn by turn. */

import { execFileSync, fork } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { swiftShaderEnvironment } from "../../transformer/cli/swiftShader.ts";
import type { Effort, Measurement, Workload } from "./harness.ts";
import { device, deviceVariable } from "./device.ts";
import type { News, Order } from "./one.ts";
import { own, tableOf, writeReport } from "./report.ts";
import { workloads } from "./workloads/index.ts";

const defaultReport = "out/bench/report.md";

const help = `Times this library beside its peers, turn by turn, each workload in a process of its own.

  npm run bench -- [workload…] [options]

  --json             one JSON object a line instead of a table
  --report [FILE]    also writes a table as Markdown, and a plot beside it, FILE being ….md;
                     default ${defaultReport}
  --systems A,B      only these systems
  --devices webgpu   a graphics device instead of the processor: this library, jax-js and tfjs
  --devices webgl    the same by WebGL, in a headless Chromium: this library and tfjs
  --seconds N        time for each system on each workload; default 2
  --help             this text

${columns("workloads", namesOf(workloads))}
${columns("systems", [...new Set(workloads.flatMap(({ systems }) => Object.keys(systems)))])}

All workloads where none is named; a beginning, such as gradbench, names all that begin so. The
number is the median; what fails is reported and the others go on. The exit status is 1 where one of
our own systems failed. The peers are installed in test/bench when they are first needed.`;

const { values, positionals } = readArguments();
if (values.help) {
  console.log(help);
  process.exit(0);
}
installPeers();
const chosen = workloads.filter(
  ({ name }) => positionals.length === 0 || positionals.some((asked) => isNamed(name, asked)),
);
const systems = values.systems?.split(",");
const effort: Effort = { budget: Number(values.seconds) * 1000, minRuns: 15, maxRuns: 2000 };
const all: Measurement[] = [];
process.on("SIGINT", () => process.exit(130));
for (const [k, workload] of chosen.entries()) {
  const results = await measureApart(workload, `[${k + 1}/${chosen.length}] ${workload.name}`);
  showProgress("");
  all.push(...results);
  if (values.json) for (const result of results) console.log(JSON.stringify(result));
  else if (results.length > 0) console.log(tableOf(workload.name, results));
}
if (values.report !== undefined) {
  const files = writeReport(values.report, all, process.argv.slice(2));
  console.error(`report: ${files.join(", ")}`);
}
process.exitCode = all.some((result) => own(result.system) && "failed" in result) ? 1 : 0;

/** `gradbench` names `gradbench-llsq-primal` and the others. */
function isNamed(name: string, asked: string): boolean {
  return name === asked || name.startsWith(`${asked}-`);
}

/**
 * Measures a workload in a process. A system that ends it has failed, and the others begin again
 * without it.
 */
async function measureApart(workload: Workload, title: string): Promise<readonly Measurement[]> {
  const failed: Measurement[] = [];
  let left = Object.keys(workload.systems).filter((name) => systems?.includes(name) ?? true);
  while (left.length > 0) {
    const answer = await inProcess({ workload: workload.name, systems: left, effort }, title);
    if ("measurements" in answer) return [...answer.measurements, ...failed];
    const { system = left[0] ?? "", reason } = answer;
    failed.push({ workload: workload.name, system, failed: reason });
    left = left.filter((name) => name !== system);
  }
  return failed;
}

interface Ended {
  /** What was running. */
  readonly system: string | undefined;
  readonly reason: string;
}

function inProcess(
  order: Order,
  title: string,
): Promise<{ readonly measurements: readonly Measurement[] } | Ended> {
  const child = fork(path.join(import.meta.dirname, "one.ts"), {
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    env: device === "wasm" ? process.env : { ...process.env, ...forGraphics() },
  });
  const stop = (): unknown => child.kill();
  process.once("exit", stop);
  child.send(order);
  let system: string | undefined;
  let complaint = "";
  let measurements: readonly Measurement[] | undefined;
  child.stderr?.on("data", (text: Buffer) => (complaint = `${complaint}${text}`.slice(-8000)));
  child.on("message", (news: News) => {
    if ("measurements" in news) ({ measurements } = news);
    else {
      ({ system } = news);
      showProgress(`${title} ${news.progress}`);
    }
  });
  return new Promise((done) => {
    child.on("close", (code, signal) => {
      process.off("exit", stop);
      if (measurements !== undefined) done({ measurements });
      else
        done({ system, reason: `ends its process (${signal ?? code}): ${lastError(complaint)}` });
    });
  });
}

/** The driver for processors, unless there is a graphics card to measure. */
function forGraphics(): Readonly<Record<string, string>> {
  const driver =
    process.env["FLUXION_ADAPTER"] === "hardware" ? {} : (swiftShaderEnvironment() ?? {});
  return { ...driver, [deviceVariable]: device, FLUXION_TARGET: device };
}

/** The line that says what went wrong, or else the last one. */
function lastError(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.find((line) => /error:/i.test(line)) ?? lines.at(-1) ?? "";
}

/** One line that is written over, where somebody watches. */
function showProgress(text: string): void {
  if (!process.stderr.isTTY) return;
  // A terminal that does not say how wide it is says 0.
  const width = process.stderr.columns || 80;
  process.stderr.write(`\r\x1b[K${text.slice(0, width - 1)}`);
}

function readArguments() {
  try {
    const parsed = parseArgs({
      args: withReport(process.argv.slice(2)),
      allowPositionals: true,
      options: {
        json: { type: "boolean", default: false },
        report: { type: "string" },
        systems: { type: "string" },
        devices: { type: "string" },
        seconds: { type: "string", default: "2" },
        help: { type: "boolean", default: false },
      },
    });
    refuseUnknown("workload", parsed.positionals, (asked) =>
      workloads.some(({ name }) => isNamed(name, asked)),
    );
    refuseUnknown("system", parsed.values.systems?.split(",") ?? [], (asked) =>
      workloads.some((workload) => asked in workload.systems),
    );
    const { devices = device } = parsed.values;
    if (devices !== device)
      throw new Error(`there is no device ${devices}; there are webgpu and webgl`);
    if (!(Number(parsed.values.seconds) > 0)) throw new Error("--seconds needs a number above 0");
    return parsed;
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${help}`);
    process.exit(2);
  }
}

/** The file after `--report` may be left out: one ends in `.md`, a workload does not. */
function withReport(args: readonly string[]): string[] {
  return args.flatMap((arg, k) =>
    arg === "--report" && args[k + 1]?.endsWith(".md") !== true
      ? [`--report=${defaultReport}`]
      : arg,
  );
}

function refuseUnknown(
  what: string,
  asked: readonly string[],
  isKnown: (name: string) => boolean,
): void {
  const unknown = asked.filter((name) => !isKnown(name));
  if (unknown.length > 0) throw new Error(`there is no ${what} ${unknown.join(", ")}`);
}

/** The names, those of GradBench as one. */
function namesOf(list: readonly Workload[]): readonly string[] {
  return [...new Set(list.map(({ name }) => name.replace(/^(gradbench-[^-]+)-.*/, "$1-{…}")))];
}

/** A list of names as wide as a terminal. */
function columns(title: string, names: readonly string[]): string {
  const lines = [`${title}:`];
  for (const name of names) {
    if (`${lines.at(-1)} ${name}`.length > 96) lines.push(" ");
    lines.push(`${lines.pop()} ${name}`);
  }
  return lines.join("\n");
}

/** The peers are not dependencies of the project: they are fetched when they are first needed. */
function installPeers(): void {
  const folder = import.meta.dirname;
  const needed = [
    "@jax-js/jax",
    "@tensorflow/tfjs",
    "@tensorflow/tfjs-backend-webgpu",
    "onnxruntime-web",
    "protobufjs",
  ];
  if (needed.every((name) => existsSync(`${folder}/node_modules/${name}`))) return;
  console.error("installing the peers in test/bench …");
  execFileSync("npm", ["install", "--no-audit", "--no-fund", "--silent"], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
