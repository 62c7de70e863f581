import { compile } from "fluxion";

/** Every error of a file, each once, though the loop is read several times. */
export const f = compile((x: Float64Array, n: number) => {
  let s = 0;
  for (let i = 0; i < n; i++) {
    console.log(i);
    const y = alert("x");
    s += x[i];
  }
  x[0] = s;
  return s;
});
