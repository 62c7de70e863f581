/** All kinds of values, for programs that are built at run time. */

import { arrayKind } from "./arrays.ts";
import type { KindName, Kinds } from "./kind.ts";
import { booleanKind, numberKind } from "./scalars.ts";
import { tableKind } from "./tables.ts";
import { tensorKind } from "./tensors.ts";
import { constantKind, recordKind, tupleKind } from "./trees.ts";

export const allKinds = {
  number: numberKind,
  boolean: booleanKind,
  array: arrayKind,
  tensor: tensorKind,
  record: recordKind,
  tuple: tupleKind,
  table: tableKind,
  constant: constantKind,
} satisfies { readonly [K in KindName]: Kinds[K] };
