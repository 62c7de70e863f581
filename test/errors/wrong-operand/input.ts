import { compile } from "fluxion";

export const f = compile((x: number, a: number[]) => {
  const bad = x + (a as unknown as number);
  const text = "n" + x;
  return -({ x } as unknown as number);
});
