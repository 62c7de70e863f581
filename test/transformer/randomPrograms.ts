/** Random functions in TypeScript: loops, branches, jumps, arrays, records, closures. */

import fc from "fast-check";

/** The text of `(x: number, y: number, a: Float64Array) => …`, which always ends. */
export function randomFunction(): fc.Arbitrary<string> {
  return fc.infiniteStream(fc.nat({ max: 2 ** 30 })).map((stream) => new Writer(stream).text());
}

class Writer {
  private readonly stream: Iterator<number>;
  private readonly lines: string[] = [];
  private indent = 1;
  private fresh = 0;
  private budget = 28;

  constructor(stream: Iterator<number>) {
    this.stream = stream;
  }

  text(): string {
    this.line("let p = x;");
    this.line("let q = 0.5;");
    this.line("let n = 1;");
    this.line("const b = new Float64Array(4);");
    this.line("let c = new Float64Array(4);");
    this.line("let e = c.slice();");
    this.line("let r = { u: y, v: 0 };");
    this.line("const held = [x, 1, y];");
    this.line("const add = (value: number) => { q += value; return q > 3 ? q - value : value; };");
    this.block({ depth: 0, loops: [] });
    this.line(
      "return [p, q, n, r.u, r.v, b[0], b[1], b[2], b[3], c[0], c[1], e[0], e[3], held[1]];",
    );
    return `(x: number, y: number, a: Float64Array) => {\n${this.lines.join("\n")}\n}`;
  }

  private pick(count: number): number {
    return (this.stream.next().value as number) % count;
  }

  private line(text: string): void {
    this.lines.push(`${"  ".repeat(this.indent)}${text}`);
  }

  private block(place: Place): void {
    const count = 1 + this.pick(4);
    for (let k = 0; k < count && this.budget > 0; k++) this.statement(place);
  }

  private inside(place: Place): void {
    this.indent++;
    this.block(place);
    this.indent--;
  }

  private statement(place: Place): void {
    this.budget--;
    const deeper = { ...place, depth: place.depth + 1 };
    const kind = this.pick(place.depth > 3 ? 8 : 17);
    switch (kind) {
      case 0:
      case 1:
        return this.line(`${this.variable()} = ${this.number(2)};`);
      case 2:
        return this.line(
          `${this.variable()} ${["+=", "-=", "*="][this.pick(3)]} ${this.number(1)};`,
        );
      case 3:
        return this.line(`b[${this.index()}] ${["=", "+="][this.pick(2)]} ${this.number(2)};`);
      case 4:
        return this.line(`n = Math.max(-9, Math.min(9, Math.round(${this.number(1)}))) || 0;`);
      case 5:
        return this.line(`p = add(${this.number(1)});`);
      case 6:
        return this.jump(place);
      case 7:
        return this.aggregate();
      case 8:
      case 9:
      case 15:
        this.line(`if (${this.condition(2)}) {`);
        this.inside(deeper);
        if (this.pick(2) === 0) {
          this.line("} else {");
          this.inside(deeper);
        }
        return this.line("}");
      case 10:
      case 11: {
        const i = `i${this.fresh++}`;
        const header = [
          `let ${i} = 0; ${i} < ${1 + this.pick(4)}; ${i}++`,
          `let ${i} = 3; ${i} >= 0; ${i} -= ${1 + this.pick(2)}`,
          `let ${i} = 0; ${i} < a.length; ${i}++`,
          `let ${i} = 1; ${i} <= n; ${i} += 2`,
        ][this.pick(4)];
        const label = `l${this.fresh++}`;
        this.line(`${label}: for (${header}) {`);
        this.inside({ ...deeper, loops: [...place.loops, label], counter: i });
        return this.line("}");
      }
      case 12: {
        const w = `w${this.fresh++}`;
        const label = `l${this.fresh++}`;
        this.line(`let ${w} = 0;`);
        this.line(`${label}: while (${w}++ < ${1 + this.pick(4)} && ${this.condition(1)}) {`);
        this.inside({ ...deeper, loops: [...place.loops, label] });
        return this.line("}");
      }
      case 13: {
        const d = `d${this.fresh++}`;
        this.line(`let ${d} = 0;`);
        this.line("do {");
        this.inside({ ...deeper, loops: [...place.loops, undefined] });
        return this.line(`} while (++${d} < 3 && ${this.condition(1)});`);
      }
      default:
        this.line("switch (n) {");
        for (let k = 0; k < 2 + this.pick(2); k++) {
          this.line(k === 2 ? "default:" : `case ${k}:`);
          this.inside(deeper);
          if (this.pick(3) > 0) this.line("  break;");
        }
        return this.line("}");
    }
  }

