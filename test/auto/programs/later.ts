/** A root that is loaded after others. */

import { compile, type Dim, type Tensor } from "fluxion";

export const minus = compile(<N extends Dim>(x: Tensor<[N]>) => x.neg());
