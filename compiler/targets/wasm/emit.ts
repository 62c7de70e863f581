/** The loop IR → WebAssembly text → two binaries: plain, and with relaxed SIMD if that differs. */

import type { LoopModule } from "../../kernel/loop.ts";
import type { Emitted, WasmCode } from "../target.ts";
import { assemble } from "./assemble.ts";
import { editsBetween } from "./variants.ts";
import { wat } from "./wat.ts";

export function emitWasm(module: LoopModule): Promise<Emitted<WasmCode>> {
  const plain = wat(module, false);
  const relaxed = wat(module, true);
  if (plain.constants.join() !== relaxed.constants.join()) {
    throw new Error("the two binaries of a program do not read the same constants");
  }
  const binary = assemble(plain.text);
  const isSame = relaxed.text === plain.text;
  return Promise.resolve({
    code: {
      kind: "wasm",
      plain: binary,
      relaxed: isSame ? undefined : editsBetween(binary, assemble(relaxed.text)),
    },
    text: plain.text,
    imports: plain.imports,
    constants: plain.constants,
  });
}
