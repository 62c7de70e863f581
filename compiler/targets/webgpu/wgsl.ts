/**
 * The entries of a device program as one WGSL module. All arrays are in one memory of words; an
 * entry finds what the host passes in a window of uniform words: the number of threads, the place
 * for the call's failure, the address of its cells, a word for alignment, then its parameters.
 */

import type { Local } from "../../kernel/loop.ts";
import { groupSize, mostGroups, windowWords } from "../../../runtime/gpu/launches.ts";
import { type Dialect, sharedText, type Move, ShaderText, type Store } from "../gpu/shaderText.ts";
import type { DeviceProgram, Entry } from "../gpu/split.ts";

export interface WgslModule {
  /** What all entries begin with. */
  readonly frame: string;
  readonly functions: readonly string[];
  readonly entries: readonly string[];
}

export const wgsl: Dialect = {
  variable: (type, name, value) =>
    `var ${name}: ${type}${value === undefined ? "" : ` = ${value}`};`,
  constant: (_, name, value) => `let ${name} = ${value};`,
  head: (name, parameters, result) => {
    const list = parameters.map(([each, type]) => `${each}: ${type}`).join(", ");
    return `fn ${name}(${list})${result === "" ? "" : ` -> ${result}`}`;
  },
  struct: (name, fields) =>
    `struct ${name} { ${fields.map(([each, type]) => `${each}: ${type}`).join(", ")} }`,
  bits: (type, value) => `bitcast<${type}>(${value})`,
  decimal: (digits) => `${digits}f`,
  word: (place) => `memory[${place}]`,
  defined: /\bfn (\w+)/,
};

export function emitWgsl(program: DeviceProgram): WgslModule {
  const used = new Set<string>();
  const moved = new Set<Move["kind"]>();
  const text = (): WgslText => new WgslText(used, moved);
  const entries = program.entries.map((entry, k) => text().entry(entry, k, program.cells));
  const own = program.functions.map((fn) => text().text(fn));
  const shared = sharedText(wgsl, used);
  return {
    frame,
    functions: [...[...moved].map((kind) => moves[kind]), ...shared, ...own],
    entries,
  };
}

const frame = `\
@group(0) @binding(0) var<storage, read_write> memory: array<u32>;
@group(0) @binding(1) var<uniform> words: array<vec4<u32>, ${windowWords / 4}>;

fn word(k: u32) -> u32 { return words[k >> 2u][k & 3u]; }

// The first failure of a call: the place in the program, from 1, and two numbers of the message.
fn fault(site: i32, index: i32, extent: i32) {
  let at = words[0].y >> 2u;
  if (memory[at] == 0u) {
    memory[at + 1u] = bitcast<u32>(index);
    memory[at + 2u] = bitcast<u32>(extent);
    memory[at] = u32(site) + 1u;
  }
}

fn failed() -> bool { return memory[words[0].y >> 2u] != 0u; }`;

/** Copies that may overlap, and zeros. */
const moves = {
  copy: `\
fn copy_words(to: i32, start: i32, bytes: i32) {
  let count = u32(bytes) >> 2u;
  let a = u32(to) >> 2u;
  let b = u32(start) >> 2u;
  if (a <= b) {
    for (var k = 0u; k < count; k++) { memory[a + k] = memory[b + k]; }
  } else {
    for (var k = count; k > 0u; k--) { memory[a + k - 1u] = memory[b + k - 1u]; }
  }
}`,
  clear: `\
fn clear_words(to: i32, bytes: i32) {
  let count = u32(bytes) >> 2u;
  for (var k = 0u; k < count; k++) { memory[(u32(to) >> 2u) + k] = 0u; }
}`,
} as const;

class WgslText extends ShaderText {
  /** Cells for locals, written where they are assigned. */
  private readonly left = new Map<Local, string>();
  private readonly moved: Set<Move["kind"]>;

  constructor(used: Set<string>, moved: Set<Move["kind"]>) {
    super(wgsl, used);
    this.moved = moved;
  }

  entry(entry: Entry, number: number, cells: ReadonlyMap<Local, number>): string {
    const { stores, body, part, comment } = entry;
    const cell = (of: Local): string => `memory[(words[0].z >> 2u) + ${cells.get(of)}u]`;
    const opening = this.opening(entry, cell);
    const thread =
      part === undefined
        ? []
        : [
            `  let ${this.nameOf(part)} = i32(id.x + id.y * ${groupSize * mostGroups}u);`,
            `  if (u32(${this.nameOf(part)}) >= words[0].x) { return; }`,
          ];
    // Of a grid it is one thread that computes them.
    if (part !== undefined) for (const of of stores) this.left.set(of, cell(of));
    const lines = this.list(body, "  ");
    const left =
      part === undefined ? stores.flatMap((of) => this.assigned(cell(of), of, "  ")) : [];
    return [
      `// ${comment.replaceAll("\n", " ")}`,
      `@compute @workgroup_size(${part === undefined ? 1 : groupSize})`,
      `fn entry_${number}(@builtin(global_invocation_id) id: vec3<u32>) {`,
      "  if (failed()) { return; }",
      ...thread,
      ...opening,
      ...lines,
      ...left,
      "}",
    ].join("\n");
  }

  private assigned(cell: string, of: Local, indent: string): readonly string[] {
    return [`${indent}${cell} = bitcast<u32>(${this.nameOf(of)});`];
  }

  protected override leave(of: Local, indent: string): readonly string[] {
    const cell = this.left.get(of);
    return cell === undefined ? [] : this.assigned(cell, of, indent);
  }

  protected override store({ base, index, value }: Store, indent: string): readonly string[] {
    const place = this.place(base, index);
    return [`${indent}memory[${place}] = bitcast<u32>(${this.expr(value)});`];
  }

  protected override move(statement: Move, indent: string): readonly string[] {
    const numbers =
      statement.kind === "copy"
        ? [statement.to, statement.from, statement.bytes]
        : [statement.to, statement.bytes];
    this.moved.add(statement.kind);
    return [
      `${indent}${statement.kind}_words(${numbers.map((each) => this.expr(each)).join(", ")});`,
    ];
  }
}
