import { compile, customJvp, grad, jvp } from "fluxion";

const pair = (x: number) => [x, x];
const inner = (x: number) => grad(pair as never as (y: number) => number)(x) * 2;
const outer = (x: number) => jvp(inner, [x], [1])[1];
export const a = compile((x: number) => grad(outer)(x));

function scaled(y: number) {
  const by = customJvp(
    (z: number) => z * y,
    ([z], [dz]) => [z * y, dz * y],
  );
  return by(y);
}
const slope = (x: number) => grad(scaled)(x);
export const b = compile((x: number) => grad(slope)(x));
