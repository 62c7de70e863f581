/** Ops with loops of their own, by name. */

import type { Equation } from "../../ir/types.ts";
import type { Program } from "../program.ts";
import * as convolutions from "./conv.ts";
import { dot } from "./dot.ts";
import * as elements from "./elements.ts";
import * as gathering from "./gathering.ts";
import { gemm } from "./gemm.ts";
import * as lines from "./lines.ts";
import * as random from "./random.ts";
import * as stacks from "./stacks.ts";
import * as windows from "./windows.ts";

export type Schedule = (program: Program, equation: Equation) => void;

export const schedules: Readonly<Record<string, Schedule>> = {
  ...convolutions,
  ...elements,
  ...gathering,
  ...lines,
  ...random,
  ...stacks,
  ...windows,
  dot,
  gemm,
};
