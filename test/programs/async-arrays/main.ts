/** Typed arrays and numbers, without tensors: the host and programs write them in turn. */

import { compile } from "fluxion";

export const main = async () => {
  const log: unknown[] = [];
  const smooth = compile(async (xs: Float64Array, rounds: number) => {
    let v = xs.slice();
    const w = v;
    let total = 0;
    for (let r = 0; r < rounds; r++) {
      const next = new Float64Array(v.length);
      for (let i = 0; i < v.length; i++) next[i] = v[i]! * 0.5 + (i > 0 ? v[i - 1]! : 0) * 0.25;
      let s = 0;
      for (const a of next) s += a * a;
      total += s;
      await Promise.resolve();
      v = next;
      v[0] = v[0]! + 1;
      log.push(s, next === v);
    }
    w[1] = 99;
    log.push(w === v, xs[1]);
    return { v, w, total };
  });

  const sorted = compile(async (xs: Float64Array, rows: readonly Float64Array[]) => {
    const order = Array.from(xs, (x, k) => [x, k] as const).sort(([a], [b]) => b - a);
    const out = new Float64Array(xs.length);
    let at = 0;
    for (const [x, k] of order) {
      let sum = 0;
      for (let i = 0; i < rows[0]!.length; i++) sum += rows[0]![i]! * x;
      out[at++] = sum + k;
      await Promise.resolve();
    }
    const half = out.map((x) => x / 2);
    const held = half;
    half[0] = -1;
    xs[0] = half[1]!;
    const again = held.map((x, i) => x + xs[i]!);
    log.push(held === half, again.indexOf(Math.max(...again)));
    return { out, half, again, counts: Uint8Array.from(out, (x) => x) };
  });

  const xs = Float64Array.of(1, 2, 3, 4);
  const rows = [Float64Array.of(1, 2), Float64Array.of(3, 4)];
  const results = [await smooth(xs, 3), await smooth(xs, 0), await sorted(xs, rows)];
  return { results, xs, rows, log };
};
export const tolerance = 1e-5;
