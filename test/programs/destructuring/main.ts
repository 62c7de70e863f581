import { compile } from "fluxion";

type Options = { readonly scale: number; readonly shift: number };

const f = ([x, y]: [number, number], { scale, shift: s }: Options) => {
  let [a, b] = [x, y];
  [a, b] = [b, a];
  const { p, q = 4, ...rest } = { p: a, r: b, s };
  const [first, , third = 9] = [p, q, undefined as number | undefined];
  let z = 0;
  ({ z } = { z: rest.r + rest.s });
  return { a, b, p, q, first, third, z, scaled: a * scale };
};
const compiled = compile(f);

export const main = () => compiled([1.5, 2.5], { scale: 3, shift: 0.25 });
