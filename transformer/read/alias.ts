/**
 * Which objects may be the same one. Where paths meet, a variable may hold one of several objects:
 * a new object then stands for them, and a write under the new name outdates the old ones, and the
 * other way round. Objects that were made at one meeting differ from each other.
 */

import type { Span } from "../../compiler/ir/types.ts";
import type { Place } from "./heap.ts";
import type { Reader } from "./reader.ts";
import type { Group, Shared } from "./values.ts";

export interface Making {
  readonly name?: string;
  readonly readOnly?: Shared["readOnly"];
  readonly group?: Group;
}

export function newShared(reader: Reader, making: Making): Shared {
  const shared: Shared = {
    readOnly: making.readOnly,
    stale: reader.heap.place<Span | undefined>(undefined, making.name ?? ""),
    group: making.group,
    origins: new Set(),
    derived: new Set(),
    linked: new Set(),
    holds: new Set(),
  };
  return shared;
}

/** A meeting of paths, for the objects that are made there. */
export function newGroup(): Group {
  return { members: [] };
}

/** What a new object stands for: an object on each path, and all older objects that it may be. */
export interface From {
  readonly sides: readonly (readonly Shared[])[];
  readonly origins: readonly Shared[];
}

/** Adds an object to a meeting. It is another member's equal where they were one on some path. */
export function join(group: Group, shared: Shared, from: From): void {
  for (const origin of from.origins) {
    shared.origins.add(origin);
    origin.derived.add(shared);
  }
  for (const other of group.members) {
    const meet = from.sides.some((side, k) =>
      side.some((mine) => (other.sides[k] ?? []).some((theirs) => mayEqual(mine, theirs))),
    );
    if (meet) link(shared, other.shared);
  }
  group.members.push({ shared, sides: from.sides });
}

function mayEqual(a: Shared, b: Shared): boolean {
  return a === b || possibleAliases(a).has(b);
}

/** The objects from before the innermost recording that an object may be. */
export function olderOrigins(reader: Reader, shared: Shared): readonly Shared[] {
  if (reader.heap.isOuter(shared.stale as Place<unknown>)) return [shared];
  return [...shared.origins].flatMap((origin) => olderOrigins(reader, origin));
}

export function link(a: Shared, b: Shared): void {
  if (a === b) return;
  a.linked.add(b);
  b.linked.add(a);
}

/** Says that an object stands in another from here on: what is written of one changes both. */
export function hold(container: Shared, part: Shared): void {
  if (container === part) return;
  container.holds.add(part);
  part.linked.add(container);
}

/**
 * Every other object that a write to this one may change. Another part in the place of one, a `slot`
 * that is filled anew, changes no part.
 */
export function possibleAliases(written: Shared, slot = false): ReadonlySet<Shared> {
  const found = new Set<Shared>();
  const down = (shared: Shared): void => {
    if (found.has(shared) || shared === written) return;
    // Made at the same meeting: compared there, path by path, and found to be another object.
    const { group } = written;
    const apart = !written.linked.has(shared) && !written.holds.has(shared);
    if (group !== undefined && shared.group === group && apart) return;
    found.add(shared);
    below(shared);
  };
  const below = (shared: Shared): void => {
    for (const other of shared.linked) down(other);
    for (const other of shared.derived) down(other);
    if (!slot) for (const other of shared.holds) down(other);
  };
  const up = (shared: Shared): void => {
    for (const origin of shared.origins) {
      if (found.has(origin) || origin === written) continue;
      found.add(origin);
      for (const other of origin.linked) down(other);
      if (!slot) for (const other of origin.holds) down(other);
      // What was made at the same meeting as this one is another object.
      for (const other of origin.derived) if (other.group !== shared.group) down(other);
      up(origin);
    }
  };
  below(written);
  up(written);
  return found;
}
