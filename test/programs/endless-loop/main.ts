import { compile, grad } from "fluxion";

/** A loop that only a `return` leaves needs nothing after it. */
function halvings(x: number, least: number): number {
  let value = x;
  let count = 0;
  while (true) {
    value /= 2;
    if (value < least) return count + value;
    count++;
  }
}
/** `break` leaves it too, and what follows is reached. */
function both(x: number): number {
  let value = x;
  for (;;) {
    value *= 1.5;
    if (value > 20) return value;
    if (value < 0) break;
  }
  return -1;
}
const compiled = compile(halvings);
const slope = grad(halvings);
const compiledBoth = compile(both);

export const main = () => [
  compiled(40, 1),
  compiled(0.5, 1),
  slope(40, 1),
  compiledBoth(2),
  compiledBoth(-2),
];
export const expected = () => [halvings(40, 1), halvings(0.5, 1), 1 / 64, both(2), both(-2)];
