/**
 * WebAssembly text → binary, for the part of the text format that this target writes: one module,
 * imports first, then functions whose instructions are folded, `(i32.add (local.get $x) …)`.
 */

import { Bytes } from "./bytes.ts";
import { instructions } from "./instructions.ts";

export function assemble(text: string): Uint8Array {
  return new Assembler(text).module();
}

const valueTypes: ReadonlyMap<string, number> = new Map([
  ["i32", 0x7f],
  ["i64", 0x7e],
  ["f32", 0x7d],
  ["f64", 0x7c],
  ["v128", 0x7b],
]);

const emptyBlock = 0x40;
const end = 0x0b;

class Assembler {
  private readonly text: string;
  private at = 0;
  private readonly types = new Map<string, number>();
  private readonly functions: ReadonlyMap<string, number>;
  private readonly imports: Bytes[] = [];
  private readonly globals = new Map<string, number>();
  private readonly declared: number[] = [];
  private readonly exports: (readonly [name: string, index: number])[] = [];
  private readonly bodies: Bytes[] = [];
  // Of the function being assembled
  private code = new Bytes();
  private locals = new Map<string, number>();
  private labels: string[] = [];
  /** Where the code ended when a local had just been set, and which. */
  private justSet = { at: -1, local: -1 };

  constructor(text: string) {
    this.text = text;
    const names = [...text.matchAll(/\(func (\$[^\s()]+)/g)].map(([, name]) => name as string);
    this.functions = new Map(names.map((name, k) => [name, k]));
  }

  module(): Uint8Array {
    this.open("module");
    while (this.peek() === "(") {
      this.expect("(");
      const form = this.word();
      if (form === "import") this.import();
      else if (form === "func") this.function();
      else throw this.fault(`(${form} is not part of a module`);
    }
    this.expect(")");
    const binary = new Bytes();
    binary.raw([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    binary.section(1, [...this.types.keys()].map(typeBytes));
    binary.section(2, this.imports);
    binary.section(
      3,
      this.declared.map((type) => Bytes.unsigned(type)),
    );
    binary.section(
      7,
      this.exports.map(([name, index]) => {
        const entry = new Bytes();
        entry.name(name);
        entry.byte(0);
        entry.unsigned(index);
        return entry;
      }),
    );
    binary.section(
      10,
      this.bodies.map((body) => {
        const entry = new Bytes();
        entry.unsigned(body.length);
        entry.append(body);
        return entry;
      }),
    );
    return binary.finish();
  }

  /** `(import "env" "memory" (memory 1 32767))`, or a global that is an i32, or a function. */
  private import(): void {
    const entry = new Bytes();
    entry.name(this.string());
    entry.name(this.string());
    this.expect("(");
    const kind = this.word();
    if (kind === "memory") {
      entry.raw([2, 1]);
      entry.unsigned(Number(this.word()));
      entry.unsigned(Number(this.word()));
    } else if (kind === "global") {
      this.globals.set(this.word(), this.globals.size);
      entry.raw([3, this.valueType(this.word()), 0]);
    } else {
      this.word();
      entry.byte(0);
      entry.unsigned(this.signature().type);
    }
    this.expect(")");
    this.expect(")");
    this.imports.push(entry);
  }

  private function(): void {
    const index = this.functions.get(this.word()) as number;
    this.code = new Bytes();
    this.locals = new Map();
    this.labels = [];
    this.justSet = { at: -1, local: -1 };
    if (this.isAt("(export")) {
      this.open("export");
      this.exports.push([this.string(), index]);
      this.expect(")");
    }
    const { type, parameters } = this.signature();
    this.declared.push(type);
    for (const name of parameters) this.locals.set(name, this.locals.size);
    const body = this.localDeclarations();
    while (this.peek() !== ")") this.instruction();
    this.expect(")");
    this.code.byte(end);
    body.append(this.code);
    this.bodies.push(body);
  }

  /** `(param $x f64) (param i32 i32) (result f64)` */
  private signature(): { readonly type: number; readonly parameters: readonly string[] } {
    const names: string[] = [];
    const lists = { param: [] as number[], result: [] as number[] };
    for (const list of ["param", "result"] as const) {
      while (this.isAt(`(${list}`)) {
        this.open(list);
        if (this.peek() === "$") names.push(this.word());
        while (this.peek() !== ")") lists[list].push(this.valueType(this.word()));
        this.expect(")");
      }
    }
    const key = JSON.stringify([lists.param, lists.result]);
    let type = this.types.get(key);
    if (type === undefined) this.types.set(key, (type = this.types.size));
    return { type, parameters: names };
  }

  /** Locals of one type stand together. */
  private localDeclarations(): Bytes {
    const byType = new Map<number, string[]>();
    while (this.isAt("(local ")) {
      this.open("local");
      const name = this.word();
      const type = this.valueType(this.word());
      this.expect(")");
      const names = byType.get(type);
      if (names === undefined) byType.set(type, [name]);
      else names.push(name);
    }
    const body = new Bytes();
    body.unsigned(byType.size);
    for (const [type, names] of byType) {
      body.unsigned(names.length);
      body.byte(type);
      for (const name of names) this.locals.set(name, this.locals.size);
    }
    return body;
  }

  // Instructions

  private operands(): void {
    while (this.peek() !== ")") this.instruction();
    this.expect(")");
  }

  private instruction(): void {
    if (this.peek() !== "(") {
      this.plain(this.word());
      return;
    }
    this.expect("(");
    const name = this.word();
    const { code } = this;
    switch (name) {
      case "local.get": {
        const local = this.localIndex();
        this.expect(")");
        this.get(local);
        return;
      }
      case "local.set": {
        const local = this.localIndex();
        this.operands();
        code.byte(0x21);
        code.unsigned(local);
        this.justSet = { at: code.length, local };
        return;
      }
      case "global.get":
        code.byte(0x23);
        code.unsigned(this.globals.get(this.word()) ?? 0);
        this.expect(")");
        return;
      case "call": {
        const callee = this.word();
        const index = this.functions.get(callee);
        if (index === undefined) throw this.fault(`there is no function ${callee}`);
        this.operands();
        code.byte(0x10);
        code.unsigned(index);
        return;
      }
      case "block":
      case "loop":
        code.byte(name === "block" ? 0x02 : 0x03);
        code.byte(emptyBlock);
        this.labels.push(this.word());
        this.operands();
        this.labels.pop();
        code.byte(end);
        return;
      case "br":
      case "br_if": {
        const label = this.word();
        this.operands();
        code.byte(name === "br" ? 0x0c : 0x0d);
        code.unsigned(this.labels.length - 1 - this.labels.lastIndexOf(label));
        return;
      }
      case "if":
        this.if();
        return;
      case "i32.const":
        code.byte(0x41);
        code.signed(BigInt(Number(this.word()) | 0));
        this.expect(")");
        return;
      case "i64.const":
        code.byte(0x42);
        code.signed(BigInt(this.word()));
        this.expect(")");
        return;
      case "f32.const":
        code.byte(0x43);
        code.float32(number(this.word()));
        this.expect(")");
        return;
      case "f64.const":
        code.byte(0x44);
        code.float64(number(this.word()));
        this.expect(")");
        return;
      default:
        this.folded(name);
    }
  }

  /** Reads a local; what was set by the instruction before stays on the stack as well. */
  private get(local: number): void {
    const { code, justSet } = this;
    if (justSet.at === code.length && justSet.local === local) {
      code.truncate(code.length - 1 - Bytes.unsigned(local).length);
      code.byte(0x22);
    } else code.byte(0x20);
    code.unsigned(local);
    this.justSet = { at: -1, local: -1 };
  }

  private if(): void {
    const { code } = this;
    let type = emptyBlock;
    if (this.isAt("(result")) {
      this.open("result");
      type = this.valueType(this.word());
      this.expect(")");
    }
    while (!this.isAt("(then")) this.instruction();
    code.byte(0x04);
    code.byte(type);
    this.labels.push("");
    this.open("then");
    this.operands();
    if (this.isAt("(else")) {
      code.byte(0x05);
      this.open("else");
      this.operands();
    }
    this.expect(")");
    this.labels.pop();
    code.byte(end);
  }

  private folded(name: string): void {
    const { code } = this;
    const found = instructions.get(name);
    if (found === undefined) throw this.fault(`there is no instruction ${name}`);
    const { immediate } = found;
    const written: number[] = [];
    let offset = 0;
    const hasAddress = immediate === "address" || immediate === "address lane";
    if (hasAddress) {
      while (/[ao]/.test(this.peek())) {
        const [key, value] = this.word().split("=");
        if (key === "offset") offset = Number(value);
      }
    }
    if (immediate === "lane" || immediate === "address lane" || immediate === "lanes") {
      const count = immediate === "lanes" ? 16 : 1;
      for (let k = 0; k < count; k++) written.push(Number(this.word()));
    }
    this.operands();
    if (found.prefix !== undefined) {
      code.byte(found.prefix);
      code.unsigned(found.code);
    } else code.byte(found.code);
    if (hasAddress) {
      code.byte(0);
      code.unsigned(offset);
    }
    code.raw(written);
    if (immediate === "zero") code.byte(0);
    if (immediate === "zeros") code.raw([0, 0]);
  }

  private plain(name: string): void {
    const found = instructions.get(name);
    if (found === undefined) throw this.fault(`there is no instruction ${name}`);
    this.code.byte(found.code);
  }

  private localIndex(): number {
    const name = this.word();
    const index = this.locals.get(name);
    if (index === undefined) throw this.fault(`there is no local ${name}`);
    return index;
  }

  private valueType(name: string): number {
    const type = valueTypes.get(name);
    if (type === undefined) throw this.fault(`there is no type ${name}`);
    return type;
  }

  // Text

  private open(name: string): void {
    this.expect("(");
    const found = this.word();
    if (found !== name) throw this.fault(`(${name} is expected, not (${found}`);
  }

  /** The next character that is neither space nor in a comment. */
  private peek(): string {
    const { text } = this;
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code === 32 || code === 10) this.at++;
      else if (code === 59) this.at = text.indexOf("\n", this.at);
      else return text.charAt(this.at);
    }
  }

  private isAt(start: string): boolean {
    this.peek();
    return this.text.startsWith(start, this.at);
  }

  private expect(character: string): void {
    if (this.peek() !== character) throw this.fault(`${character} is expected`);
    this.at++;
  }

  private word(): string {
    this.peek();
    const { text } = this;
    const start = this.at;
    for (;;) {
      const code = text.charCodeAt(this.at);
      // A space, a line's end, a parenthesis, the end of the text
      if (code === 32 || code === 10 || code === 40 || code === 41 || Number.isNaN(code)) break;
      this.at++;
    }
    if (this.at === start) throw this.fault("a word is expected");
    return text.slice(start, this.at);
  }

  private string(): string {
    return this.word().slice(1, -1);
  }

  private fault(message: string): Error {
    const near = this.text.slice(Math.max(0, this.at - 60), this.at + 20);
    return new Error(`${message}, in WebAssembly text near\n${near}`);
  }
}

function number(text: string): number {
  if (text === "nan") return NaN;
  if (text === "inf") return Infinity;
  return text === "-inf" ? -Infinity : Number(text);
}

function typeBytes(key: string): Bytes {
  const [parameters, results] = JSON.parse(key) as readonly [number[], number[]];
  const type = new Bytes();
  type.byte(0x60);
  for (const list of [parameters, results]) {
    type.unsigned(list.length);
    type.raw(list);
  }
  return type;
}
