/** What a call took, kernel by kernel. */

import type { KernelOrigin } from "./manifest.ts";

/**
 * What the times are of. `device`: of each launch of a kernel, by the clock of the device. `host`, for
 * devices without timestamps: of each launch, from when the host heard of the end of the one before to
 * when it heard of its own, the first one with the copies of arguments. `call`: of the whole call, by
 * the clock of the host; it is one row.
 */
export type Timing = "device" | "host" | "call";

/** When something began and ended, in milliseconds from the start of the profile. */
export type Interval = readonly [start: number, end: number];

export interface Times {
  readonly timing: Timing;
  /** Of each launch, in order; of a whole call, one. */
  readonly intervals: readonly Interval[];
}

/** All launches of a kernel from one place of the program. */
export interface KernelTime {
  /** What it computes, in the names of the program; `kernel 3` where the build kept no names. */
  readonly name: string;
  /** The lines that it computes, as `file:line`: several where code became one kernel. */
  readonly places: readonly string[];
  /** How often it was started. */
  readonly launches: number;
  /** Threads of all launches together. */
  readonly threads: number;
  /** Time of all launches together, in milliseconds. */
  readonly milliseconds: number;
  /** The part of the time of all kernels, 0 … 1; 0 where that time is 0. */
  readonly share: number;
}

/** A launch of the kernel with that number. */
export interface TimedLaunch {
  readonly number: number;
  readonly threads: number;
}

/** What one call gave, and what it took. As text it is a table. */
export class Profile<R = unknown> {
  /** What the program is called. */
  readonly name: string;
  readonly result: R;
  readonly timing: Timing;
  /** The kernels that were started, the longest first. */
  readonly kernels: readonly KernelTime[];
  /** Time of all kernels together, in milliseconds. */
  readonly milliseconds: number;
  private readonly events: readonly object[];

  constructor(
    name: string,
    result: R,
    { timing, intervals }: Times,
    launches: readonly TimedLaunch[],
    origins: readonly KernelOrigin[] = [],
  ) {
    this.name = name;
    this.result = result;
    this.timing = timing;
    const origin = (number: number): KernelOrigin =>
      origins[number] ?? { name: `kernel ${number}`, places: [] };
    let total = 0;
    const sums = new Map<number, [launches: number, threads: number, milliseconds: number]>();
    this.events = intervals.map(([start, end], k) => {
      const { number, threads } = launches[k] as TimedLaunch;
      const sum = sums.get(number) ?? [0, 0, 0];
      sums.set(number, sum);
      sum[0]++;
      sum[1] += threads;
      sum[2] += end - start;
      total += end - start;
      const { name: of, places } = origin(number);
      // Microseconds.
      const [ts, dur] = [1e3 * start, 1e3 * (end - start)];
      return { ph: "X", pid: 1, tid: 1, name: of, ts, dur, args: { places, threads } };
    });
    this.milliseconds = total;
    this.kernels = [...sums]
      .map(([number, [count, threads, milliseconds]]) => ({
        ...origin(number),
        launches: count,
        threads,
        milliseconds,
        share: total > 0 ? milliseconds / total : 0,
      }))
      .sort((a, b) => b.milliseconds - a.milliseconds);
  }

  /** The table, a line for each kernel, with the beginnings of long names. */
  toString(): string {
    const { kernels, milliseconds, name, timing } = this;
    const columns = [
      ["ms", ...kernels.map((kernel) => kernel.milliseconds.toFixed(3))],
      ["share", ...kernels.map(({ share }) => `${(100 * share).toFixed(1)} %`)],
      ["launches", ...kernels.map(({ launches }) => `${launches}`)],
      ["threads", ...kernels.map(({ threads }) => `${threads}`)],
      ["place", ...kernels.map(({ places }) => places.join(" "))],
      ["kernel", ...kernels.map((kernel) => shortened(kernel.name))],
    ].map((cells, column) => {
      const width = Math.max(...cells.map(({ length }) => length));
      return cells.map((cell) => (column < 4 ? cell.padStart(width) : cell.padEnd(width)));
    });
    const lines = ["", ...kernels].map((_, row) => {
      return columns
        .map((cells) => cells[row])
        .join("  ")
        .trimEnd();
    });
    return [`${name}: ${milliseconds.toFixed(3)} ms, timed by ${timing}`, ...lines].join("\n");
  }

  /**
   * All launches as JSON, a Chrome trace: write it to a file, and open that in Perfetto
   * (ui.perfetto.dev) or chrome://tracing.
   */
  trace(): string {
    const args = { name: this.name };
    const title = { ph: "M", pid: 1, tid: 1, name: "process_name", args };
    return JSON.stringify({ traceEvents: [title, ...this.events], displayTimeUnit: "ms" });
  }
}

function shortened(name: string): string {
  return name.length > 72 ? `${name.slice(0, 71)}…` : name;
}

/** Calls a function of the host, which so many threads share. */
export async function profileCall<R>(
  name: string,
  call: () => R,
  threads: number,
): Promise<Profile<Awaited<R>>> {
  const start = performance.now();
  const result = await call();
  const times: Times = { timing: "call", intervals: [[0, performance.now() - start]] };
  return new Profile(name, result, times, [{ number: 0, threads }], [{ name, places: [] }]);
}
