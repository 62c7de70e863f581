/** Elementary functions of our own for vectors of singles, over their whole range. */

import { describe, expect, it } from "vitest";
import { arrayType, type Value } from "../../compiler/ir/types.ts";
import { tensor } from "../../runtime/tensor.ts";
import { compileFn, fnOf } from "../kernel/support.ts";

const spread = Array.from({ length: 4001 }, (_, k) => (k - 2000) / 2000);
const special = [0, -0, Infinity, -Infinity, NaN, 1e-40, -1e-40, 3.4e38, -3.4e38, 1e-20, 1, -1];

const cases: readonly (readonly [string, (x: number) => number, readonly number[]])[] = [
  ["exp", Math.exp, spread.map((x) => x * 105)],
  ["expm1", Math.expm1, [...spread.map((x) => x * 100), ...spread.map((x) => x * 1e-3)]],
  ["log", Math.log, [...spread.map((x) => 10 ** (x * 38)), ...spread.map((x) => 1 + x * 0.1)]],
  ["tanh", Math.tanh, [...spread.map((x) => x * 12), ...spread.map((x) => x * 1e-4)]],
];

describe("lanes of singles", () => {
  it.each(cases)("%s", async (name, exact, points) => {
    // Three more, so that the last vector is not whole.
    const inputs = Float32Array.from([...points, ...special, 0.5, 0.25, 0.125]);
    const fn = fnOf([arrayType("f32", [inputs.length])], (b, [x]) => [b.unary(name, x as Value)]);
    const [result] = (await compileFn(fn, "wasm"))(tensor(inputs));
    const actual = result?.dataSync() ?? [];
    inputs.forEach((x, k) => {
      const [got, want] = [actual[k] as number, Math.fround(exact(x))];
      if (Object.is(got, want) || got === want) return;
      const unit = Math.max(2 ** -149, Math.abs(want) * 2 ** -23);
      const error = Math.abs(got - exact(x)) / unit;
      expect(error, `${name}(${x}) is ${got}, not ${want}`).toBeLessThan(3);
    });
  });
});
