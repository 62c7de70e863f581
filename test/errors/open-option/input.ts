import { compile } from "fluxion";

const square = (x: number): number => x * x;

declare const fast: boolean;

export const f = compile(square, { reassociate: fast });
