/** Numbers in order, and a loss that sorts. */

import { compile } from "fluxion";
import { robustLoss, sorted } from "../../../examples/08-sorting-network/model.ts";
import { type OnEach, show } from "./show.ts";

const programs: OnEach<{ sort: typeof sorted; loss: typeof robustLoss }> = {
  wasm: { sort: compile(sorted), loss: compile(robustLoss) },
  webgpu: {
    sort: compile(sorted, { target: "webgpu" }),
    loss: compile(robustLoss, { target: "webgpu" }),
  },
  webgl: {
    sort: compile(sorted, { target: "webgl" }),
    loss: compile(robustLoss, { target: "webgl" }),
  },
};

const xs = Float64Array.from({ length: 20 }, (_, k) => k / 5);
const ys = xs.map((x, k) => 1.2 * x - 0.5 + 0.15 * Math.sin(k * k) + (k % 6 === 0 ? 4 : 0));

await show(programs, async (on) => [
  await on.sort(Float64Array.of(3, -1, 4, 1.5, -5, 9, 2.6)),
  await on.loss(Float64Array.of(1, -0.3), xs, ys),
]);
