/**
 * Entries as fragment programs. The runtime builds the shader around `thread`, which leaves in
 * `o0`, `o1` and so on what is stored and, where stores are not direct, in `a0`, `a1` and so on
 * the places, from 1 (`runtime/webgl/shaders.ts`).
 */

import type { Local } from "../../kernel/loop.ts";
import { assignedIn } from "../../kernel/rewrite.ts";
import { type Dialect, ShaderText, type Store } from "../gpu/shaderText.ts";
import type { Entry } from "../gpu/split.ts";
import type { Gathering } from "./gather.ts";

export const glsl: Dialect = {
  variable: (type, name, value) => `${type} ${name}${value === undefined ? "" : ` = ${value}`};`,
  constant: (type, name, value) => `${type} ${name} = ${value};`,
  head: (name, parameters, result) => {
    const list = parameters.map(([each, type]) => `${type} ${each}`).join(", ");
    return `${result === "" ? "void" : result} ${name}(${list})`;
  },
  struct: (name, fields) =>
    `struct ${name} { ${fields.map(([each, type]) => `${type} ${each};`).join(" ")} };`,
  bits: (type, value) => `as_${type}(${value})`,
  decimal: (digits) => (/[.e]/.test(digits) ? digits : `${digits}.0`),
  word: (place) => `load(${place})`,
  defined: /\b\w+ (\w+)\([^()]*\) ?\{/,
};

/** Where the cells are. */
export interface Cells {
  readonly base: Local;
  readonly numbers: ReadonlyMap<Local, number>;
}

export class GlslText extends ShaderText {
  private gathering: Gathering | undefined;
  /** Locals that are the same for all threads. */
  private scalars: ReadonlySet<Local> = new Set();

  constructor(used: Set<string>) {
    super(glsl, used);
  }

  thread(entry: Entry, gathering: Gathering, cells: Cells, canFail: boolean): string {
    this.gathering = gathering;
    const assigned = assignedIn(gathering.body);
    this.scalars = new Set([...entry.parameters, ...entry.loads].filter((of) => !assigned.has(of)));
    const { part, comment } = entry;
    const { body, sites, isDirect } = gathering;
    const cell = (of: Local): string => `load((words[0].z >> 2u) + ${cells.numbers.get(of)}u)`;
    const opening = this.opening({ ...entry, body }, cell, [cells.base]);
    const thread = part === undefined ? "thread" : this.threadName(part);
    // Who does not store leaves what was there.
    const before = sites.flatMap(({ first, isCertain }, k) =>
      isDirect && !isCertain && first !== undefined
        ? [`  o${k} = load((u32(${this.expr(first)}) >> 2u) + u32(${thread}));`]
        : [],
    );
    return [
      `// ${comment.replaceAll("\n", " ")}`,
      `void thread(i32 ${thread}) {`,
      ...(canFail ? ["  if (load(words[0].y >> 2u) != 0u) { return; }"] : []),
      ...opening,
      `  ${this.nameOf(cells.base)} = i32(words[0].z);`,
      ...(part === undefined ? [] : this.threads(part)),
      ...before,
      ...this.list(body, "  "),
      "}",
    ].join("\n");
  }

  /** What the number of the thread is called where it comes in. */
  protected threadName(part: Local): string {
    return this.nameOf(part);
  }

  /** Other threads that are done at the same time. */
  protected threads(_part: Local): readonly string[] {
    return [];
  }

  protected isParameter(of: Local): boolean {
    return this.scalars.has(of);
  }

  protected siteOf(statement: Store): number {
    const { sites } = this.gathering as Gathering;
    return sites.findIndex((site) => site.statement === statement);
  }

  protected override store(statement: Store, indent: string): readonly string[] {
    const { isDirect } = this.gathering as Gathering;
    const k = this.siteOf(statement);
    const { base, index, value } = statement;
    const result = `${indent}o${k} = ${this.dialect.bits("u32", this.expr(value))};`;
    if (isDirect) return [result];
    return [result, `${indent}a${k} = ${this.place(base, index)} + 1u;`];
  }
}
