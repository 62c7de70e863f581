import { compile } from "fluxion";

export const f = compile((name: string, when: Date, xs: { f: () => number }[], u: number | string) => 1);
