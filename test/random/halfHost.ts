/**
 * Random asynchronous roots: host statements (logs, waits, jumps, errors, closures, generators) and
 * work on tensors, nested in each other. What they do is what they do as plain TypeScript.
 */

import { type Choose, pick } from "./choose.ts";

/** What a program has of the host; it writes down what is asked of it. */
export const header = `
import { compile, type Tensor, valueAndGrad } from "fluxion";

type V = Tensor<[3]>;
type S = Tensor<[]>;
interface P { readonly w: V; readonly b: S }
interface R { v: V; n: number }
interface Host {
  log(...values: unknown[]): void;
  keep(value: unknown): void;
  pause(): Promise<void>;
  flip(): boolean;
  count(): number;
  risk(): void;
  odd(): Tensor<[number]>;
  stream(count: number): AsyncGenerator<{ x: V; k: number }>;
}
const lossOf = (p: P, x: V): S => p.w.mul(x).add(p.b).tanh().square().mean();
const moved = (p: P, g: P): P => ({ w: p.w.sub(g.w.mul(0.25)), b: p.b.sub(g.b.mul(0.25)) });
function halved(a: Float64Array): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < a.length; i++) out[i] = 0.5 * a[i]! + 0.25 * (i > 0 ? out[i - 1]! : 1);
  return out;
}
`;

/** The text of \`(host: Host) => compile(async …)\`. */
export function halfHostProgram(choose: Choose): string {
  return new Writer(choose).text();
}

/** v, s: tensors; p: a record of them; n: a number; a: an array; r: a record that is written. */
type Kind = "v" | "s" | "p" | "n" | "a" | "r" | "f" | "g" | "h";

const typeOf: Readonly<Record<string, string>> = {
  ...{ v: "V", s: "S", p: "P", n: "number", a: "Float64Array", r: "R" },
};

interface Variable {
  readonly name: string;
  readonly kind: Kind;
  readonly isConst: boolean;
}

interface Place {
  readonly depth: number;
  readonly scope: Variable[];
  /** Labels of the loops around, undefined of those without. */
  readonly loops: readonly (string | undefined)[];
  /** Whether `break` alone would leave a switch. */
  readonly isInSwitch: boolean;
  /** In `finally`, from where people do not jump. */
  readonly isLast: boolean;
  readonly fn: "root" | "generator" | "async" | "sync";
}

class Writer {
  private readonly choose: Choose;
  private readonly lines: string[] = [];
  private indent = 1;
  private fresh = 0;
  private budget = 26;
  /** Where the block of a scope begins, and what is declared around it. */
  private readonly starts = new Map<
    readonly Variable[],
    { readonly line: number; readonly declared: readonly string[] }
  >();

  constructor(choose: Choose) {
    this.choose = choose;
  }

  text(): string {
    const isGenerator = this.chance(0.15);
    const scope: Variable[] = [
      { name: "x0", kind: "v", isConst: true },
      { name: "y0", kind: "v", isConst: this.chance(0.5) },
      { name: "p0", kind: "p", isConst: this.chance(0.5) },
      { name: "n0", kind: "n", isConst: this.chance(0.5) },
      { name: "a0", kind: "a", isConst: true },
    ];
    const place: Place = {
      ...{ depth: 0, scope, loops: [], isInSwitch: false, isLast: false },
      fn: isGenerator ? "generator" : "root",
    };
    const given = this.chance(0.1) ? ", s0: S = x0.sum()" : "";
    if (given !== "") scope.push({ name: "s0", kind: "s", isConst: false });
    for (const kind of ["v", "p", "n"] as const) this.declaration(place, kind);
    while (this.budget > 0) this.statement(place);
    this.line(`return ${this.all(place)};`);
    const star = isGenerator ? "function*" : "function";
    const type = isGenerator ? "AsyncGenerator<unknown, unknown, boolean>" : "Promise<unknown>";
    const parameters = `x0: V, y0: V, p0: P, n0: number, a0: Float64Array, list: readonly V[]${given}`;
    return `(host: Host) => compile(async ${star} (${parameters}): ${type} {\n${this.lines.join("\n")}\n})`;
  }

