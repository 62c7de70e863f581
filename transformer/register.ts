/** `node --import fluxion/register main.ts`: TypeScript files are compiled as they are loaded. */

import { register } from "node:module";
import { provider } from "../runtime/webgl/context.ts";

register(new URL(import.meta.url.endsWith(".ts") ? "./hooks.ts" : "./hooks.js", import.meta.url));

// Programs for WebGL find one, for which a browser is started; those that could do without do without.
if (process.env["FLUXION_TARGET"] !== "auto")
  Object.assign(globalThis, {
    [provider]: async () => {
      const { openRemoteContext } = await import("./remoteWebgl/context.ts");
      return openRemoteContext();
    },
  });
