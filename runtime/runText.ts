/** Programs of JavaScript, from their text. */

import type { Run } from "./link.ts";
import { pool } from "./storage.ts";

export function runText(text: string, { env, math }: WebAssembly.Imports): Run {
  const make = new Function(`return ${text}`)() as (environment: unknown) => Run;
  return make({ ...env, math, views: pool.memory.views });
}
