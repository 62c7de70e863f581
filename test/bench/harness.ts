/** Times several systems on one workload in one process, turn by turn. */

/** What a step measured itself, where it is not the time that it takes. */
export interface Reading {
  /** Milliseconds, or bytes. */
  readonly amount: number;
  readonly value?: number | undefined;
}

type Outcome = number | undefined | Reading;

/** One step of the workload, to be timed; gives a number that all systems that give one agree on. */
export type Step = () => Outcome | Promise<Outcome>;

export type Prepare = () => Promise<Step>;

export interface Workload {
  readonly name: string;
  /** What is measured; default: milliseconds. */
  readonly unit?: "ms" | "bytes";
  /** Floating-point operations of a step, for rates and for the limit. */
  readonly flops?: number;
  /** Bytes that a step cannot but read and write, for the limit where there are no `flops`. */
  readonly traffic?: Traffic;
  /** How far the first results of two systems may be apart, relatively; default 1e-3. */
  readonly tolerance?: number;
  /** A system that the notes of the others compare themselves with. */
  readonly baseline?: string;
  /** Steps of some seconds each: no warm-up, and this many of them. */
  readonly runs?: number;
  /** Prepares a system: loads it, makes the inputs. */
  readonly systems: Readonly<Record<string, Prepare>>;
  readonly notes?: Readonly<Record<string, string>>;
}

export interface Traffic {
  readonly read: number;
  readonly written: number;
}

interface Identity {
  readonly workload: string;
  readonly system: string;
  readonly note?: string;
}

export interface Timed extends Identity {
  readonly median_ms: number;
  readonly min_ms: number;
  readonly max_ms: number;
  readonly runs: number;
  readonly gflops?: number;
}

export interface Sized extends Identity {
  /** The median. */
  readonly bytes: number;
  readonly min_bytes: number;
  readonly max_bytes: number;
  readonly runs: number;
}

export interface Failed extends Identity {
  /** What went wrong. */
  readonly failed: string;
}

export type Measurement = Timed | Sized | Failed;

export interface Effort {
  /** Time to spend on each system, in milliseconds. */
  readonly budget: number;
  readonly minRuns: number;
  readonly maxRuns: number;
}

/** Hears what a system is about to do; `often` where that is a short step. */
export type Progress = (system: string, what: string, often: boolean) => void;

interface Runner {
  readonly system: string;
  readonly step: Step;
  /** Of the first steps, to be compared with those of other systems. */
  readonly values: readonly (number | undefined)[];
  readonly firstCall: number;
  readonly amounts: number[];
  spent: number;
  failed?: string;
}

/** A training step's second and third loss tell whether its gradients are right. */
const stepsCompared = 3;

/**
 * Warms every system up, then times one step of each in turn until each has had its share. Turns
 * make all systems meet the same noise. A system that fails is reported as such, and the others go
 * on.
 */
export async function measure(
  workload: Workload,
  chosen: (system: string) => boolean,
  effort: Effort,
  progress: Progress = () => {},
): Promise<readonly Measurement[]> {
  const runners: Runner[] = [];
  const systems = Object.entries(workload.systems).filter(([system]) => chosen(system));
  for (const [system, prepare] of systems) {
    progress(system, "first calls", false);
    runners.push(await begin(workload, system, prepare));
  }
  compare(workload, runners);
  for (const runner of runners) {
    progress(runner.system, "warming up", false);
    if (workload.runs === undefined) await guarded(runner, () => warmUp(runner, effort.budget / 4));
  }
  for (let round = 1; ; round++) {
    const unfinished = runners.filter((runner) => isUnfinished(workload, runner, effort));
    if (unfinished.length === 0) break;
    for (const runner of unfinished) {
      progress(runner.system, `round ${round}`, true);
      await guarded(runner, async () => {
        const { amount, elapsed } = await timed(runner.step);
        runner.amounts.push(amount);
        runner.spent += elapsed;
      });
    }
  }
  return summaries(workload, runners);
}

/** Prepares a system and takes its first steps. */
async function begin({ unit, runs }: Workload, system: string, prepare: Prepare): Promise<Runner> {
  try {
    const step = await prepare();
    const first = await timed(step);
    const values = [first.value];
    // What is measured by a process, or once, is the same each time.
    const again = unit === "bytes" || runs !== undefined ? 0 : stepsCompared - 1;
    for (let k = 0; k < again; k++) values.push((await timed(step)).value);
    return { system, step, values, firstCall: first.elapsed, amounts: [], spent: 0 };
  } catch (error) {
    const step = () => undefined;
    const failed = messageOf(error);
    return { system, step, values: [], firstCall: NaN, amounts: [], spent: 0, failed };
  }
}

