/** The loop IR → WebAssembly text → binaryen → two binaries: plain, and with relaxed SIMD. */

import { byteSize, type DType } from "../../ir/types.ts";
import type { Expr, LoopModule, Statement } from "../../kernel/loop.ts";
import { visitExpressions } from "../../kernel/rewrite.ts";
import type { Emitted } from "../target.ts";
import { wat } from "./wat.ts";

/**
 * What binaryen does besides assembling. The engine optimises well by itself: on training steps of
 * an MLP and a CNN and on scalar loops, `-O2` gained no time over no passes at all. These take a
 * fifth of the time of `-O2` and give half of its 20 % of bytes. Inlining is not among them: a
 * kernel inside `run`, which is called once, would stay in baseline code.
 */
const passes = ["simplify-locals", "coalesce-locals", "reorder-locals", "vacuum"];

export async function emitWasm(module: LoopModule): Promise<Emitted> {
  const plain = wat(module, false);
  const hasMadd = module.functions.some(({ body }) => usesMadd(body));
  const relaxed = hasMadd ? wat(module, true) : undefined;
  return {
    code: {
      kind: "wasm",
      plain: await assemble(plain.text),
      relaxed: relaxed && (await assemble(relaxed.text)),
    },
    text: plain.text,
    imports: plain.imports,
  };
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

/** Binaryen is large: loaded when the first program is emitted. */
export async function assemble(text: string): Promise<Uint8Array> {
  const { default: binaryen } = await import("binaryen");
  const { Features } = binaryen;
  const module = binaryen.parseText(text);
  try {
    // What every engine with SIMD has; `All` would use proposals that none has yet.
    module.setFeatures(
      Features.MutableGlobals |
        Features.NontrappingFPToInt |
        Features.SignExt |
        Features.BulkMemory |
        Features.BulkMemoryOpt |
        Features.Multivalue |
        Features.SIMD128 |
        Features.RelaxedSIMD,
    );
    module.runPasses(passes);
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
