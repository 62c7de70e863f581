/** The programs for Node, bundled by esbuild: `node examples/04-mnist/esbuild.ts`. */

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { fluxion } from "fluxion/esbuild";

await build({
  absWorkingDir: fileURLToPath(new URL(".", import.meta.url)),
  entryPoints: ["losses.ts"],
  outdir: "out/esbuild",
  bundle: true,
  format: "esm",
  platform: "node",
  minify: true,
  plugins: [fluxion()],
});
