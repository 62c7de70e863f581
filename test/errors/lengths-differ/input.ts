import { compile } from "fluxion";

export const f = compile((x: number) => {
  const m = [
    [x, 2],
    [3, 4],
  ];
  const i = x | 0;
  m[i] = [1, 2, 3];
  return m[0][0];
});
