/** The loop IR → WebAssembly text → two binaries: plain, and with relaxed SIMD if that differs. */

import type { LoopModule } from "../../kernel/loop.ts";
import type { Emitted } from "../target.ts";
import { assemble } from "./assemble.ts";
import { wat } from "./wat.ts";

export function emitWasm(module: LoopModule): Promise<Emitted> {
  const plain = wat(module, false);
  const relaxed = wat(module, true);
  if (plain.constants.join() !== relaxed.constants.join()) {
    throw new Error("the two binaries of a program do not read the same constants");
  }
  return Promise.resolve({
    code: {
      kind: "wasm",
      plain: assemble(plain.text),
      relaxed: relaxed.text === plain.text ? undefined : assemble(relaxed.text),
    },
    text: plain.text,
    imports: plain.imports,
    constants: plain.constants,
  });
}
