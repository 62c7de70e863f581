/** Gives a program a WebGL of which objects are counted: for `node --import`. */

import { provider } from "../../runtime/webgl/context.ts";
import { openRemoteContext } from "../../transformer/remoteWebgl/context.ts";
import { countedContext, counts } from "./counting.ts";

const provide = async (): Promise<WebGL2RenderingContext> => {
  const counted = countedContext(await openRemoteContext());
  Object.assign(globalThis, { [counts]: counted.counts });
  return counted.gl;
};
Object.assign(globalThis, { [provider]: provide });
