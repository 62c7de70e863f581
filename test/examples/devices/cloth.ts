/** How a cloth hangs in a wind, how far from there it hangs without one, and which wind it wants. */

import { compile, valueAndGrad } from "fluxion";
import { drape, loss, side } from "../../../examples/09-cloth/model.ts";
import { type OnEach, show } from "./show.ts";

const slopes = valueAndGrad(loss);
const programs: OnEach<{ hang: typeof drape; loss: typeof loss; slopes: typeof slopes }> = {
  wasm: { hang: compile(drape), loss: compile(loss), slopes: compile(slopes) },
  webgpu: {
    hang: compile(drape, { target: "webgpu" }),
    loss: compile(loss, { target: "webgpu" }),
    slopes: compile(slopes, { target: "webgpu" }),
  },
  webgl: {
    hang: compile(drape, { target: "webgl" }),
    loss: compile(loss, { target: "webgl" }),
    slopes: compile(slopes, { target: "webgl" }),
  },
};

const steps = 20;
const wind = Float64Array.from({ length: side }, (_, row) => 0.4 * Math.sin(row));

await show(programs, async (on) => {
  const seen = await on.hang(wind, steps);
  const calm = new Float64Array(side);
  return [seen, await on.loss(calm, seen, steps), ...(await on.slopes(calm, seen, steps))];
});
