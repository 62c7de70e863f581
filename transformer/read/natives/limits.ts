/** Where a part of an array begins and ends, as the methods of arrays are told. */

import type ts from "typescript";
import { branch, plain } from "../branch.ts";
import {
  asDim,
  compareNumbers,
  fromTheEnd,
  integer,
  longestAxis,
  toInteger,
  toWhole,
  truth,
} from "../numbers.ts";
import type { Reader } from "../reader.ts";
import { fixed, isStaticNumber, type ReaderValue } from "../values.ts";

/** Start and end as `slice` and `fill` take them: from the end where negative, within the array. */
export function limits(
  reader: Reader,
  length: ReaderValue,
  start: ReaderValue | undefined,
  end: ReaderValue | undefined,
  node: ts.Node,
): readonly [ReaderValue, ReaderValue] {
  const clamp = (limit: ReaderValue | undefined, otherwise: ReaderValue): ReaderValue => {
    if (limit === undefined) return otherwise;
    if (compareSame(limit, length)) return length;
    const wanted = toWhole(reader, limit, node);
    const edge = fromTheEnd(reader, wanted, length, node);
    const positive = pick(reader, "ge", edge, fixed(0), node);
    // From the end there are not more than all.
    if (isStaticNumber(wanted) && wanted.value < 0) return positive;
    return inArray(reader, pick(reader, "le", positive, length, node), node);
  };
  const from = clamp(start, fixed(0));
  const to = clamp(end, length);
  return [from, pick(reader, "ge", to, from, node)];
}

/** A limit that has been computed lies between 0 and the length. */
function inArray(reader: Reader, limit: ReaderValue, node: ts.Node): ReaderValue {
  if (asDim(limit) !== undefined) return limit;
  return integer(toInteger(reader, limit, node), 0, longestAxis);
}

function compareSame(a: ReaderValue, b: ReaderValue): boolean {
  return a === b || (a.kind === "dim" && b.kind === "dim" && asDim(a) === asDim(b));
}

/** `a op b ? a : b`. */
function pick(
  reader: Reader,
  op: "ge" | "le",
  a: ReaderValue,
  b: ReaderValue,
  node: ts.Node,
): ReaderValue {
  const holds = truth(reader, compareNumbers(reader, op, a, b, node), node);
  if (typeof holds === "boolean") return holds ? a : b;
  return (
    branch(
      reader,
      holds,
      () => plain(a),
      () => plain(b),
      node,
    ).value ?? a
  );
}
