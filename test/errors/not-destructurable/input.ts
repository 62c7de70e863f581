import { compile } from "fluxion";

export const f = compile((x: number) => {
  const { a } = x as unknown as { a: number };
  const [b] = x as unknown as number[];
  return 1;
});
