/** A module of the loop IR as WGSL, and as JavaScript for what the host does. */

import { firstParameter, windowWords } from "../../../runtime/gpu/launches.ts";
import type { LoopModule } from "../../kernel/loop.ts";
import { splitProgram } from "../gpu/split.ts";
import { hostText, importsOf } from "../js/emit.ts";
import type { Emitted, WebgpuCode } from "../target.ts";
import { calledIn, compact } from "../gpu/compact.ts";
import { emitWgsl, wgsl as dialect } from "./wgsl.ts";

/** What the runtime provides to the host's part. */
const provided = ["launch", "allocate", "release", "fault", "hand_over"];

export function emitWebgpu(module: LoopModule): Promise<Emitted<WebgpuCode>> {
  const program = splitProgram(module);
  const host = hostText(program.host, module.constantsBase, provided);
  const wgsl = emitWgsl(program);
  const texts = compact([wgsl.frame, ...wgsl.functions, ...wgsl.entries]);
  const [frame = ""] = texts;
  const functions = texts.slice(1, 1 + wgsl.functions.length);
  const entries = texts.slice(1 + wgsl.functions.length);
  const code: WebgpuCode = {
    kind: "webgpu",
    host,
    frame,
    functions,
    entries: program.entries.map(({ parameters, part }, k) => {
      if (parameters.length > windowWords - firstParameter) {
        throw new Error(`a kernel has ${parameters.length} parameters`);
      }
      const types = parameters.map(({ type }) => (type === "i32" ? "i" : "f"));
      const text = entries[k] as string;
      const uses = calledIn(text, functions, dialect);
      return { types: (part === undefined ? "1" : "n") + types.join(""), text, uses };
    }),
    launches: program.launches.map(({ entry }) => entry),
    cells: program.cells.size,
  };
  const whole = [wgsl.frame, ...wgsl.functions, ...wgsl.entries].join("\n\n");
  return Promise.resolve({
    code,
    text: `${whole}\n\n/*\n${host}\n*/\n`,
    imports: importsOf(host),
    constants: module.constants,
    launches: program.launches.map(({ origin }) => origin),
  });
}
