import { compile } from "fluxion";

export const f = compile((x: number) => {
  let y!: number;
  return x + y;
});
