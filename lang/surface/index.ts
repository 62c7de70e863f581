/** Every tensor function of the language, by name. Methods of tensors have the same names. */

import { contractions } from "./contractions.ts";
import { elementwise } from "./elementwise.ts";
import { movement } from "./movement.ts";
import { reductions } from "./reductions.ts";
import type { SurfaceFunction } from "./support.ts";

export * from "./support.ts";

export const surface: Readonly<Record<string, SurfaceFunction>> = {
  ...elementwise,
  ...reductions,
  ...movement,
  ...contractions,
};
