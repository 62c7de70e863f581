import { compile, type Tensor } from "fluxion";

const twice = (x: Tensor<[3]>) => x.mul(2);

declare const which: readonly number[];

export const f = compile(twice, { donateArgnums: which });
