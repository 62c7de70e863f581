import { compile } from "fluxion";

export const f = compile((x: number) => {
  var old = 1;
  debugger;
  throw new Error("no");
});
export const g = compile((x: number) => {
  try {
    return x;
  } finally {
    x = 1;
  }
});
export const h = compile((x: { a: number }) => {
  for (const key in x) return 1;
  return 2;
});