async function timed(step: Step) {
  const start = performance.now();
  const outcome = await step();
  const elapsed = performance.now() - start;
  if (typeof outcome !== "object") return { elapsed, amount: elapsed, value: outcome };
  return { elapsed, ...outcome };
}

async function guarded(runner: Runner, run: () => Promise<void>): Promise<void> {
  if (runner.failed !== undefined) return;
  try {
    await run();
  } catch (error) {
    runner.failed = messageOf(error);
  }
}

async function warmUp(runner: Runner, budget: number): Promise<void> {
  const start = performance.now();
  for (let k = 0; k < 50; k++) {
    const elapsed = performance.now() - start;
    if (elapsed > (k < 3 ? 4 * budget : budget)) break;
    await runner.step();
  }
}

/** A slow system has had enough turns when it has spent several shares. */
function isUnfinished(
  { runs }: Workload,
  { amounts, spent, failed }: Runner,
  { budget, minRuns, maxRuns }: Effort,
): boolean {
  if (failed !== undefined) return false;
  const count = amounts.length;
  if (runs !== undefined) return count < runs;
  if (count < Math.min(3, minRuns)) return true;
  if (count < minRuns) return spent < 5 * budget;
  return spent < budget && count < maxRuns;
}

/** Systems that compute different things are not worth timing: a system that disagrees has failed. */
function compare({ tolerance = 1e-3 }: Workload, runners: readonly Runner[]): void {
  const [first, ...others] = runners.filter(({ values }) => values.some((v) => v !== undefined));
  if (first === undefined) return;
  for (const other of others) {
    const differs = first.values.findIndex((expected, k) => {
      const value = other.values[k];
      if (expected === undefined || value === undefined) return false;
      return !(Math.abs(value - expected) <= tolerance * Math.abs(expected));
    });
    if (differs < 0) continue;
    const [value, expected] = [other.values[differs], first.values[differs]];
    other.failed = `computes ${value} in step ${differs + 1}, where ${first.system} computes ${expected}`;
  }
}

function summaries(workload: Workload, runners: readonly Runner[]): readonly Measurement[] {
  const { name, baseline, notes, unit = "ms", flops } = workload;
  const base = runners.find(({ system }) => system === baseline);
  const bottom = base === undefined ? undefined : medianOf(base.amounts);
  return runners.map((runner): Measurement => {
    const { system, amounts, failed } = runner;
    if (failed !== undefined) return { workload: name, system, failed };
    const median = medianOf(amounts);
    const remarks = [
      notes?.[system],
      bottom === undefined || runner === base
        ? undefined
        : `${(median - bottom).toFixed(1)} ms over ${baseline}`,
      firstCallNote(workload, runner, median),
    ].filter((remark) => remark !== undefined);
    const noted = remarks.length === 0 ? {} : { note: remarks.join("; ") };
    const [low, high] = [Math.min(...amounts), Math.max(...amounts)];
    if (unit === "bytes") {
      const identity = { workload: name, system, bytes: median, min_bytes: low, max_bytes: high };
      return { ...identity, runs: amounts.length, ...noted };
    }
    return {
      workload: name,
      system,
      median_ms: rounded(median),
      min_ms: rounded(low),
      max_ms: rounded(high),
      runs: amounts.length,
      ...(flops === undefined ? {} : { gflops: Number((flops / median / 1e6).toFixed(2)) }),
      ...noted,
    };
  });
}

/** A first call that compiles at run time is worth knowing. */
function firstCallNote(
  { runs, unit }: Workload,
  { firstCall }: Runner,
  median: number,
): string | undefined {
  if (runs !== undefined || unit === "bytes" || firstCall < 10 || firstCall < 2 * median) {
    return undefined;
  }
  return `first call ${firstCall.toFixed(0)} ms`;
}

function medianOf(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

function rounded(ms: number): number {
  return Number(ms.toFixed(4));
}

/** The first line of what an error says. */
function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message || error.name : String(error);
  return (text.split("\n")[0] ?? "").slice(0, 300);
}
