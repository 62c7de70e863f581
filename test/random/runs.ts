/**
 * How many random programs a property is tried on. `FLUXION_RUNS` raises the number, and
 * `FLUXION_SEED` gives others than those of every day; `npm run test:long` sets both.
 */

export function runs(
  usual: number,
  seed: number,
): { readonly numRuns: number; readonly seed: number } {
  const asked = process.env["FLUXION_RUNS"];
  const other = process.env["FLUXION_SEED"];
  return {
    numRuns: asked === undefined ? usual : Math.max(usual, Number(asked)),
    seed: other === undefined ? seed : seed + 1000 * Number(other),
  };
}
