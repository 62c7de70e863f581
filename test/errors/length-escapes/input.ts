import { compile } from "fluxion";

export const f = compile((n: number, c: boolean) => {
  let a: Float64Array | undefined;
  if (c) {
    a = new Float64Array(n);
  }
  let b!: Float64Array;
  for (let i = 0; i < n; i++) b = new Float64Array(i);
  return b;
});

export const triangle = compile((n: number) => Array.from({ length: n }, (_, i) => new Float64Array(i)));
