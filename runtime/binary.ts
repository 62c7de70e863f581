/**
 * Bytes as text for programs: one character for most bytes of WebAssembly, so that what stands twice
 * in a binary stands twice in the text, which a server's compression finds.
 *
 * A byte is `first` and a value, 91 of which are printable characters from "#" on, without the
 * backslash. Values from 91 on have " " in front, those from 182 on "!".
 */

const values = 91;
const firstCharacter = 35;
const backslash = 92;
/** The values that are one character begin with this byte: places of locals, and 0xfd of lanes. */
const first = 247;

export function toText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    const value = (byte - first) & 255;
    const code = (value % values) + firstCharacter;
    text += ["", " ", "!"][Math.floor(value / values)];
    text += String.fromCharCode(code < backslash ? code : code + 1);
  }
  return text;
}

export function fromText(text: string): Uint8Array<ArrayBuffer> {
  const bytes: number[] = [];
  let above = first - firstCharacter;
  for (let k = 0; k < text.length; k++) {
    const code = text.charCodeAt(k);
    if (code < firstCharacter - 1) above += values * (code - 31);
    else {
      bytes.push(code + above - Number(code > backslash));
      above = first - firstCharacter;
    }
  }
  // Modulo 256
  return Uint8Array.from(bytes);
}
