import { compile } from "fluxion";

/** Functions in records and arrays of a module. */
const kernels = { line: (x: number) => x, square: (x: number) => x * x };
const list = [(x: number) => x, (x: number) => x * x];
export const f = compile((x: number) => kernels.line(x));
export const g = compile((x: number) => list[1]!(x));
