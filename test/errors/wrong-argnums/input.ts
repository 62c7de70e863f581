import { grad } from "fluxion";

const square = (x: number) => x * x;
export const f = grad(square, { argnums: 2 } as never);
