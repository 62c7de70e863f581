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
    twice: reader.heap.place<Span | undefined>(undefined, making.name ?? ""),
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
export function hold(reader: Reader, container: Shared, part: Shared, span: Span): void {
  const isOlder = (shared: Shared): boolean =>
    whatItMayBe(shared).some(({ stale }) => stale.birth < reader.turnSince);
  const again = whatItMayBe(part).some((one) => one === container || container.holds.has(one));
  // What is there before a turn of a loop is put in by every turn.
  if (again || (isOlder(part) && isOlder(container))) holdTwice(reader, container, span);
  connect(container, part);
}

/** Says that objects which are known one by one stand in another from here on. */
export function holdAll(
  reader: Reader,
  container: Shared,
  parts: readonly Shared[],
  span: Span,
): void {
  const seen = new Set<Shared>();
  for (const part of parts) {
    const same = whatItMayBe(part);
    if (same.some((one) => seen.has(one))) holdTwice(reader, container, span);
    for (const one of same) seen.add(one);
    connect(container, part);
  }
}

function connect(container: Shared, part: Shared): void {
  if (container === part) return;
  container.holds.add(part);
  part.linked.add(container);
}

/** Says that two places of an object may hold one. */
export function holdTwice(reader: Reader, container: Shared, span: Span): void {
  if (reader.heap.read(container.twice) === undefined) reader.heap.write(container.twice, span);
}

/** Where two places of an object were given one. */
export function heldTwice(reader: Reader, container: Shared): Span | undefined {
  for (const { twice } of whatItMayBe(container)) {
    const span = reader.heap.read(twice);
    if (span !== undefined) return span;
  }
  return undefined;
}

/** An object and those from before that it may be. */
function whatItMayBe(shared: Shared, found = new Set<Shared>()): readonly Shared[] {
  if (!found.has(shared)) {
    found.add(shared);
    for (const origin of shared.origins) whatItMayBe(origin, found);
  }
  return [...found];
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
