/**
 * Makes the package a dependency of itself in its own checkout, as a link: `npx fluxion` finds the
 * command, and ts-patch finds the plugin `fluxion/transformer`. (A `file:.` dependency would do the
 * same, but `npm ci` refuses a lockfile with one.)
 */

import { mkdirSync, rmSync, symlinkSync } from "node:fs";

mkdirSync("node_modules/.bin", { recursive: true });
for (const [link, target] of [
  ["node_modules/fluxion", ".."],
  ["node_modules/.bin/fluxion", "../../bin/fluxion.js"],
]) {
  rmSync(link, { force: true });
  symlinkSync(target, link, link.endsWith(".bin/fluxion") ? "file" : "junction");
}
