import { compile } from "fluxion";

const f = (kind: number, x: number) => {
  let result = 0;
  switch (kind) {
    case 0:
      result = x;
      break;
    case 1:
      result += 1;
    case 2:
      result += 10;
      break;
    case 3:
    case 4:
      if (x > 0) break;
      result = 7;
      break;
    case 5:
      return -1;
    default:
      result = 100;
  }
  return result + 0.5;
};
const compiled = compile(f);

export const main = () =>
  [0, 1, 2, 3, 4, 5, 6].flatMap((kind) => [compiled(kind, 2), compiled(kind, -2)]);
