/** Parameters in a file, in the format of safetensors: https://huggingface.co/docs/safetensors */

import { readFile, rename, writeFile } from "node:fs/promises";
import { type Tensor, tensor } from "fluxion";

/** A record of records of f32 tensors. */
type Tree = Tensor | { readonly [name: string]: Tree };

interface Entry {
  readonly dtype: "F32";
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** Writes all of a record, by the paths of its tensors; the file is whole or as it was before. */
export async function save(file: string, record: object): Promise<void> {
  const parts = await Promise.all(
    tensorsIn(record as Tree, "").map(async ([name, one]) => ({
      name,
      shape: one.shape as readonly number[],
      data: Float32Array.from(await one.data()),
    })),
  );
  const header: Record<string, Entry> = {};
  let at = 0;
  for (const { name, shape, data } of parts) {
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  const bytes = parts.map(({ data }) => Buffer.from(data.buffer));
  await writeFile(`${file}.part`, Buffer.concat([length, text, ...bytes]));
  await rename(`${file}.part`, file);
}

/** What `save` has written, in the structure of `like`. Throws where the file has other tensors. */
export async function restore<T extends object>(file: string, like: T): Promise<T> {
  const bytes = await readFile(file);
  const start = 8 + Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.toString("utf8", 8, start)) as Readonly<Record<string, Entry>>;
  const read = (tree: Tree, path: string): Tree => {
    if (!isTensor(tree)) {
      const fields = Object.entries(tree).map(([name, part]) => [
        name,
        read(part, `${path}${name}.`),
      ]);
      return Object.fromEntries(fields) as Tree;
    }
    const name = path.slice(0, -1);
    const entry = header[name];
    if (entry === undefined || entry.shape.join() !== tree.shape.join()) {
      const found = entry === undefined ? "no such tensor" : `shape [${entry.shape.join(", ")}]`;
      throw new Error(
        `${file}: ${name} has shape [${tree.shape.join(", ")}], and there is ${found}`,
      );
    }
    const [from, to] = entry.data_offsets;
    const data = new Float32Array(bytes.buffer.slice(start + from, start + to));
    return tensor(data, [...entry.shape]);
  };
  return read(like as Tree, "") as T;
}

function tensorsIn(tree: Tree, path: string): readonly (readonly [string, Tensor])[] {
  if (isTensor(tree)) return [[path.slice(0, -1), tree]];
  return Object.entries(tree).flatMap(([name, part]) => tensorsIn(part, `${path}${name}.`));
}

function isTensor(tree: Tree): tree is Tensor {
  return "dtype" in tree && "shape" in tree;
}
