import { compile, customJvp, grad, stopGradient, valueAndGrad } from "fluxion";

const steps = (x: number, y: number) => Math.floor(x * 3) + y;

/** Only through a rounding. */
export const a = compile((x: number) => grad(steps)(x, 1));

/** One of two arguments. */
export const b = compile((x: number) => valueAndGrad(steps, { argnums: [0, 1] })(x, 1));

/** Only through a comparison. */
export const c = grad((x: number) => (x > 1 ? 2 : 3));

/** Not at all. */
export const d = grad((x: number) => {
  void x;
  return 4;
});

/** As an index. */
export const e = compile((k: number, x: Float64Array) => grad((i: number) => x[i | 0]! * 2)(k));

/** Meant: no warning. */
export const f = grad((x: number) => stopGradient(x) * 2);
const rounded = customJvp(
  (x: number) => Math.round(x),
  ([x], [dx]) => [Math.round(x), dx],
);
export const g = grad((x: number) => rounded(x) * 2);
/** A record of which a field does not matter: no warning. */
export const h = grad((p: { x: number; y: number }) => p.x * p.x);
