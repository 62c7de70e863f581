import { compile } from "fluxion";

/** The type of the function may be given. */
const twice = compile<(x: number) => number>((x) => 2 * x);
const thrice = compile<(x: number) => number>((x) => 3 * x, { reassociate: true });

export const main = () => [twice(2), thrice(2)];
