/** Programs made of choices: a list of numbers says what every step is. */

import fc from "fast-check";

/** Numbers in 0…1, one after the other: every choice of a program. */
export type Choose = () => number;

export function pick<T>(choose: Choose, items: readonly T[]): T {
  return items[Math.floor(choose() * items.length) % items.length] as T;
}

/** Lists of choices; a program that needs more starts the list again. */
export const choosers: fc.Arbitrary<Choose> = fc
  .array(fc.noBias(fc.nat(9999)), { minLength: 100, maxLength: 200 })
  .map((list) => {
    let next = 0;
    return () => (list[next++ % list.length] ?? 0) / 10_000;
  });
