import { compile } from "fluxion";

export const f = compile((x: number) => {
  const y = x;
  // @ts-expect-error: a constant
  y = 2;
  return y;
});