  // Choices

  private chance(share: number): boolean {
    return this.choose() < share;
  }

  private pick<T>(items: readonly T[]): T {
    return pick(this.choose, items);
  }

  private of(place: Place, kind: Kind, isWritten = false): Variable | undefined {
    const visible = new Map(place.scope.map((variable) => [variable.name, variable]));
    const fitting = [...visible.values()].filter(
      (variable) => variable.kind === kind && !(isWritten && variable.isConst),
    );
    if (fitting.length === 0) return undefined;
    // The newest ones, mostly.
    return this.chance(0.5) ? fitting.at(-1) : this.pick(fitting);
  }

  private name(kind: Kind): string {
    return `${kind}${++this.fresh}`;
  }

  private line(text: string): void {
    this.lines.push(`${"  ".repeat(this.indent)}${text}`);
  }

  // Expressions

  private expression(place: Place, kind: Kind, depth = 2): string {
    switch (kind) {
      case "v":
        return this.vector(place, depth);
      case "s":
        return this.scalar(place, depth);
      case "p":
        return this.record(place, depth);
      case "n":
        return this.number(place, depth);
      case "a": {
        const a = this.of(place, "a")?.name ?? "a0";
        return this.pick([`halved(${a})`, `${a}.map((q) => q * 0.5)`, `${a}.slice()`]);
      }
      default:
        return `{ v: ${this.vector(place, 1)}, n: ${this.number(place, 1)} }`;
    }
  }

  private vector(place: Place, depth: number): string {
    const v = (): string => this.vector(place, depth - 1);
    const variable = this.of(place, "v")?.name ?? "x0";
    const r = this.of(place, "r");
    if (depth <= 0) return variable;
    const choices = [
      () => variable,
      () => `${v()}.mul(${this.number(place, depth - 1)}).tanh()`,
      () => `${v()}.add(${v()}).tanh()`,
      () => `${v()}.sub(${this.scalar(place, depth - 1)}).tanh()`,
      () => `${this.of(place, "p")?.name ?? "p0"}.w`,
      () => (r === undefined ? variable : `${r.name}.v`),
      () => `(${this.condition(place, 1)} ? ${v()} : ${v()})`,
    ];
    const f = this.of(place, "f");
    if (f !== undefined)
      choices.push(
        () => `${f.name}(${v()})`,
        () => `${f.name}(${v()})`,
      );
    return this.pick(choices)();
  }

  private scalar(place: Place, depth: number): string {
    const s = this.of(place, "s")?.name;
    if (depth <= 0) return s ?? "p0.b";
    return this.pick([
      () => `${this.vector(place, depth - 1)}.sum()`,
      () => `${this.vector(place, depth - 1)}.mean().add(${this.scalar(place, depth - 1)}).tanh()`,
      () => `lossOf(${this.of(place, "p")?.name ?? "p0"}, ${this.vector(place, depth - 1)})`,
      () => s ?? "p0.b",
    ])();
  }

  private record(place: Place, depth: number): string {
    const p = this.of(place, "p")?.name ?? "p0";
    return this.pick([
      () => p,
      () => `{ w: ${this.vector(place, depth - 1)}, b: ${this.scalar(place, depth - 1)} }`,
      () => `{ ...${p}, b: ${this.scalar(place, depth - 1)} }`,
      () => `moved(${p}, ${this.of(place, "p")?.name ?? "p0"})`,
    ])();
  }

