import { compile } from "fluxion";

export const f = compile((x: number) => (y: number) => x + y);
