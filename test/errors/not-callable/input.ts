import { compile } from "fluxion";

export const f = compile((x: number, g: { h: number }) => {
  return (g.h as unknown as (x: number) => number)(x);
});
