/** A root for "auto" that no device can run. */

import { compile } from "fluxion";

export const third = compile((x: number) => x / 3, { target: "auto" });
