import { compile, type Tensor } from "fluxion";

const twice = (x: Tensor<[3]>) => x.mul(2);

export const f = compile(twice, { donateArgnums: [1] });
