import { grad } from "fluxion";

const pick = (x: Int32Array, flag: boolean) => (flag ? x[0] : 0);
export const f = grad(pick);
export const g = grad(pick, { argnums: [1] } as never);
