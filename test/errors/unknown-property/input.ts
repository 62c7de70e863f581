import { compile } from "fluxion";

export const f = compile((x: Float64Array) => x.sort().length + x.byteLength);
