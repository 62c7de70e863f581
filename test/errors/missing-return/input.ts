import { compile } from "fluxion";

export const f = compile((x: number) => {
  if (x > 0) {
    return x;
  }
});
