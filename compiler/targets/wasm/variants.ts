/** One binary told as changes of another: what they have in common ships once. */

/**
 * Bytes of the first binary, `[skip, length]`, and bytes in between. `skip` counts from the end of
 * the bytes that were taken last: what is left out, or below 0 where bytes are taken again.
 */
export type Edits = readonly (readonly [skip: number, length: number] | Uint8Array)[];

/** Shorter than this, what is common is as short as where it is. */
const shortest = 12;

/** `to` in pieces of `from`. Looks at each place for the longest piece that begins with these bytes. */
export function editsBetween(from: Uint8Array, to: Uint8Array): Edits {
  const keyOf = [from, to].map(keys) as [Keys, Keys];
  const places = new Map<number, number[]>();
  for (let at = 0; at + shortest <= from.length; at++) {
    const key = keyOf[0](at);
    const known = places.get(key);
    if (known === undefined) places.set(key, [at]);
    else known.push(at);
  }
  const edits: (readonly [number, number] | Uint8Array)[] = [];
  let written = 0;
  let taken = 0;
  const write = (end: number): void => {
    if (end > written) edits.push(to.slice(written, end));
  };
  for (let at = 0; at + shortest <= to.length;) {
    const [start, length] = longest(from, to, at, places.get(keyOf[1](at)) ?? []);
    if (length < shortest) {
      at++;
      continue;
    }
    write(at);
    edits.push([start - taken, length]);
    taken = start + length;
    at += length;
    written = at;
  }
  write(to.length);
  return edits;
}

type Keys = (at: number) => number;

/** Six bytes from a place on, as a number. */
function keys({ buffer, byteOffset, byteLength }: Uint8Array): Keys {
  const view = new DataView(buffer, byteOffset, byteLength);
  return (at) => view.getUint32(at) * 2 ** 16 + view.getUint16(at + 4);
}

function longest(
  from: Uint8Array,
  to: Uint8Array,
  at: number,
  starts: readonly number[],
): readonly [start: number, length: number] {
  let best: readonly [number, number] = [0, 0];
  for (const start of starts) {
    let length = 0;
    while (start + length < from.length && from[start + length] === to[at + length]) length++;
    if (length > best[1]) best = [start, length];
  }
  return best;
}
