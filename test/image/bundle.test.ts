/** What bundles have of pictures: nothing where no pictures are, and no device where none is used. */

import path from "node:path";
import { build } from "esbuild";
import { expect, test } from "vitest";

async function bundled(text: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: text, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    external: ["node:*"],
  });
  return outputFiles.map((file) => file.text).join();
}

const runtime = path.resolve(import.meta.dirname, "../../dist/runtime/index.js");

test("programs without pictures have none", async () => {
  const text = await bundled(
    `export { loadAuto, loadWebgl, loadWebgpu, tensor } from ${JSON.stringify(runtime)};`,
  );
  expect(text).toContain("createComputePipelineAsync");
  for (const part of [
    "putImageData",
    "getCurrentTexture",
    "place.z - 1 - int",
    "createRenderPipeline",
  ]) {
    expect(text).not.toContain(part);
  }
});

test("pictures bring no device along", async () => {
  const text = await bundled(`export { draw, tensor } from ${JSON.stringify(runtime)};`);
  expect(text).toContain("putImageData");
  expect(text).not.toContain("requestAdapter");
  expect(text).not.toContain("texSubImage2D");
  expect(text.length).toBeLessThan(40_000);
});
