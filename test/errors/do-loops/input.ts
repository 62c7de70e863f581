import { compile } from "fluxion";

/** A variable that the first turn reads before it assigns it, and a fault in such a turn. */
export const f = compile((x: number) => {
  let y: number;
  do {
    // @ts-expect-error: it is not assigned
    y = y + x;
  } while (y < 3);
  return y;
});
export const g = compile((x: number) => {
  let y: number;
  do y = unknown(x);
  while (y < 3);
  return y;
});
declare function unknown(x: number): number;
