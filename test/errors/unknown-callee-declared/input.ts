import { compile } from "fluxion";

declare function secret(x: number): number;
export const f = compile((x: number) => secret(x) + 1);