  private number(place: Place, depth: number): string {
    const n = this.of(place, "n")?.name ?? "n0";
    const r = this.of(place, "r");
    if (depth <= 0) return this.pick([n, "0.5", "2"]);
    return this.pick([
      () => n,
      () => `Math.sin(${n} + ${this.number(place, depth - 1)})`,
      () => `${this.scalar(place, depth)}.item()`,
      () => `${this.scalar(place, 1)}.item()`,
      () => `${this.of(place, "a")?.name ?? "a0"}[${this.pick([0, 1, 2])}]!`,
      () => (r === undefined ? n : `${r.name}.n`),
      () => "host.count()",
      () => `(${this.condition(place, 1)} ? ${this.number(place, depth - 1)} : 0.75)`,
    ])();
  }

  private condition(place: Place, depth: number): string {
    return this.pick([
      () => `${this.number(place, depth)} > 0.137`,
      () => `${this.scalar(place, depth)}.item() < 0.4321`,
      () => "host.flip()",
      () => `(host.flip() && ${this.number(place, depth)} < 0.6173)`,
      () => `(${this.number(place, 0)} > 1.137 || host.flip())`,
    ])();
  }

  private all({ scope }: Place): string {
    const names = new Set(scope.filter(({ kind }) => typeOf[kind]).map(({ name }) => name));
    return `[${[...names].join(", ")}]`;
  }

  // Statements

  private declaration(place: Place, kind: Kind): void {
    const value = this.expression(place, kind);
    const known = place.scope.filter((variable) => variable.kind === kind && place.depth > 0);
    // A name from around in another block, where the value does not mention it.
    const own = new Set(this.mentioned(place));
    const other = known.find(
      ({ name }) => !own.has(name) && !new RegExp(`\\b${name}\\b`).test(value),
    );
    const name = other !== undefined && this.chance(0.2) ? other.name : this.name(kind);
    const isConst = this.chance(0.3);
    this.line(`${isConst ? "const" : "let"} ${name}: ${typeOf[kind]} = ${value};`);
    place.scope.push({ name, kind, isConst });
  }

  /** The names that a block has mentioned so far, and those of its parameters. */
  private mentioned({ scope }: Place): readonly string[] {
    const { line, declared } = this.starts.get(scope) ?? { line: 0, declared: [] };
    const text = this.lines.slice(line).join("\n");
    const names = scope.map(({ name }) => name);
    return [...declared, ...names.filter((name) => new RegExp(`\\b${name}\\b`).test(text))];
  }

  private block(place: Place, inside: Partial<Place>, declared: readonly Variable[] = []): void {
    const scope = [...place.scope, ...declared];
    this.starts.set(scope, { line: this.lines.length, declared: declared.map(({ name }) => name) });
    const inner: Place = { ...place, depth: place.depth + 1, ...inside, scope };
    this.indent++;
    const count = 1 + Math.floor(this.choose() * 4);
    for (let k = 0; k < count && this.budget > 0; k++) this.statement(inner);
    this.indent--;
  }

  private statement(place: Place): void {
    this.budget--;
    const { fn, depth } = place;
    const canWait = fn !== "sync";
    const kinds = [
      "assign",
      "assign",
      "assign",
      "assign",
      "declare",
      "declare",
      "train",
      "log",
      "log",
    ];
    kinds.push("keep", "swap", "field", "array", "update", "call", "number");
    if (canWait) kinds.push("pause", "pause", "callAsync", "all");
    kinds.push("jump");
    if (depth < 3) {
      kinds.push(
        "if",
        "if",
        "for",
        "for",
        "while",
        "forOf",
        "try",
        "try",
        "switch",
        "block",
        "closure",
      );
      if (canWait) kinds.push("stream", "closure");
    }
    if (fn === "generator") kinds.push("yield", "yield");
    this.write(place, this.pick(kinds));
  }

