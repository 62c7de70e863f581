import { compile } from "fluxion";

export const f = compile((x: number) => {
  const y = x as unknown as number[];
  for (const value of y) return value;
  return y[0];
});
