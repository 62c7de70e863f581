import { compile } from "fluxion";

// @ts-expect-error: the name is not there
export const f = compile((x: number) => x + nowhere);
