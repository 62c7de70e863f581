import { compile } from "fluxion";

const indexOf = (x: Float64Array, wanted: number) => {
  for (let i = 0; i < x.length; i++) {
    if (x[i] === wanted) return i;
  }
  return -1;
};
const firstPair = (x: Float64Array, sum: number) => {
  for (let i = 0; i < x.length; i++) {
    for (let j = i + 1; j < x.length; j++) {
      if (x[i] + x[j] === sum) return { i, j };
    }
  }
  return { i: -1, j: -1 };
};
const compiled = compile(indexOf);
const pairs = compile(firstPair);

export const main = () => {
  const x = new Float64Array([3, 1, 4, 1, 5]);
  return [compiled(x, 4), compiled(x, 9), compiled(x, 1), pairs(x, 9), pairs(x, 2), pairs(x, 100)];
};
