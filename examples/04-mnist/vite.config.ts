/** The page, and the programs for Node with `--ssr`. */

import { fileURLToPath } from "node:url";
import fluxion from "fluxion/vite";
import { defineConfig } from "vite";

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  plugins: [fluxion()],
  build: { target: "es2022" },
});
