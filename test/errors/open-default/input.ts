import { compile, grad } from "fluxion";

const weighted = (x: Float64Array, n = x.length, w = new Float64Array(3)) => x[0]! * n + w[0]!;
export const f = compile(weighted);
const area = (x: number, y = 2 * x) => x * y;
export const g = grad(area);

/** Where all is given, nothing is asked of the default; inside of compiled code it may be anything. */
export const h = compile((x: Float64Array) => weighted(x));
