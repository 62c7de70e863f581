import { compile } from "fluxion";

/** A product of matrices that stand flat in memory. */
const product = (a: Float64Array, b: Float64Array, n: number) => {
  const c = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a[i * n + k] * b[k * n + j];
      c[i * n + j] = sum;
    }
  }
  return c;
};
const compiled = compile(product);

export const main = () =>
  compiled(new Float64Array([1, 2, 3, 4]), new Float64Array([5, 6, 7, 8]), 2);
