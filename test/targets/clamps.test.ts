/** The greater and the lesser of lanes and a constant: what `Math` gives, signs of zeros and NaN too. */

import { expect, it } from "vitest";
import { arrayType, type DType, type Value } from "../../compiler/ir/types.ts";
import { tensor } from "../../runtime/tensor.ts";
import { compileFn, fnOf } from "../kernel/support.ts";

const special = [0, -0, 1, -1, 0.5, -2.5, Infinity, -Infinity, NaN, 3e-39, -3e-39];

it.each(
  (["f32", "f64"] as const).flatMap((dtype: DType) =>
    (["max", "min"] as const).flatMap((op) =>
      [0, -0, 1, -1, 6, Infinity, -Infinity].map((c) => [dtype, op, c] as const),
    ),
  ),
)("%s %s %s", async (dtype, op, c) => {
  const count = special.length;
  const fn = fnOf([arrayType(dtype, [count])], (b, [x]) => [
    b.binary(op, x as Value, b.full([count], c, dtype)),
    b.binary(op, b.full([count], c, dtype), x as Value),
  ]);
  const data = dtype === "f32" ? Float32Array.from(special) : Float64Array.from(special);
  const program = await compileFn(fn, "wasm");
  for (const result of program(tensor(data, [count], dtype))) {
    expect([...result.dataSync()]).toEqual([...data].map((x) => Math[op](x, c)));
  }
});
