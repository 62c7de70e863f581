/** What the tests of patterns share: masks of a function, and where its derivative is not zero. */

import { dependence } from "../../compiler/autodiff/dependence.ts";
import { jvp } from "../../compiler/autodiff/jvp.ts";
import { type NdArray, ndarray } from "../../compiler/ir/ndarray.ts";
import type { Fn } from "../../compiler/ir/types.ts";
import { assertWellFormed } from "../../compiler/ops/check.ts";
import { interpret } from "../../compiler/ops/interpret.ts";
import { repairUniqueness } from "../../compiler/passes/copies.ts";
import { cleanUp } from "../../compiler/passes/simplify.ts";

/** For each active element, the elements of all results: 1 where they may depend on it. */
export type Pattern = readonly (readonly number[])[];

/** What the masks say, 32 active elements at a time. */
export function maskPattern(
  fn: Fn,
  inputs: readonly NdArray[],
  active: readonly boolean[],
): Pattern {
  const followed = dependence(fn, active);
  const cleaned = { ...followed, body: repairUniqueness(cleanUp(followed.body)) };
  assertWellFormed(cleaned, "dependence");
  const moving = inputs.filter((_, k) => active[k]);
  const size = moving.reduce((sum, { data }) => sum + data.length, 0);
  const rows: number[][] = [];
  for (let from = 0; from < size; from += 32) {
    let element = 0;
    const seeds = moving.map(({ shape, data }) =>
      ndarray(
        "i32",
        shape,
        Array.from(data, () => {
          const bit = element++ - from;
          return bit >= 0 && bit < 32 ? 1 << bit : 0;
        }),
      ),
    );
    const masks = interpret(cleaned, [...inputs, ...seeds]).slice(fn.body.results.length);
    const all = masks.flatMap(({ data }) => [...data]);
    for (let bit = 0; bit < Math.min(32, size - from); bit++) {
      rows.push(all.map((mask) => (mask >>> bit) & 1));
    }
  }
  return rows;
}

/** For each active element, the derivatives of all results by it. */
export function slopes(fn: Fn, inputs: readonly NdArray[], active: readonly boolean[]): Pattern {
  const tangents = jvp(fn, active);
  const moving = inputs.filter((_, k) => active[k]);
  return moving.flatMap(({ data }, k) =>
    Array.from(data, (_, n) => {
      const unit = moving.map((x, j) => ({
        ...x,
        data: x.data.map((__, i) => Number(j === k && i === n)),
      }));
      const results = interpret(tangents, [...inputs, ...unit]);
      return results.slice(fn.body.results.length).flatMap((slope) => [...slope.data]);
    }),
  );
}

export interface Comparison {
  /** Derivatives that are not zero, where the pattern has nothing. */
  missed: number;
  /** Those where it has something. */
  needed: number;
  /** Zeros in the pattern. */
  spare: number;
}

export function comparison(pattern: Pattern, values: Pattern): Comparison {
  const found = { missed: 0, needed: 0, spare: 0 };
  values.forEach((row, k) =>
    row.forEach((value, n) => {
      if (Number.isNaN(value)) return;
      if (pattern[k]?.[n] !== 1) found.missed += Number(value !== 0);
      else if (value === 0) found.spare++;
      else found.needed++;
    }),
  );
  return found;
}
