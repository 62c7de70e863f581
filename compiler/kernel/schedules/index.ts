/** Ops with loops of their own, by name. */

import type { Equation } from "../../ir/types.ts";
import type { Program } from "../program.ts";
import { dot } from "./dot.ts";
import * as elements from "./elements.ts";

export type Schedule = (program: Program, equation: Equation) => void;

export const schedules: Readonly<Record<string, Schedule>> = {
  ...elements,
  dot,
};
