/**
 * Constants that helper functions read from memory. In their text `@f64:0.5` stands for the place
 * of 0.5, `@i64:-64` for that of those bits, and `@table:exp2` for that of a table.
 */

/** 2^(k/64) for k from 0 to 63. */
export const exponentialTable = "exp2";
const tables: Readonly<Record<string, () => readonly number[]>> = {
  [exponentialTable]: () => Array.from({ length: 64 }, (_, k) => 2 ** (k / 64)),
};

/** The text with places instead of constants, and the program's constants with those that it reads. */
export function placeConstants(
  text: string,
  constants: Uint8Array,
): { readonly text: string; readonly constants: Uint8Array } {
  const start = (constants.length + 7) & -8;
  const words: bigint[] = [];
  const places = new Map<string, number>();
  const placed = text.replaceAll(/@(\w+):([\w.+-]+)/g, (token, kind: string, key: string) => {
    let place = places.get(token);
    if (place === undefined) {
      place = start + 8 * words.length;
      places.set(token, place);
      words.push(...wordsOf(kind, key));
    }
    return String(place);
  });
  if (words.length === 0) return { text, constants };
  const bytes = new Uint8Array(start + 8 * words.length);
  bytes.set(constants);
  const view = new DataView(bytes.buffer);
  words.forEach((word, k) => view.setBigUint64(start + 8 * k, word, true));
  return { text: placed, constants: bytes };
}

function wordsOf(kind: string, key: string): readonly bigint[] {
  if (kind === "i64") return [BigInt.asUintN(64, BigInt(key))];
  return (kind === "table" ? (tables[key]?.() ?? []) : [Number(key)]).map(bitsOf);
}

function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