  private write(place: Place, kind: string): void {
    switch (kind) {
      case "assign": {
        const what = this.pick(["v", "v", "s", "p", "n"] as const);
        const target = this.of(place, what, true);
        if (target === undefined) return this.declaration(place, what);
        return this.line(`${target.name} = ${this.expression(place, what)};`);
      }
      case "declare":
        return this.declaration(place, this.pick(["v", "v", "s", "p", "n", "a", "r"] as const));
      case "train":
        return this.train(place);
      case "log":
        return this.line(
          `host.log("${++this.fresh}", ${this.expression(place, this.pick(["v", "s", "n", "n"] as const))});`,
        );
      case "keep":
        return this.line(
          `host.keep(${this.of(place, this.pick(["v", "p", "r"] as const))?.name ?? "p0"});`,
        );
      case "swap": {
        const what = this.pick(["v", "p"] as const);
        const [a, b] = [this.of(place, what, true), this.of(place, what, true)];
        if (a === undefined || b === undefined || a.name === b.name)
          return this.declaration(place, what);
        return this.line(`[${a.name}, ${b.name}] = [${b.name}, ${a.name}];`);
      }
      case "field": {
        const r = this.of(place, "r");
        if (r === undefined) return this.declaration(place, "r");
        if (this.chance(0.3)) {
          const name = this.name("r");
          place.scope.push({ name, kind: "r", isConst: true });
          return this.line(`const ${name} = ${r.name};`);
        }
        return this.line(
          this.chance(0.5)
            ? `${r.name}.v = ${this.vector(place, 2)};`
            : `${r.name}.n ${this.pick(["=", "+="])} ${this.number(place, 2)};`,
        );
      }
      case "array": {
        const a = this.of(place, "a");
        if (a === undefined || a.name === "a0") return this.declaration(place, "a");
        return this.pick([
          () => this.line(`${a.name}[${this.pick([0, 1, 2])}] = ${this.number(place, 1)};`),
          () => this.line(a.isConst ? `host.log(${a.name});` : `${a.name} = halved(${a.name});`),
          () => this.line(`host.log("array", ${a.name});`),
        ])();
      }
      case "update": {
        const n = this.of(place, "n", true);
        if (n === undefined) return this.declaration(place, "n");
        return this.line(`${n.name} += ${this.number(place, 2)};`);
      }
      case "number": {
        const n = this.of(place, "n", true);
        const a = this.of(place, "a")?.name ?? "a0";
        if (n === undefined) return this.declaration(place, "n");
        const i = this.name("n");
        return this.line(
          `for (let ${i} = 0; ${i} < ${a}.length; ${i}++) ${n.name} = Math.sin(${n.name} + ${a}[${i}]!);`,
        );
      }
      case "call": {
        const h = this.of(place, "h");
        return this.line(
          h === undefined ? `host.log("here", ${this.number(place, 1)});` : `${h.name}();`,
        );
      }
      case "pause":
        return this.line("await host.pause();");
      case "callAsync": {
        const g = this.of(place, "g");
        if (g === undefined) return this.line("await host.pause();");
        const v = this.of(place, "v", true);
        return this.line(
          `${v === undefined ? "" : `${v.name} = `}await ${g.name}(${this.vector(place, 1)});`,
        );
      }
      case "all": {
        const [f, g] = [this.of(place, "g"), this.of(place, "g")];
        if (f === undefined || g === undefined) return this.line("await host.pause();");
        return this.line(
          `host.log("all", await Promise.all([${f.name}(${this.vector(place, 1)}), ${g.name}(${this.vector(place, 1)})]));`,
        );
      }
      case "yield":
        return this.pick([
          () => this.line(`yield ${this.expression(place, this.pick(["v", "p", "n"] as const))};`),
          () => this.line(`if (yield ${this.number(place, 1)}) host.log("told");`),
        ])();
      case "jump":
        return this.jump(place);
      default:
        return this.nest(place, kind);
    }
  }

  private train(place: Place): void {
    const p = this.of(place, "p", true);
    if (p === undefined) return this.declaration(place, "p");
    const [loss, gradient] = [this.name("s"), this.name("p")];
    const x = this.vector(place, 1);
    this.line(`const [${loss}, ${gradient}] = valueAndGrad(lossOf)(${p.name}, ${x});`);
    place.scope.push({ name: loss, kind: "s", isConst: true });
    if (this.chance(0.2)) place.scope.push({ name: gradient, kind: "p", isConst: true });
    if (this.chance(0.4)) this.line(`host.log("loss", ${loss}.item());`);
    this.line(`${p.name} = moved(${p.name}, ${gradient});`);
    if (this.chance(0.3)) {
      const n = this.of(place, "n", true);
      if (n !== undefined) this.line(`${n.name} += ${loss}.item();`);
    }
  }

