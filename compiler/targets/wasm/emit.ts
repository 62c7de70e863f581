/** The loop IR → WebAssembly text → two binaries: plain, and with relaxed SIMD. */

import { byteSize, type DType } from "../../ir/types.ts";
import type { Expr, LoopModule, Statement } from "../../kernel/loop.ts";
import { visitExpressions } from "../../kernel/rewrite.ts";
import type { Emitted } from "../target.ts";
import { assemble } from "./assemble.ts";
import { wat } from "./wat.ts";

export function emitWasm(module: LoopModule): Promise<Emitted> {
  const plain = wat(module, false);
  const hasMadd = module.functions.some(({ body }) => usesMadd(body));
  return Promise.resolve({
    code: {
      kind: "wasm",
      plain: assemble(plain.text),
      relaxed: hasMadd ? assemble(wat(module, true).text) : undefined,
    },
    text: plain.text,
    imports: plain.imports,
    constants: plain.constants,
  });
}

function usesMadd(body: readonly Statement[]): boolean {
  let found = false;
  visitExpressions(body, (expr: Expr) => {
    if (expr.kind === "madd" && hasLanes(expr.dtype, expr.lanes)) found = true;
  });
  return found;
}

function hasLanes(dtype: DType, lanes: number): boolean {
  return lanes > 1 && byteSize(dtype) >= 4;
}
