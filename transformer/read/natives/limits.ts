/** Where a part of an array begins and ends, as the methods of arrays are told. */

import type ts from "typescript";
import { branch, plain } from "../branch.ts";
import { asDim, compareNumbers, compute, integer, toIndex, truth } from "../numbers.ts";
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
    if (isStaticNumber(limit)) {
      const whole = Math.trunc(limit.value) || 0;
      if (isStaticNumber(length)) {
        return fixed(whole < 0 ? Math.max(0, length.value + whole) : Math.min(whole, length.value));
      }
      if (whole === 0) return fixed(0);
      const edge = whole < 0 ? compute(reader, "add", length, fixed(whole), node) : fixed(whole);
      const bound = whole < 0 ? fixed(0) : length;
      return pick(reader, whole < 0 ? "ge" : "le", edge, bound, node);
    }
    if (compareSame(limit, length)) return length;
    const wanted = integer(toIndex(reader, limit, node));
    const positive = pick(reader, "ge", wanted, fixed(0), node);
    return pick(reader, "le", positive, length, node);
  };
  const from = clamp(start, fixed(0));
  const to = clamp(end, length);
  return [from, pick(reader, "ge", to, from, node)];
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
