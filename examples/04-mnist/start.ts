/** `npm start`: `fluxion run main.ts`; a target among the options goes in front of the file. */

import { fileURLToPath } from "node:url";

const args = process.argv.slice(2);
const at = args.indexOf("--target");
const target = at < 0 ? [] : args.splice(at, 2);
const main = fileURLToPath(new URL("main.ts", import.meta.url));
process.argv.splice(2, Infinity, "run", ...target, main, ...args);
await import(new URL("../../bin/fluxion.js", import.meta.url).href);
