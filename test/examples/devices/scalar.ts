/** A ball that bounces, and the slopes of its height. */

import { compile, valueAndGrad } from "fluxion";
import { height } from "../../../examples/01-scalar/main.ts";
import { type OnEach, show } from "./show.ts";

const slopes = valueAndGrad(height, { argnums: [0, 1] });
const programs: OnEach<{ slopes: typeof slopes }> = {
  wasm: { slopes: compile(slopes) },
  webgpu: { slopes: compile(slopes, { target: "webgpu" }) },
  webgl: { slopes: compile(slopes, { target: "webgl" }) },
};

await show(programs, (on) => on.slopes(5, 1.5));
