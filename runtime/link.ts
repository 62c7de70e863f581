/** A program's code, tied to the memory and to the functions that it imports. */

import { fromText } from "./binary.ts";
import { namedFunctions } from "./functions.ts";
import type { Binary, Code, Layout } from "./manifest.ts";
import type { Parts } from "./parts.ts";
import { pool } from "./storage.ts";

export type Run = (...operands: number[]) => number | undefined;
/** Runs a part of a kernel with the operands of the record. */
export type Task = (kernel: number, thread: number, part: number, parts: number) => void;

export type WasmCode = Extract<Code, { kind: "wasm" }>;

/** Threads that take parts of kernels. Without any, a program runs where it is called. */
export interface Crew {
  /** How many there are, with the one that calls. */
  readonly count: number;
  /** Tells the others about a program. */
  readonly add: (program: Linked) => void;
  /** Has so many parts of a kernel done, 255 at most. */
  readonly fork: (program: Linked, kernel: number, parts: number) => void;
}

interface Team {
  /** Programs by their numbers, as long as somebody has them. */
  readonly programs: WeakRef<Linked>[];
  /** The threads that there are. */
  crew: Crew | undefined;
  /** Makes a binary import memory that is shared, once it is. */
  share: ((binary: Uint8Array) => void) | undefined;
}

export const team: Team = { programs: [], crew: undefined, share: undefined };

export class Linked {
  /** The code, tied to the memory. Another function after the memory has become another one. */
  run: Run = notLinked;
  /** Runs a part of a kernel; undefined where threads have nothing to do. */
  task: Task | undefined;
  module: WebAssembly.Module | undefined;
  readonly layout: Layout;
  readonly constants: number;
  readonly code: Code;
  readonly number: number = team.programs.length;
  private readonly parts: Parts;

  constructor(layout: Layout, code: Code, parts: Parts) {
    this.layout = layout;
    this.code = code;
    this.parts = parts;
    this.constants = placeConstants(layout.constants);
    team.programs.push(new WeakRef(this));
    if (code.kind === "js") this.run = parts.runText?.(code.text, this.imports()) as Run;
  }

  /** Ties the code to the memory as it is now. */
  link(module: WebAssembly.Module): void {
    const { exports } = new WebAssembly.Instance(module, this.imports());
    this.module = module;
    this.run = exports["run"] as Run;
    this.task = exports["task"] as Task | undefined;
    team.crew?.add(this);
  }

  private imports(): WebAssembly.Imports {
    const { functions, fault, heap } = this.parts;
    const { sites, imports } = this.layout;
    return {
      env: {
        memory: pool.memory.memory,
        constants: this.constants,
        fault: (site: number, index: number, extent: number): never => {
          throw fault?.(sites[site], index, extent);
        },
        ...heap,
        fork: (kernel: number, parts: number): void => team.crew?.fork(this, kernel, parts),
      },
      math: namedFunctions(imports, functions),
    };
  }
}

/** Compiles off the main thread; again if the memory has become another one meanwhile. */
export async function linkLater(program: Linked, code: WasmCode): Promise<void> {
  const { memory } = pool.memory;
  const module = await WebAssembly.compile(binaryOf(code));
  if (memory === pool.memory.memory) program.link(module);
  else await linkLater(program, code);
}

function notLinked(): never {
  throw new Error("a program is called before its code is linked");
}

function placeConstants(text: string): number {
  if (text === "") return 0;
  const bytes = fromText(text);
  const address = pool.memory.allocate(bytes.length);
  pool.memory.views.u8.set(bytes, address);
  return address;
}

/** The binary for this engine, and for the memory as it is now. */
export function binaryOf(
  code: WasmCode,
  share: Team["share"] = team.share,
): Uint8Array<ArrayBuffer> {
  let bytes = bytesOf(code.plain);
  if (code.relaxed !== undefined && hasRelaxedSimd()) {
    const plain = bytes;
    let at = 0;
    const pieces = code.relaxed.map((piece) => {
      if (typeof piece === "string" || piece instanceof Uint8Array) return bytesOf(piece);
      const [skip, length] = piece;
      at += skip + length;
      return plain.subarray(at - length, at);
    });
    bytes = Uint8Array.from(pieces.flatMap((piece) => [...piece]));
  }
  share?.(bytes);
  return bytes;
}

function bytesOf(binary: Binary): Uint8Array<ArrayBuffer> {
  return typeof binary === "string" ? fromText(binary) : binary.slice();
}

/** A module whose one function is `f32x4.relaxed_madd` of its parameter. */
const relaxedProbe = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32,
  0, 32, 0, 253, 133, 2, 11,
]);

function hasRelaxedSimd(): boolean {
  return WebAssembly.validate(relaxedProbe);
}
