import { compile } from "fluxion";

export const f = compile((x: number) => {
  const a = 1n;
  const b = /x/;
  const c = String.raw`t`;
  const d = class {};
  const e = new Date();
  const g = new.target;
  return x;
});
