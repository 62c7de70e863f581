/** Items that are asked for before they are needed. */

import { prefetch as askEarly } from "../runtime/prefetch.ts";

/**
 * The items of an iterable, of which the next `count` (2 where absent) are asked for while one is worked on,
 * one after the other: a loader reads and decodes meanwhile. What asking does, it does earlier than in a
 * loop over the items themselves. Ends the iterable when the loop is left. Throws a `RangeError` for a
 * count below 1.
 *
 * In an asynchronous root on a graphics device the loop's next rounds may then start before the host has
 * looked at the results of this one.
 */
export function prefetch<T>(
  items: AsyncIterable<T> | Iterable<T>,
  count = 2,
): AsyncGenerator<T, void, undefined> {
  return askEarly(items, count);
}
