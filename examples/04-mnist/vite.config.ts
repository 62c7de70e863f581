/** The page; with `--ssr losses.ts`, a program for Node. */

import { mkdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { fluxion } from "fluxion/vite";
import { defineConfig } from "vite";
import { loadDigits } from "./data.ts";
import { firstDigits } from "./train.ts";

const root = fileURLToPath(new URL(".", import.meta.url));
const publicDir = `${root}out/public`;

export default defineConfig(async ({ isSsrBuild }) => {
  if (isSsrBuild !== true) await writeDigits();
  return {
    root,
    publicDir,
    base: "./",
    plugins: [fluxion()],
    build: {
      target: "es2022",
      outDir: isSsrBuild === true ? "out/vite-node" : "out/page",
      emptyOutDir: true,
      copyPublicDir: isSsrBuild !== true,
    },
  };
});

/** The digits that the page fetches: labels, then images. */
async function writeDigits(): Promise<void> {
  await mkdir(publicDir, { recursive: true });
  const counts = { train: 6000, test: 1000 } as const;
  for (const part of ["train", "test"] as const) {
    const { images, labels } = firstDigits(await loadDigits(part), counts[part]);
    await writeFile(`${publicDir}/${part}.digits`, Buffer.concat([labels, images]));
  }
}
