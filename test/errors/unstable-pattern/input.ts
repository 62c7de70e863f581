import { hessianSparsity, sparsity } from "fluxion";

/** As often as the values say. */
function halved(x: Float64Array): Float64Array {
  let scale = 1;
  while (x[0] * scale > 1) scale /= 2;
  return x.map((v) => v * scale * x[0]);
}
export const untilSmall = sparsity((x: Float64Array) => {
  let y = x.slice();
  while (y[0] > 1) y = y.map((v) => v / 2);
  return y;
});
export const looked = sparsity((x: Float64Array) => x.map((v) => x[Math.abs(v) | 0]));
export const inArm = sparsity((x: Float64Array) => {
  let sum = 0;
  if (x[0] > 0) {
    let n = 8;
    while (n > 1) {
      n /= 2;
      sum += x[n];
    }
  } else sum = x[1];
  return sum;
});
export const counted = sparsity((x: Float64Array) => {
  const out = new Float64Array(Math.ceil(Math.abs(x[0])));
  for (let i = 0; i < out.length; i++) out[i] = x[i];
  return out;
});
export const inGradient = hessianSparsity((x: Float64Array) => {
  let y = x[0] * x[1];
  while (y > 1) y *= y * x[1];
  return y;
});
/** The loop is of numbers that the pattern is not asked for. */
export const fine = sparsity(
  (x: Float64Array, a: Float64Array) => x.map((v) => v * halved(a)[0]),
);
