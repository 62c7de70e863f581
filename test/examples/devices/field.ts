/** The path through a neural field, how far it is from another one, and how that changes with the field. */

import { compile, valueAndGrad } from "fluxion";
import { initialField, loss, solve } from "../../../examples/05-neural-ode/model.ts";
import { type OnEach, show } from "./show.ts";

const slopes = valueAndGrad(loss);
const programs: OnEach<{ path: typeof solve; loss: typeof loss; slopes: typeof slopes }> = {
  wasm: { path: compile(solve), loss: compile(loss), slopes: compile(slopes) },
  webgpu: {
    path: compile(solve, { target: "webgpu" }),
    loss: compile(loss, { target: "webgpu" }),
    slopes: compile(slopes, { target: "webgpu" }),
  },
  webgl: {
    path: compile(solve, { target: "webgl" }),
    loss: compile(loss, { target: "webgl" }),
    slopes: compile(slopes, { target: "webgl" }),
  },
};

const start = Float64Array.of(1, 0);
const steps = 25;
const target = Float64Array.from({ length: 2 * steps }, (_, k) => Math.cos(0.1 * k));
const field = initialField(8);

await show(programs, async (on) => [
  await on.path(field, start, steps, 0.02),
  await on.loss(field, target, start, 0.02),
  ...(await on.slopes(field, target, start, 0.02)),
]);
