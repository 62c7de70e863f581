/** Items that are asked for before they are needed. */

/**
 * The items of an iterable, of which the next `count` (2 where absent) are asked for while one is worked on,
 * one after the other: a loader reads and decodes meanwhile. What asking does, it does earlier than in a
 * loop over the items themselves. Ends the iterable when the loop is left. Throws a `RangeError` for a
 * count below 1.
 */
export async function* prefetch<T>(
  items: AsyncIterable<T> | Iterable<T>,
  count = 2,
): AsyncGenerator<T, void, undefined> {
  if (!(Number.isInteger(count) && count >= 1)) {
    throw new RangeError(`prefetch takes 1 item ahead or more, and not ${count}`);
  }
  const iterator =
    Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  const asked: Promise<IteratorResult<T>>[] = [];
  let last: Promise<unknown> = Promise.resolve();
  const state = { isDone: false };
  const ask = (): void => {
    const next = last.then(() => iterator.next());
    next.then(
      ({ done }) => {
        state.isDone ||= done === true;
      },
      () => {
        state.isDone = true;
      },
    );
    last = next;
    asked.push(next);
  };
  try {
    for (;;) {
      while (asked.length <= count && !state.isDone) ask();
      const next = asked.shift();
      if (next === undefined) return;
      const result = await next;
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    // Those that nobody waits for any more
    for (const next of asked) next.catch(() => {});
    if (!state.isDone) {
      await last.catch(() => {});
      await iterator.return?.();
    }
  }
}
