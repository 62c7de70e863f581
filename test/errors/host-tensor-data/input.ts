import { compile, type Tensor } from "fluxion";

export const f = compile((x: Tensor<[3]>) => x.dataSync()[0]);
