/** What a target is: it spells a program of the loop IR as code, and knows no op's meaning. */

import type {
  WebglCode as ShippedWebgl,
  WebgpuCode as ShippedWebgpu,
} from "../../runtime/manifest.ts";
import type { LoopModule, Origin } from "../kernel/loop.ts";
import type { ProgramOptions } from "../kernel/options.ts";
import { emitJavaScript } from "./js/emit.ts";
import { emitWasm } from "./wasm/emit.ts";
import { emitWebgl } from "./webgl/emit.ts";
import { emitWebgpu } from "./webgpu/emit.ts";
import type { Edits } from "./wasm/variants.ts";

/** The code of a program as it ships; `runtime/manifest.ts` says how it is called. */
export type Code = WasmCode | JavaScriptCode | WebgpuCode | WebglCode;

export interface WasmCode {
  readonly kind: "wasm";
  readonly plain: Uint8Array;
  readonly relaxed: Edits | undefined;
}

export interface JavaScriptCode {
  readonly kind: "js";
  readonly text: string;
}

/** As they ship, with the host's part as text. */
export type WebgpuCode = ShippedWebgpu & { readonly host: string };
export type WebglCode = ShippedWebgl & { readonly host: string };

export interface Emitted<C extends Code = Code> {
  readonly code: C;
  /** The code as text, for people. */
  readonly text: string;
  /** Names of the functions that the runtime provides to the code. */
  readonly imports: readonly string[];
  /** What the code reads at the address of its constants. */
  readonly constants: Uint8Array;
  /** What each launch of a program for a graphics device computes. */
  readonly launches?: readonly Origin[];
}

export interface Target {
  readonly name: string;
  /** How programs are lowered for it. */
  readonly lowering: ProgramOptions;
  readonly emit: (module: LoopModule) => Promise<Emitted>;
}

export const targets = {
  js: { name: "js", lowering: { vectors: false, chunks: false }, emit: emitJavaScript },
  wasm: {
    name: "wasm",
    lowering: { vectors: true, chunks: true, forkAbove: 40_000 },
    emit: emitWasm,
  },
  webgpu: {
    name: "webgpu",
    lowering: { vectors: false, chunks: false, grid: true, wholeWords: true, singles: true },
    emit: emitWebgpu,
  },
  webgl: {
    name: "webgl",
    lowering: {
      vectors: false,
      chunks: false,
      grid: true,
      gathers: true,
      wholeWords: true,
      singles: true,
    },
    emit: emitWebgl,
  },
} as const satisfies Record<string, Target>;
