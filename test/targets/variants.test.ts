/** A binary told as changes of another one. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { editsBetween } from "../../compiler/targets/wasm/variants.ts";
import { runs } from "../random/runs.ts";

const bytes = fc.uint8Array({ maxLength: 60 });

it("is that binary again, and shorter where much is the same", () => {
  let shorter = 0;
  const pieces = fc.array(fc.tuple(fc.boolean(), bytes, bytes), { maxLength: 8 });
  const property = fc.property(pieces, (chosen) => {
    const join = (parts: readonly Uint8Array[]): Uint8Array =>
      Uint8Array.from(parts.flatMap((p) => [...p]));
    const from = join(chosen.map(([, a]) => a));
    const to = join(chosen.map(([isSame, a, b]) => (isSame ? a : b)));
    const edits = editsBetween(from, to);
    let at = 0;
    const made = edits.map((edit) => {
      if (edit instanceof Uint8Array) return edit;
      const [skip, length] = edit;
      at += skip + length;
      return from.subarray(at - length, at);
    });
    expect(join(made)).toEqual(to);
    const literal = edits.reduce(
      (sum, edit) => sum + (edit instanceof Uint8Array ? edit.length : 0),
      0,
    );
    if (literal < to.length) shorter++;
  });
  fc.assert(property, runs(300, 19));
  expect(shorter).toBeGreaterThan(50);
});
