import { compile } from "fluxion";

let total = 0;
const log = new Float64Array(3);
export const f = compile((x: number) => {
  total += x;
  log[0] = x;
  return x;
});
