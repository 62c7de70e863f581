/** What a problem gives the adapter: for each of its functions, the work that a message asks for. */

/** Arrays are made before the work: only `run` is timed, and `answer` is asked for once. */
export interface Work {
  readonly run: () => void;
  /** What the last run gave, as the message wants it. */
  readonly answer: () => unknown;
}

/** From the input of a message to its work. */
export type Prepare<Input> = (input: Input) => Work;

/** Inputs carry how long to run, except those of `hello`. */
export interface Runs {
  readonly min_runs?: number;
  readonly min_seconds?: number;
}

/** Work that is one call; `shape` makes plain JSON of what it gives. */
export function work<Result>(call: () => Result, shape: (result: Result) => unknown): Work {
  let result: Result | undefined;
  return {
    run() {
      result = call();
    },
    answer: () => (result === undefined ? undefined : shape(result)),
  };
}

/** A number as it is. */
export function plain(value: number): unknown {
  return value;
}

/** Rows of equal length, one after the other. */
export function flat(rows: readonly (readonly number[])[]): Float64Array {
  const width = rows[0]?.length ?? 0;
  const values = new Float64Array(rows.length * width);
  for (let row = 0; row < rows.length; row++) values.set(rows[row], row * width);
  return values;
}

/** The rows again. */
export function rows(values: Float64Array, count: number): readonly (readonly number[])[] {
  const width = count === 0 ? 0 : values.length / count;
  return Array.from({ length: count }, (_, row) =>
    Array.from(values.subarray(row * width, (row + 1) * width)),
  );
}
