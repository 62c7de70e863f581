/** Times several systems on one workload in one process, turn by turn. */

/** One step of the workload, to be timed; gives a number that all systems that give one agree on. */
export type Step = () => number | undefined | Promise<number>;

export interface Workload {
  readonly name: string;
  /** Floating-point operations of a step, for rates. */
  readonly flops?: number;
  /** How far the first results of two systems may be apart, relatively; default 1e-3. */
  readonly tolerance?: number;
  /** Prepares a system: loads it, makes the inputs. */
  readonly systems: Readonly<Record<string, () => Promise<Step>>>;
  readonly notes?: Readonly<Record<string, string>>;
}

export interface Measurement {
  readonly workload: string;
  readonly system: string;
  readonly median_ms: number;
  readonly min_ms: number;
  readonly max_ms: number;
  readonly runs: number;
  readonly gflops?: number;
  readonly note?: string;
}

export interface Effort {
  /** Time to spend on each system, in milliseconds. */
  readonly budget: number;
  readonly minRuns: number;
  readonly maxRuns: number;
}

interface Runner {
  readonly system: string;
  readonly step: Step;
  readonly times: number[];
  readonly first: number | undefined;
  spent: number;
}

/**
 * Warms every system up, then times one step of each in turn until each has had its share. Turns
 * make all systems meet the same noise.
 */
export async function measure(
  workload: Workload,
  chosen: (system: string) => boolean,
  effort: Effort,
): Promise<readonly Measurement[]> {
  const runners: Runner[] = [];
  for (const [system, prepare] of Object.entries(workload.systems)) {
    if (!chosen(system)) continue;
    const step = await prepare();
    const first = await step();
    runners.push({ system, step, times: [], first, spent: 0 });
  }
  agree(workload, runners);
  for (const runner of runners) await warmUp(runner, effort.budget / 4);
  let unfinished = runners;
  while (unfinished.length > 0) {
    for (const runner of unfinished) {
      const start = performance.now();
      await runner.step();
      const time = performance.now() - start;
      runner.times.push(time);
      runner.spent += time;
    }
    unfinished = unfinished.filter(
      ({ times, spent }) =>
        times.length < effort.minRuns || (spent < effort.budget && times.length < effort.maxRuns),
    );
  }
  return runners.map(({ system, times }) => summary(workload, system, times));
}

async function warmUp(runner: Runner, budget: number): Promise<void> {
  const start = performance.now();
  for (let k = 0; k < 3 || (k < 50 && performance.now() - start < budget); k++) {
    await runner.step();
  }
}

/** Systems that compute different things are not worth timing. */
function agree({ name, tolerance = 1e-3 }: Workload, runners: readonly Runner[]): void {
  const computing = runners.filter(({ first }) => first !== undefined);
  const expected = computing[0]?.first ?? NaN;
  for (const { system, first = NaN } of computing) {
    if (Math.abs(first - expected) <= tolerance * Math.abs(expected)) continue;
    throw new Error(
      `${name}: ${computing[0]?.system} computes ${expected} and ${system} computes ${first}`,
    );
  }
}

function summary({ name, flops, notes }: Workload, system: string, times: number[]): Measurement {
  const sorted = times.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
  const rounded = (ms: number | undefined): number => Number((ms ?? NaN).toFixed(4));
  return {
    workload: name,
    system,
    median_ms: rounded(median),
    min_ms: rounded(sorted[0]),
    max_ms: rounded(sorted.at(-1)),
    runs: times.length,
    ...(flops === undefined ? {} : { gflops: Number((flops / median / 1e6).toFixed(2)) }),
    ...(notes?.[system] === undefined ? {} : { note: notes[system] }),
  };
}
