import { compile } from "fluxion";

const f = (x: number, y: number) => {
  if (x < 0) return -1;
  if (y < 0) {
    if (x > 10) return 2;
    y = -y;
  } else if (y === 0) return 0;
  const z = x / y;
  if (z > 1) {
    return z;
  } else {
    return 1 - z;
  }
};
const compiled = compile(f);

export const main = () =>
  [
    [-1, 0],
    [11, -1],
    [5, -1],
    [3, 0],
    [3, 2],
    [2, 3],
  ].map(([x, y]) => compiled(x, y));