  private jump(place: Place): void {
    const { loops } = place;
    const [kind, condition] = [this.pick(6), this.condition(1)];
    if (kind === 0) {
      return this.line(
        `if (${condition}) return [p, q, n, r.u, r.v, 7, b[1], b[2], b[3], c[0], c[1], e[0], e[3], held[1]];`,
      );
    }
    const label = loops[this.pick(Math.max(1, loops.length))];
    if (loops.length === 0) return this.line(`r.v = ${this.number(1)};`);
    const inner = loops.at(-1) !== undefined && this.pick(2) === 0;
    const to = inner || label === undefined ? (loops.at(-1) ?? "") : label;
    const word = kind % 2 === 0 ? "break" : "continue";
    this.line(`if (${condition}) ${word} ${to};`.replace(" ;", ";"));
  }

  /** Arrays and records that are replaced, moved and swapped. */
  private aggregate(): void {
    const choices = [
      "[c, e] = [e, c];",
      `c[${this.index()}] = ${this.number(1)};`,
      `e[${this.index()}] += ${this.number(1)};`,
      "e = c.slice();",
      "c = new Float64Array(4).fill(q);",
      `r = { u: ${this.number(1)}, v: r.u };`,
      `r = { ...r, v: ${this.number(1)} };`,
      `held[n & 1] = ${this.number(1)};`,
      `const { u, v: w } = r; r = { u: w, v: u };`,
      "{ const t = c; c = e; e = t; }",
      "c = e.map((value, k) => value * 0.5 + k + r.u);",
      "p = b.reduce((sum, value) => sum + value, q);",
      // Of another length each time that it is made.
      "{ const s = new Float64Array(1 + (n & 3)).fill(q); for (let k = 1; k < s.length; k++) s[k] = s[k - 1]! * s[k]! * 0.5 + p; r.v = s[s.length - 1]! * s[0]!; }",
    ];
    const chosen = choices[this.pick(choices.length)] as string;
    this.line(chosen.startsWith("const") ? `{ ${chosen} }` : chosen);
  }

  private variable(): string {
    return ["p", "q", "r.u", "r.v"][this.pick(4)] as string;
  }

  private index(): string {
    return ["0", "n & 3", "(n + 12) % 4", "3"][this.pick(4)] as string;
  }

  private number(depth: number): string {
    if (depth === 0 || this.pick(3) === 0) {
      const leaves = [
        "p",
        "q",
        "n",
        "r.u",
        "r.v",
        "x",
        "y",
        "0.25",
        "-1",
        "2",
        "b[n & 3]",
        "a[0]!",
        "c[n & 3]",
        "e[1]",
        "held[n & 1]",
      ];
      return leaves[this.pick(leaves.length)] as string;
    }
    const [one, other] = [this.number(depth - 1), this.number(depth - 1)];
    return [
      `(${one} + ${other})`,
      `(${one} - ${other})`,
      `(${one} * ${other})`,
      `Math.abs(${one})`,
      `(${this.condition(depth - 1)} ? ${one} : ${other})`,
      `Math.min(${one}, ${other})`,
      `(${one} | 0)`,
      `(${one} % 3)`,
      `(${one} || ${other})`,
    ][this.pick(9)] as string;
  }

  private condition(depth: number): string {
    const [one, other] = [this.number(depth), this.number(0)];
    const test = `${one} ${["<", ">", "<=", ">=", "===", "!=="][this.pick(6)]} ${other}`;
    if (depth === 0 || this.pick(3) > 0) return test;
    const more = this.condition(depth - 1);
    return [`(${test} && ${more})`, `(${test} || ${more})`, `!(${test})`][this.pick(3)] as string;
  }
}

interface Place {
  readonly depth: number;
  /** Labels of the loops around, outermost first; undefined for one without a label. */
  readonly loops: readonly (string | undefined)[];
  readonly counter?: string;
}
