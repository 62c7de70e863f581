import { compile } from "fluxion";

import { helper } from "./helper.ts";
export const f = compile((x: number) => helper(x));
