/** The flight of three bodies. */

import { compile } from "fluxion";
import { fly, system } from "../../../examples/06-n-body/model.ts";
import { type OnEach, show } from "./show.ts";

const programs: OnEach<{ fly: typeof fly }> = {
  wasm: { fly: compile(fly) },
  webgpu: { fly: compile(fly, { target: "webgpu" }) },
  webgl: { fly: compile(fly, { target: "webgl" }) },
};

await show(programs, (on) => on.fly(system, 0.5));
