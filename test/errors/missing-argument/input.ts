import { compile } from "fluxion";

const scale = (x: number, by: number) => x * by;
export const f = compile((x: number) => {
  // @ts-expect-error: an argument is missing
  return scale(x);
});
