import { compile } from "fluxion";

export const f = compile((name: string, when: Date, xs: { x: number }[], u: number | string) => 1);
