import { compile } from "fluxion";

type Pair = { a: number; b?: number };
const f = (x: number, y: 1 | 2) => {
  const pair = { a: x } satisfies Pair;
  const value = (pair.a as number)! + (y as number);
  interface Local {
    readonly z: number;
  }
  const local: Local = { z: value };
  const nothing = void x;
  if (nothing !== undefined) return 0;
  return ((local as Local).z, local.z + (typeof x === "number" ? 1 : 0));
};
const compiled = compile(f);

export const main = () => [compiled(3, 2), compiled(0.5, 1)];
