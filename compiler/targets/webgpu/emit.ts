/** A module of the loop IR as WGSL, and as JavaScript for what the host does. */

import type { LoopModule } from "../../kernel/loop.ts";
import { splitProgram } from "../gpu/split.ts";
import { hostText, importsOf } from "../js/emit.ts";
import type { Emitted, WebgpuCode } from "../target.ts";
import { compactWgsl, emitWgsl, firstParameter, windowWords } from "./wgsl.ts";

/** What the runtime provides to the host's part. */
const provided = ["launch", "allocate", "release", "fault", "hand_over"];

export function emitWebgpu(module: LoopModule): Promise<Emitted<WebgpuCode>> {
  const program = splitProgram(module);
  const host = hostText(program.host, module.constantsBase, provided);
  const wgsl = emitWgsl(program);
  const entries = program.entries.map(({ parameters, part }) => {
    if (parameters.length > windowWords - firstParameter) {
      throw new Error(`a kernel has ${parameters.length} parameters`);
    }
    const types = parameters.map(({ type }) => (type === "i32" ? "i" : "f"));
    return (part === undefined ? "1" : "n") + types.join("");
  });
  return Promise.resolve({
    code: { kind: "webgpu", host, wgsl: compactWgsl(wgsl), entries, cells: program.cells.size },
    text: `${wgsl}\n/*\n${host}\n*/\n`,
    imports: importsOf(host),
    constants: module.constants,
  });
}
