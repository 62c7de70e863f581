/** One program with a symbolic dimension serves every batch size. */

import path from "node:path";
import { expect, test } from "vitest";
import { compile } from "../../compiler/compile.ts";
import { load, type Tensor, tensor } from "../../runtime/index.ts";
import { readFile } from "../../transformer/plan.ts";
import { ProjectCache } from "../../transformer/project.ts";

const file = path.resolve("examples/04-mnist/mlp.ts");
const { world, program } = new ProjectCache().projectOf(file);
const { roots } = readFile(world, program.getSourceFile(file)!);

async function loaded(name: string): Promise<(...args: unknown[]) => any> {
  const [only] = roots.find((root) => root.name === name)!.programs;
  const { manifest, code } = await compile(only!.graph, only!.signature, { target: "wasm" });
  return load(manifest, code);
}

test("batches of 1, 7, 32 and 128 through one program", async () => {
  const [init, step, classify] = await Promise.all(["init", "step", "classify"].map(loaded));
  const { params, state } = init!(1);
  const images = (size: number): Tensor =>
    tensor(
      Uint8Array.from({ length: size * 784 }, (_, k) => (k * 37 + (k >> 7)) % 256),
      [size, 784],
      "u8",
    );
  const whole = classify!(params, images(128)).dataSync();
  for (const size of [1, 7, 32, 128]) {
    expect(Array.from(classify!(params, images(size)).dataSync())).toEqual(
      Array.from(whole.slice(0, size)),
    );
    const labels = tensor(
      Int32Array.from({ length: size }, (_, k) => k % 10),
      [size],
      "i32",
    );
    const next = step!(params, state, images(size), labels);
    expect(next.loss.dataSync()[0]).toBeGreaterThan(0);
    expect(next.params.first.w.shape).toEqual([784, 256]);
  }
  expect(() => classify!(params, tensor([1, 2, 3], [1, 3], "u8"))).toThrow("784");
});
