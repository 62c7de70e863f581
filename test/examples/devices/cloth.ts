/** How a cloth hangs in a wind, and how far from there it hangs without one. */

import { compile } from "fluxion";
import { drape, loss, side } from "../../../examples/09-cloth/model.ts";
import { type OnEach, show } from "./show.ts";

const programs: OnEach<{ hang: typeof drape; loss: typeof loss }> = {
  wasm: { hang: compile(drape), loss: compile(loss) },
  webgpu: {
    hang: compile(drape, { target: "webgpu" }),
    loss: compile(loss, { target: "webgpu" }),
  },
  webgl: {
    hang: compile(drape, { target: "webgl" }),
    loss: compile(loss, { target: "webgl" }),
  },
};

const steps = 20;
const wind = Float64Array.from({ length: side }, (_, row) => 0.4 * Math.sin(row));

await show(programs, async (on) => {
  const seen = await on.hang(wind, steps);
  return [seen, await on.loss(new Float64Array(side), seen, steps)];
});
