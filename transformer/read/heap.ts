/**
 * Places that the code being read can write, and the journal that tells what a piece of it wrote:
 * both arms of a branch are read from the same state, and a loop is read to learn what it carries.
 */

/** A place: a variable, a field, an element of a list, the contents of an array. */
export interface Place<T> {
  readonly content: T;
  readonly birth: number;
  /** What the user calls it. */
  readonly name: string;
}

export interface Change {
  readonly before: unknown;
  readonly after: unknown;
}

export type Changes = ReadonlyMap<Place<unknown>, Change>;

interface Frame {
  readonly start: number;
  readonly before: Map<Place<unknown>, unknown>;
}

export class Heap {
  private readonly frames: Frame[] = [];
  private clock = 1;
  private outside = false;
  /** Set while someone wants to know which places are read. */
  reads: Set<Place<unknown>> | undefined;

  place<T>(content: T, name: string): Place<T> {
    return { content, birth: this.outside ? 0 : this.clock++, name };
  }

  /** Places made by `body` are older than any recording: they are around the whole root. */
  outsideOf<T>(body: () => T): T {
    const before = this.outside;
    this.outside = true;
    try {
      return body();
    } finally {
      this.outside = before;
    }
  }

  read<T>(place: Place<T>): T {
    this.reads?.add(place as Place<unknown>);
    return place.content;
  }

  write<T>(place: Place<T>, content: T): void {
    const frame = this.frames.at(-1);
    const key = place as Place<unknown>;
    if (frame !== undefined && place.birth < frame.start && !frame.before.has(key)) {
      frame.before.set(key, place.content);
    }
    (place as { content: T }).content = content;
  }

  now(): number {
    return this.clock++;
  }

  /** Says that nothing refers any more to places made since then. */
  bury(since: number): void {
    const inside = this.dead.findIndex(({ from }) => from >= since);
    if (inside >= 0) this.dead.length = inside;
    this.dead.push({ from: since, to: this.clock++ });
  }

  isDead(place: Place<unknown>): boolean {
    return this.dead.some(({ from, to }) => place.birth >= from && place.birth < to);
  }
  private readonly dead: { readonly from: number; readonly to: number }[] = [];

  /** True for places that were there before the innermost recording began. */
  isOuter(place: Place<unknown>): boolean {
    const frame = this.frames.at(-1);
    return frame !== undefined && place.birth < frame.start;
  }

  /** What the innermost recording has written so far of what was there before. */
  written(): readonly (readonly [Place<unknown>, unknown])[] {
    return [...(this.frames.at(-1)?.before ?? [])];
  }

  /**
   * Runs `body`; what it changed of the places that were there before, which are as they were
   * again. Places that the body made keep their contents.
   */
  record<T>(body: () => T): { readonly result: T; readonly changes: Changes } {
    const frame: Frame = { start: this.clock++, before: new Map() };
    this.frames.push(frame);
    try {
      const result = body();
      return { result, changes: this.undo(frame) };
    } catch (error) {
      this.undo(frame);
      throw error;
    } finally {
      this.frames.pop();
    }
  }

  apply(changes: Changes): void {
    for (const [place, change] of changes) this.write(place, change.after);
  }

  private undo(frame: Frame): Changes {
    const changes = new Map<Place<unknown>, Change>();
    for (const [place, before] of frame.before) {
      if (place.content !== before) changes.set(place, { before, after: place.content });
      (place as { content: unknown }).content = before;
    }
    return changes;
  }
}
