/**
 * Which objects may be the same one. Where paths meet, a variable may hold one of several objects:
 * a new object then stands for them, and a write under the new name outdates the old ones, and the
 * other way round. Objects that were made at one meeting differ from each other.
 */

import type { Span } from "../../compiler/ir/types.ts";
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
    derived: new Set(),
    linked: new Set(),
  };
  making.group?.members.push(shared);
  return shared;
}

/** A meeting of paths, for the objects that are made there. */
export function newGroup(): Group {
  return { members: [], origins: new Set() };
}

/** Records that members of the group may be the object. */
export function mayBe(group: Group, origin: Shared): void {
  group.origins.add(origin);
  origin.derived.add(group);
}

export function link(a: Shared, b: Shared): void {
  if (a === b) return;
  a.linked.add(b);
  b.linked.add(a);
}

/** Every other object that a write to this one may change. */
export function possibleAliases(written: Shared): ReadonlySet<Shared> {
  const found = new Set<Shared>();
  const down = (shared: Shared): void => {
    if (found.has(shared) || shared === written) return;
    found.add(shared);
    below(shared);
  };
  const below = (shared: Shared): void => {
    for (const other of shared.linked) down(other);
    for (const group of shared.derived) group.members.forEach(down);
  };
  const up = (shared: Shared): void => {
    for (const origin of shared.group?.origins ?? []) {
      if (found.has(origin) || origin === written) continue;
      found.add(origin);
      for (const other of origin.linked) down(other);
      for (const group of origin.derived) {
        if (group !== shared.group) group.members.forEach(down);
      }
      up(origin);
    }
  };
  below(written);
  up(written);
  return found;
}
