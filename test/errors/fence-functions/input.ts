import { compile } from "fluxion";

const later = async (x: number) => x;
function* many(x: number) {
  yield x;
}
export const f = compile(later as never);
export const g = compile((x: number) => {
  many(x);
  return { get a() { return x; } }.a;
});
export const h = compile((x: number) => Math.random() * x);
