/** Data as literals: the same data again, and what it has in common once. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { literals } from "../../transformer/literal.ts";
import { runs } from "../random/runs.ts";

/** What the expressions give where the functions are. */
function evaluated(data: readonly unknown[]): unknown {
  const { texts, functions } = literals(data, "data_");
  return new Function(`${functions.join("\n")}\nreturn [${texts.join(", ")}];`)();
}

const tree = fc.letrec<{ readonly value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(null, true, 3, -0.5, "text", 'quote " and \\', "a key that is longer"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom("kind", "fields", "a b", "0", "x1"), tie("value"), {
      maxKeys: 4,
    }),
  ),
})).value;

test("data comes back", () => {
  fc.assert(
    fc.property(fc.array(tree, { maxLength: 4 }), (data) => {
      // The second time, everything has been written.
      expect(evaluated([...data, ...data])).toEqual([...data, ...data]);
    }),
    runs(300, 31),
  );
});

test("fields without a value are left out", () => {
  expect(evaluated([{ a: undefined, b: 1 }])).toEqual([{ b: 1 }]);
});

test("what occurs again is written once, in other data too", () => {
  const leaf = { kind: "leaf", as: "tensor", dtype: "f32", shape: [784, 256] };
  const { texts, functions } = literals([{ x: leaf }, { y: leaf, z: [leaf] }], "data_");
  expect(texts).toEqual(["{ x: data_0() }", "{ y: data_0(), z: [data_0()] }"]);
  expect(functions).toEqual([
    'function data_0() { return { kind: "leaf", as: "tensor", dtype: "f32", shape: [784, 256] }; }',
  ]);
});
