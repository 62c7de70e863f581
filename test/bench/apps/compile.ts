/**
 * Compiles the program that is named with the plugin for esbuild, writes it with the second text, and
 * compiles it again; prints the milliseconds of both, the first from the start of the process.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { context } from "esbuild";
import { fluxion } from "fluxion/esbuild";

const [file = "", from = "", to = ""] = process.argv.slice(2);
const builder = await context({
  entryPoints: [file],
  bundle: true,
  write: false,
  format: "esm",
  plugins: [fluxion()],
});
await builder.rebuild();
const cold = performance.now();
const source = readFileSync(file, "utf8");
if (!source.includes(from)) throw new Error(`${file} has no ${from} to edit`);
writeFileSync(file, source.replace(from, to));
const edited = performance.now();
await builder.rebuild();
console.log(JSON.stringify({ cold, edit: performance.now() - edited }));
await builder.dispose();