  private jump(place: Place): void {
    const { loops, fn, isInSwitch, isLast } = place;
    const condition = this.condition(place, 1);
    if (isLast) return this.line(`if (${condition}) host.log("no jump");`);
    if (this.chance(0.2)) {
      const value = fn === "root" || fn === "generator" ? this.all(place) : undefined;
      const other = fn === "async" ? this.vector(place, 1) : "";
      return this.line(`if (${condition}) return ${value ?? other};`.replace(" ;", ";"));
    }
    if (loops.length === 0) return this.line(`if (${condition}) host.log("no loop");`);
    const word = this.pick(["break", "continue"]);
    const label = this.pick(loops);
    const isNear = label === undefined || (!isInSwitch && this.chance(0.3));
    this.line(`if (${condition}) ${word}${isNear ? "" : ` ${label}`};`);
  }

  private nest(place: Place, kind: string): void {
    const label = this.chance(0.4) ? `l${++this.fresh}` : undefined;
    const before = label === undefined ? "" : `${label}: `;
    const loop = { loops: [...place.loops, label], isInSwitch: false };
    switch (kind) {
      case "if":
        this.line(`if (${this.condition(place, 2)}) {`);
        this.block(place, {});
        if (this.chance(0.4)) {
          this.line("} else {");
          this.block(place, {});
        }
        return this.line("}");
      case "block":
        this.line("{");
        this.block(place, {});
        return this.line("}");
      case "for": {
        const i = this.name("n");
        this.line(`${before}for (let ${i} = 0; ${i} < ${this.pick([1, 2, 3, 4])}; ${i}++) {`);
        this.block(place, loop, [{ name: i, kind: "n", isConst: true }]);
        return this.line("}");
      }
      case "while": {
        const i = this.name("n");
        this.line(`let ${i}: number = 0;`);
        const condition = this.condition(place, 1);
        const isDo = this.chance(0.4);
        this.line(`${before}${isDo ? "do" : `while (${i}++ < 3 && ${condition})`} {`);
        this.block(place, loop, [{ name: i, kind: "n", isConst: true }]);
        return this.line(isDo ? `} while (++${i} < 3 && ${condition});` : "}");
      }
      case "forOf": {
        const v = this.of(place, "v", true);
        const own = v === undefined || this.chance(0.7);
        const name = own ? this.name("v") : v.name;
        const isConst = this.chance(0.5);
        const word = own ? (isConst ? "const " : "let ") : "";
        this.line(`${before}for (${word}${name} of list) {`);
        this.block(place, loop, own ? [{ name, kind: "v", isConst }] : []);
        return this.line("}");
      }
      case "stream": {
        const [x, k] = [this.name("v"), this.name("n")];
        this.line(
          `${before}for await (const { x: ${x}, k: ${k} } of host.stream(${this.pick([1, 2, 3])})) {`,
        );
        this.block(place, loop, [
          { name: x, kind: "v", isConst: true },
          { name: k, kind: "n", isConst: true },
        ]);
        return this.line("}");
      }
      case "try":
        return this.tried(place);
      case "switch":
        this.line(
          `switch (${this.pick(["host.count() % 3", "Math.floor(3 * Math.abs(Math.sin(n0)))"])}) {`,
        );
        for (const k of [0, 1]) {
          this.line(`case ${k}: {`);
          this.block(place, { isInSwitch: true });
          this.line(this.chance(0.7) ? "  break;" : `  host.log("through");`);
          this.line("}");
        }
        this.line("default:");
        this.line("  {");
        this.block(place, { isInSwitch: true });
        this.line("  }");
        return this.line("}");
      default:
        return this.closure(place);
    }
  }

