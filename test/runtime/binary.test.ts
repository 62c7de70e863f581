/** Bytes as text, there and back. */

import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fromText, toText } from "../../runtime/binary.ts";

const all = Uint8Array.from({ length: 256 }, (_, byte) => byte);

test("every byte comes back", () => {
  expect(fromText(toText(all))).toEqual(all);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      expect([...fromText(toText(bytes))]).toEqual([...bytes]);
    }),
  );
});

test("the text needs no escapes in a string", () => {
  const text = toText(all);
  expect(JSON.stringify(text)).toBe(`"${text}"`);
  expect(text).toMatch(/^[ !#-[\]-~]*$/);
});

test("what compresses as bytes compresses as text", () => {
  // A function again and again, with other locals
  const bytes = Uint8Array.from({ length: 20_000 }, (_, k) =>
    k % 40 === 7 ? Math.floor(k / 40) % 60 : (k * k * 31) % 40 === 0 ? 0xfd : ((k % 40) * 7) % 128,
  );
  const size = (data: Uint8Array | string): number => gzipSync(data, { level: 9 }).length;
  const hexadecimal = Buffer.from(bytes).toString("hex");
  expect(size(toText(bytes))).toBeLessThan(size(hexadecimal));
  expect(toText(bytes).length).toBeLessThan(0.75 * hexadecimal.length);
});
