/** Steps of a descent to a line. */

import { compile } from "fluxion";
import { descend, type Line, xs, ys } from "../../../examples/02-linear-regression/main.ts";
import { type OnEach, show } from "./show.ts";

const programs: OnEach<{ step: typeof descend }> = {
  wasm: { step: compile(descend) },
  webgpu: { step: compile(descend, { target: "webgpu" }) },
  webgl: { step: compile(descend, { target: "webgl" }) },
};

await show(programs, async ({ step }) => {
  let line: Line = { weights: new Float64Array(3), bias: 0 };
  for (let k = 0; k < 5; k++) ({ line } = await step(line, xs, ys, 0.1));
  return line;
});
