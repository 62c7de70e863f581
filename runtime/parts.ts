/** Parts of the runtime that not every program needs. A build ships those that its programs do. */

import { dimText, type Lengths, solve } from "./dims.ts";
import { directProgram, isDirect } from "./directProgram.ts";
import { faultAt } from "./faults.ts";
import type { Functions } from "./functions.ts";
import { allKinds } from "./kinds/all.ts";
import type { Kinds } from "./kinds/kind.ts";
import { allFunctions } from "./math.ts";
import type { Manifest } from "./manifest.ts";
import { runText } from "./runText.ts";
import { allocate, release } from "./scratch.ts";

export interface Parts {
  /** Those of its arguments, defaults and results. */
  readonly kinds: Kinds;
  /** Where an extent of an argument is neither a number nor a symbol. */
  readonly lengths?: Lengths;
  /** Those that it imports and `Math` has not. */
  readonly functions?: Functions;
  /** For code that asks for memory. */
  readonly heap?: { readonly allocate: typeof allocate; readonly release: typeof release };
  /** For one with sites. */
  readonly fault?: typeof faultAt;
  /** For JavaScript. */
  readonly runText?: typeof runText;
  /** For numbers in, one number out. */
  readonly direct?: typeof directProgram;
}

/** For programs that are built at run time. */
export const allParts: Parts = {
  kinds: allKinds,
  lengths: { solve, dimText },
  functions: allFunctions,
  heap: { allocate, release },
  fault: faultAt,
  runText,
};

export function allPartsOf(manifest: Manifest): Parts {
  return isDirect(manifest) ? { ...allParts, direct: directProgram } : allParts;
}