  private tried(place: Place): void {
    this.line("try {");
    const first = this.chance(0.7);
    this.nest(place, "block");
    const v = this.of(place, "v", true);
    if (first || v === undefined) this.line("  host.risk();");
    else {
      const odd = `o${++this.fresh}`;
      this.line(`  const ${odd}: Tensor<[number]> = host.odd();`);
      this.line(`  ${v.name} = ${v.name}.mul(0.5).add(${odd}).tanh();`);
    }
    this.nest(place, "block");
    const kind = this.pick(["catch", "finally", "both"]);
    if (kind !== "finally") {
      this.line("} catch {");
      this.line(`  host.log("caught");`);
      this.block(place, {});
    }
    if (kind !== "catch") {
      this.line("} finally {");
      this.line(`  host.log("finally", ${this.number(place, 1)});`);
      this.nest({ ...place, isLast: true }, "block");
    }
    this.line("}");
  }

  private closure(place: Place): void {
    const kind = this.pick(
      place.fn === "sync" ? (["f", "h"] as const) : (["f", "g", "g", "h"] as const),
    );
    const name = this.name(kind);
    if (kind === "f") {
      const a = this.name("v");
      const inner: Place = {
        ...place,
        scope: [...place.scope, { name: a, kind: "v", isConst: true }],
      };
      this.line(`const ${name} = (${a}: V): V => ${this.vector(inner, 2)};`);
    } else {
      const a = this.name("v");
      const own: Variable[] = kind === "g" ? [{ name: a, kind: "v", isConst: false }] : [];
      const head = kind === "g" ? `async (${a}: V): Promise<V> =>` : "(): void =>";
      this.line(`const ${name} = ${head} {`);
      this.block(
        place,
        { loops: [], isInSwitch: false, isLast: false, fn: kind === "g" ? "async" : "sync" },
        own,
      );
      if (kind === "g")
        this.line(`  return ${a}.add(${this.of(place, "v")?.name ?? "x0"}).tanh();`);
      this.line("};");
    }
    place.scope.push({ name, kind, isConst: true });
  }
}

/** The host of a run: what it has seen, and answers that are the same in each run. */
export class Host {
  readonly seen: unknown[] = [];
  private readonly make: (data: readonly number[]) => unknown;
  private asked = 0;

  constructor(make: (data: readonly number[]) => unknown) {
    this.make = make;
  }

  /** Values as they are now; tensors do not change. */
  log(...values: unknown[]): void {
    this.seen.push(values.map(copied));
  }

  /** The same value, which is looked at when all is over. */
  keep(value: unknown): void {
    this.seen.push(value);
  }

  async pause(): Promise<void> {
    this.seen.push("pause");
    await Promise.resolve();
    this.seen.push("go on");
  }

  flip(): boolean {
    return this.count() % 3 !== 0;
  }

  count(): number {
    this.asked++;
    this.seen.push(this.asked);
    // A program that goes on for ever asks for ever.
    if (this.asked > 5000) throw new Error("asked too often");
    return (this.asked * 7) % 10;
  }

  risk(): void {
    if (this.count() < 4) throw new Error("at risk");
  }

  odd(): unknown {
    return this.make(this.count() < 4 ? [0.5, 0.25] : [0.5, 0.25, -0.5]);
  }

  async *stream(count: number): AsyncGenerator<{ x: unknown; k: number }> {
    try {
      for (let k = 0; k < count; k++) {
        this.seen.push("next");
        yield { x: this.make([0.3 * k, -0.2, 0.1]), k };
      }
    } finally {
      this.seen.push("closed");
    }
  }
}

function copied(value: unknown): unknown {
  if (value instanceof Float64Array) return value.slice();
  if (typeof value !== "object" || value === null || "dataSync" in value) return value;
  if (Array.isArray(value)) return value.map(copied);
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, copied(part)]));
}
