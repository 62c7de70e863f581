import { compile, customJvp, customVjp, grad, implicit } from "fluxion";

// @ts-expect-error: a rule gives two things
const square = customJvp((x: number) => x * x, ([x], [dx]) => 2 * x * dx);
export const a = compile((x: number) => grad(square)(x));

const product = customVjp((x: number, y: number) => x * y, {
  fwd: (x, y) => [x * y, [x, y] as const],
  // @ts-expect-error: a cotangent for each argument
  bwd: ([, y], w) => [w * y],
});
export const b = compile((x: number, y: number) => grad(product)(x, y));

const root = implicit(
  // @ts-expect-error: two equations for one unknown
  (x: number, p: number) => [x * x - p, x],
  (p: number) => Math.sqrt(p),
);
export const c = compile((p: number) => grad(root)(p));
