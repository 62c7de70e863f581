/** Numbers in order, a loss that sorts, and gradients that find their way back. */

import { compile, grad } from "fluxion";
import { robustLoss, sorted, trimmedMean } from "../../../examples/08-sorting-network/model.ts";
import { type OnEach, show } from "./show.ts";

const influence = grad(trimmedMean);
const slope = grad(robustLoss);
interface Roots {
  readonly sort: typeof sorted;
  readonly loss: typeof robustLoss;
  readonly influence: typeof influence;
  readonly slope: typeof slope;
}
const programs: OnEach<Roots> = {
  wasm: {
    sort: compile(sorted),
    loss: compile(robustLoss),
    influence: compile(influence),
    slope: compile(slope),
  },
  webgpu: {
    sort: compile(sorted, { target: "webgpu" }),
    loss: compile(robustLoss, { target: "webgpu" }),
    influence: compile(influence, { target: "webgpu" }),
    slope: compile(slope, { target: "webgpu" }),
  },
  webgl: {
    sort: compile(sorted, { target: "webgl" }),
    loss: compile(robustLoss, { target: "webgl" }),
    influence: compile(influence, { target: "webgl" }),
    slope: compile(slope, { target: "webgl" }),
  },
};

const xs = Float64Array.from({ length: 20 }, (_, k) => k / 5);
const ys = xs.map((x, k) => 1.2 * x - 0.5 + 0.15 * Math.sin(k * k) + (k % 6 === 0 ? 4 : 0));

await show(programs, async (on) => [
  await on.sort(Float64Array.of(3, -1, 4, 1.5, -5, 9, 2.6)),
  await on.loss(Float64Array.of(1, -0.3), xs, ys),
  await on.influence(Float64Array.of(3, -1, 4, 1.5, -5, 9, 2.6, 5)),
  await on.slope(Float64Array.of(1, -0.3), xs, ys),
]);
