import { compile } from "fluxion";

export const f = compile((x: Float64Array) => {
  let value = 0;
  for (value of x) if (value > 1) break;
  return value;
});
