/** `node --import fluxion/register main.ts`: TypeScript files are compiled as they are loaded. */

import { register } from "node:module";

register(new URL(import.meta.url.endsWith(".ts") ? "./hooks.ts" : "./hooks.js", import.meta.url));
