import {
  compile,
  jvps,
  sparseHessian,
  sparseJacobian,
  sparseJacrev,
  sparsity,
  sparsityOf,
  vjps,
} from "fluxion";

interface Parts {
  a: Float64Array;
  b: Float64Array;
}
// @ts-expect-error: two arrays
export const twoResults = sparsity((x: Float64Array) => ({ a: x, b: x.map((v) => v * v) }));
export const ofRecord = sparseJacobian((p: Parts) => p.a.map((v, i) => v * p.b[i]));
export const ofIntegers = sparsity((x: Int32Array) => [x[0]]);
export const second = sparsity((x: Float64Array) => x, { argnums: 1 });
// @ts-expect-error: not a scalar
export const ofArray = sparseHessian((x: Float64Array) => x);
const square = (x: Float64Array) => x.map((v) => v * v);
export const inside = compile((x: Float64Array) => {
  const jacobian = sparseJacobian(square);
  return jacobian(sparsityOf([[0]], 1), x).values[0];
});
export const lengths = compile((x: number) => jvps(square)([[x, 2]] as never, Float64Array.of(x, 2, 3)));
export const axes = compile((x: Float64Array) => vjps(square)(x as never, x));
export const none = compile((x: Float64Array) => vjps(square)(1 as never, x));
const first = (x: Float64Array, n: number): Float64Array => {
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = x[i];
  return out;
};
export const backwards = sparseJacrev(first);
export const alsoBackwards = vjps(first);
export const either = sparseJacobian(first);
