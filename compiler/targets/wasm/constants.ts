/**
 * Constants that helper functions read from memory. In their text `@f64:0.5` stands for the place
 * of 0.5, `@i64:-64` for that of those bits, `@f32:0.5` and `@i32:127` for those of half the size,
 * and `@table:exp2` for that of a table.
 */

/** 2^(k/64) for k from 0 to 63, and what the doubles next to them lack. */
export const exponentialTable = "exp2";
export const exponentialRest = "exp2rest";
const tables: Readonly<Record<string, () => readonly number[]>> = {
  [exponentialTable]: () => powers().map(({ nearest }) => nearest),
  [exponentialRest]: () => powers().map(({ rest }) => rest),
};

/** Binary places of exact numbers. */
const places = 160n;

function powers(): readonly { readonly nearest: number; readonly rest: number }[] {
  return Array.from({ length: 64 }, (_, k) => {
    let exact = 1n << (places + BigInt(k));
    for (let halving = 0; halving < 6; halving++) exact = squareRoot(exact << places);
    const nearest = Number(exact) / 2 ** Number(places);
    const rest = exact - BigInt(nearest * 2 ** 52) * (1n << (places - 52n));
    return { nearest, rest: Number(rest) / 2 ** Number(places) };
  });
}

/** The integer part of √x, by Newton's method from above. */
function squareRoot(x: bigint): bigint {
  let root = 1n << BigInt(Math.ceil(x.toString(2).length / 2));
  for (;;) {
    const next = (root + x / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

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
  // Half a word is read.
  if (kind === "i32") return [BigInt.asUintN(32, BigInt(key))];
  if (kind === "f32") return [BigInt(new Uint32Array(Float32Array.of(Number(key)).buffer)[0] ?? 0)];
  return (kind === "table" ? (tables[key]?.() ?? []) : [Number(key)]).map(bitsOf);
}

function bitsOf(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return view.getBigUint64(0);
}
