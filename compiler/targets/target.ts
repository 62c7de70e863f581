/** What a target is: it spells a program of the loop IR as code, and knows no op's meaning. */

import type { LoopModule } from "../kernel/loop.ts";
import type { ProgramOptions } from "../kernel/options.ts";
import { emitJavaScript } from "./js/emit.ts";
import { emitWasm } from "./wasm/emit.ts";
import { emitWebgpu } from "./webgpu/emit.ts";
import type { Edits } from "./wasm/variants.ts";

/** The code of a program as it ships; `runtime/manifest.ts` says how it is called. */
export type Code = WasmCode | JavaScriptCode | WebgpuCode;

export interface WasmCode {
  readonly kind: "wasm";
  readonly plain: Uint8Array;
  readonly relaxed: Edits | undefined;
}

export interface JavaScriptCode {
  readonly kind: "js";
  readonly text: string;
}

/** Code for a device, and what the host does to have it run. */
export interface WebgpuCode {
  readonly kind: "webgpu";
  /** A JavaScript function from its environment to `run`. */
  readonly host: string;
  /** What all entries begin with, and functions that some of them call. */
  readonly frame: string;
  readonly functions: readonly string[];
  readonly entries: readonly WebgpuEntry[];
  /** Words that entries leave for each other. */
  readonly cells: number;
}

/** A kernel, `entry_0`, `entry_1` and so on, which is a module of its own for the device. */
export interface WebgpuEntry {
  /** `1` or `n` threads, then the types of its parameters, `i` or `f` each. */
  readonly types: string;
  readonly text: string;
  /** The functions that it calls, and those that they call, callees first. */
  readonly uses: readonly number[];
}

export interface Emitted<C extends Code = Code> {
  readonly code: C;
  /** The code as text, for people. */
  readonly text: string;
  /** Names of the functions that the runtime provides to the code. */
  readonly imports: readonly string[];
  /** What the code reads at the address of its constants. */
  readonly constants: Uint8Array;
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
} as const satisfies Record<string, Target>;
