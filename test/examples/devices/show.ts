/** What the pages here do: compute where their address says, and tell the test. */

/** A number, or numbers in a structure of records, tuples and arrays. */
type Numbers = number | Float64Array | readonly Numbers[] | { readonly [key: string]: Numbers };

/** Functions that give promises on devices. */
type Later<P> = {
  readonly [K in keyof P]: P[K] extends (...args: infer A) => infer R
    ? (...args: A) => R | Promise<R>
    : never;
};

/** Programs for each target. */
export type OnEach<P> = Readonly<Record<"wasm" | "webgpu" | "webgl", Later<P>>>;

/**
 * Computes something with the programs for the target that the page is asked for (`?webgl`). The
 * numbers in it become the title of the page: a list for each part, which has a size of its own.
 */
export async function show<T>(
  programs: Readonly<Record<"wasm" | "webgpu" | "webgl", T>>,
  compute: (on: T) => unknown,
): Promise<void> {
  const target = location.search.slice(1) as keyof typeof programs;
  const found = (await compute(programs[target])) as Numbers;
  const parts = Array.isArray(found) ? (found as readonly Numbers[]) : [found];
  document.title = JSON.stringify(parts.map(listed));
}

/** What a page has found, to the test. */
export function tell(found: Numbers): void {
  document.title = JSON.stringify(listed(found));
}

function listed(value: Numbers): readonly number[] {
  if (typeof value === "number") return [value];
  if (value instanceof Float64Array) return Array.from(value);
  return Object.values(value).flatMap(listed);
}
