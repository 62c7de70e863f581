/** Numbers and booleans. */

import type { Leaf } from "../manifest.ts";
import { type Kind, wrong } from "./kind.ts";

export const numberKind: Kind<Leaf> = {
  take(_, value, path, { inputs }) {
    if (typeof value !== "number") throw wrong(path, "a number", value);
    inputs.push({ kind: "scalar", value });
  },
  ofNumber: ({ dtype }, value) => (dtype === "u32" ? value >>> 0 : value),
};

export const booleanKind: Kind<Leaf> = {
  take(_, value, path, { inputs }) {
    if (typeof value !== "boolean") throw wrong(path, "a boolean", value);
    inputs.push({ kind: "scalar", value: value ? 1 : 0 });
  },
  ofNumber: (_, value) => value !== 0,
};
