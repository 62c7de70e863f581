/**
 * The entries of a device program as one WGSL module. All arrays are in one memory of words; an
 * entry finds what the host passes in a window of uniform words: the number of threads, the place
 * for the call's failure, the address of its cells, a word for alignment, then its parameters.
 */

import { isFloat } from "../../ir/types.ts";
import {
  type Expr,
  isConstant,
  type Local,
  type LoopFunction,
  type Machine,
  type Statement,
} from "../../kernel/loop.ts";
import {
  assignedBy,
  assignedIn,
  nestedBodies,
  ownExpressions,
  readIn,
  visitExpression,
  visitStatements,
} from "../../kernel/rewrite.ts";
import {
  firstParameter,
  groupSize,
  mostGroups,
  windowWords,
} from "../../../runtime/gpu/launches.ts";
import { elementary } from "../gpu/elementary.ts";
import type { DeviceProgram, Entry } from "../gpu/split.ts";
import { castText, comparisonText, helpers, spellings } from "./spelling.ts";

export interface WgslModule {
  /** What all entries begin with. */
  readonly frame: string;
  readonly functions: readonly string[];
  readonly entries: readonly string[];
}

export function emitWgsl(program: DeviceProgram): WgslModule {
  const used = new Set<string>();
  const functions = program.functions.map((fn) => new FunctionText(used).text(fn));
  const entries = program.entries.map((entry, k) =>
    new FunctionText(used).entry(entry, k, program.cells),
  );
  const needed = withCallees(used);
  const table = Object.entries(elementary)
    .filter(([name]) => needed.has(name))
    .map(([name, fn]) => new FunctionText(used).text({ ...fn, name: `f_${name}` }));
  return { frame, functions: [...helpersOf(used), ...table, ...functions], entries };
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

/** The same module for devices, which read no names, no comments and no lines. */
export function compact({ frame: head, functions, entries }: WgslModule): WgslModule {
  const names = new Map<string, string>();
  const short = (text: string): string =>
    text
      .replaceAll(/\/\/.*$/gm, "")
      .replaceAll(/\b[vk]_\w+/g, (name) => {
        const known = names.get(name) ?? `${name[0]}${names.size.toString(36)}_`;
        names.set(name, known);
        return known;
      })
      .replaceAll(/\s+/g, " ")
      .replaceAll(/ ?([-+*/%<>=&|^!?:;,(){}[\]]) ?/g, "$1")
      .trim();
  return { frame: short(head), functions: functions.map(short), entries: entries.map(short) };
}

/** The functions that a text calls, and those that they call, by their numbers: callees first. */
export function calledIn(text: string, functions: readonly string[]): readonly number[] {
  const numbers = new Map(functions.map((fn, k) => [/\bfn (\w+)/.exec(fn)?.[1] ?? "", k]));
  const found = new Set<number>();
  const visit = (caller: string): void => {
    for (const [, name = ""] of caller.matchAll(/\b(\w+)\(/g)) {
      const number = numbers.get(name);
      if (number === undefined || functions[number] === caller || found.has(number)) continue;
      visit(functions[number] as string);
      found.add(number);
    }
  };
  visit(text);
  return [...found].sort((a, b) => a - b);
}

function helpersOf(used: ReadonlySet<string>): readonly string[] {
  return Object.entries(helpers)
    .filter(([name]) => used.has(name))
    .map(([, text]) => text);
}

/** Functions of the table with those that they call. */
function withCallees(used: ReadonlySet<string>): ReadonlySet<string> {
  const all = new Set(used);
  const visit = (body: readonly Statement[]): void => {
    for (const statement of body) {
      if (statement.kind === "call") all.add(statement.callee);
      if (statement.kind === "for" || statement.kind === "while") visit(statement.body);
      if (statement.kind === "if") {
        visit(statement.then);
        visit(statement.otherwise);
      }
    }
  };
  for (const [name, { body }] of Object.entries(elementary).toReversed()) {
    if (all.has(name)) visit(body);
  }
  return all;
}

function typeText(type: Machine): string {
  if (type === "i32") return "i32";
  if (type === "f32" || type === "f64") return "f32";
  throw new Error("WGSL has its own vectors");
}

class FunctionText {
  private readonly names = new Map<Local, string>();
  private readonly counts = new Map<string, number>();
  /** Helpers that the text calls. */
  private readonly used: Set<string>;
  private result = "return;";
  /** Cells for locals, written where they are assigned. */
  private readonly left = new Map<Local, string>();
  /** Assignments that are the only one of their local, in front of all its uses. */
  private constants: ReadonlySet<Statement> = new Set();
  /** Addresses that do not change in the function. */
  private readonly pointers = new Set<Local>();
  /** Locals that are addresses of elements. */
  private addresses: ReadonlySet<Local> = new Set();

  constructor(used: Set<string>) {
    this.used = used;
  }

  text(fn: LoopFunction): string {
    const { name, parameters, body, results, resultTypes } = fn;
    const assigned = assignedIn(body);
    const heads = parameters.map((parameter) => {
      const type = typeText(parameter.type);
      return assigned.has(parameter)
        ? { head: `${this.nameOf(parameter)}_in: ${type}`, copy: parameter }
        : { head: `${this.nameOf(parameter)}: ${type}`, copy: undefined };
    });
    const copies = heads.flatMap(({ copy }) =>
      copy === undefined
        ? []
        : [`  var ${this.nameOf(copy)}: ${typeText(copy.type)} = ${this.nameOf(copy)}_in;`],
    );
    const types = resultTypes.map(typeText);
    const isStruct = types.length > 1;
    const struct = isStruct
      ? [`struct R_${name} { ${types.map((type, k) => `r${k}: ${type}`).join(", ")} }`]
      : [];
    const type = isStruct ? `R_${name}` : (types[0] ?? "");
    this.result = type === "" ? "return;" : `return ${type}();`;
    this.addresses = addressesIn(body);
    const fixed = parameters.filter((parameter) => !assigned.has(parameter));
    for (const parameter of fixed) this.pointers.add(parameter);
    this.given = new Set(fixed);
    const locals = this.declared(body, new Set(parameters), results);
    const lines = this.list(body, "  ");
    const values = results.map((result) => this.expr(result));
    const last =
      values.length === 0
        ? []
        : [`  return ${isStruct ? `${type}(${values.join(", ")})` : values[0]};`];
    return [
      ...struct,
      `fn ${functionName(name)}(${heads.map(({ head }) => head).join(", ")})${type === "" ? "" : ` -> ${type}`} {`,
      ...copies,
      ...locals,
      ...this.bases(),
      ...lines,
      ...last,
      "}",
    ].join("\n");
  }

  entry(entry: Entry, number: number, cells: ReadonlyMap<Local, number>): string {
    const { parameters, loads, stores, body, part, comment } = entry;
    const cell = (of: Local): string => `memory[(words[0].z >> 2u) + ${cells.get(of)}u]`;
    const declared = this.declared(
      body,
      new Set(part === undefined ? [] : [part]),
      [],
      [...parameters, ...loads, ...stores],
    );
    const from = (of: Local, word: string): string =>
      `  ${this.nameOf(of)} = bitcast<${typeText(of.type)}>(${word});`;
    const given = parameters.map((of, k) => from(of, `word(${firstParameter + k}u)`));
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
      part === undefined
        ? stores.map((of) => `  ${cell(of)} = bitcast<u32>(${this.nameOf(of)});`)
        : [];
    return [
      `// ${comment.replaceAll("\n", " ")}`,
      `@compute @workgroup_size(${part === undefined ? 1 : groupSize})`,
      `fn entry_${number}(@builtin(global_invocation_id) id: vec3<u32>) {`,
      "  if (failed()) { return; }",
      ...thread,
      ...declared,
      ...given,
      ...loads.map((of) => from(of, cell(of))),
      ...lines,
      ...left,
      "}",
    ].join("\n");
  }

  private declared(
    body: readonly Statement[],
    given: ReadonlySet<Local>,
    results: readonly Expr[],
    others: readonly Local[] = [],
  ): readonly string[] {
    const end: Statement = { kind: "call", callee: "", operands: results, results: [] };
    const locals = new Set([...assignedIn(body), ...readIn([...body, end]), ...others]);
    const outside = new Set([...readIn([end]), ...others]);
    const constants = new Map([...constantSets(body)].filter(([of]) => !outside.has(of)));
    this.constants = new Set(constants.values());
    return [...locals]
      .filter((of) => !given.has(of) && !constants.has(of))
      .map((of) => `  var ${this.nameOf(of)}: ${typeText(of.type)};`);
  }

  private nameOf(of: Local): string {
    const known = this.names.get(of);
    if (known !== undefined) return known;
    const stem = `v_${of.name.replaceAll(/\W/g, "_")}`;
    const count = this.counts.get(stem) ?? 0;
    this.counts.set(stem, count + 1);
    const name = `${stem}_${count}`;
    this.names.set(of, name);
    return name;
  }

  private list(body: readonly Statement[], indent: string): readonly string[] {
    return body.flatMap((statement) => this.statement(statement, indent));
  }

  private statement(statement: Statement, indent: string): readonly string[] {
    const deeper = `${indent}  `;
    switch (statement.kind) {
      case "set": {
        const word = this.constants.has(statement) ? "let " : "";
        const assignment = `${word}${this.nameOf(statement.local)} = ${this.expr(statement.value)};`;
        return [
          indent + assignment,
          ...this.leave(statement.local, indent),
          ...(word === "" ? [] : this.wordsOf(statement.local, indent)),
        ];
      }
      case "store": {
        const element = this.element(statement.base, statement.index);
        return [`${indent}${element} = bitcast<u32>(${this.expr(statement.value)});`];
      }
      case "for": {
        const counter = this.nameOf(statement.local);
        const { from, to, step, body } = statement;
        const head = `${counter} = ${this.expr(from)}; ${counter} < ${this.expr(to)}; ${counter} = ${counter} + ${step}`;
        return [`${indent}for (${head}) {`, ...this.list(body, deeper), `${indent}}`];
      }
      case "while":
        return [
          `${indent}loop {`,
          ...this.list(statement.before, deeper),
          `${deeper}if (!${this.condition(statement.condition)}) { break; }`,
          ...this.list(statement.body, deeper),
          `${deeper}if (failed()) { break; }`,
          `${indent}}`,
        ];
      case "if":
        return [
          `${indent}if (${this.condition(statement.condition)}) {`,
          ...this.list(statement.then, deeper),
          ...(statement.otherwise.length === 0
            ? []
            : [`${indent}} else {`, ...this.list(statement.otherwise, deeper)]),
          `${indent}}`,
        ];
      case "call": {
        const { callee, operands, results } = statement;
        if (Object.hasOwn(elementary, callee)) this.used.add(callee);
        const call = `${functionName(callee)}(${operands.map((each) => this.expr(each)).join(", ")})`;
        const [only] = results;
        if (only === undefined) return [`${indent}${call};`];
        const left = results.flatMap((of) => this.leave(of, indent));
        if (results.length === 1) return [`${indent}${this.nameOf(only)} = ${call};`, ...left];
        const parts = results.map((of, k) => `${deeper}${this.nameOf(of)} = both.r${k};`);
        return [`${indent}{`, `${deeper}let both = ${call};`, ...parts, `${indent}}`, ...left];
      }
      case "copy": {
        this.used.add("copy_words");
        const numbers = [statement.to, statement.from, statement.bytes];
        return [`${indent}copy_words(${numbers.map((each) => this.expr(each)).join(", ")});`];
      }
      case "clear": {
        this.used.add("clear_words");
        return [`${indent}clear_words(${this.expr(statement.to)}, ${this.expr(statement.bytes)});`];
      }
      case "fault": {
        const numbers = [statement.index, statement.extent].map((each) => this.whole(each));
        return [`${indent}fault(${statement.site}, ${numbers.join(", ")});`, indent + this.result];
      }
    }
  }

  /** The first word at an address that does not change any more. */
  private wordsOf(of: Local, indent: string): readonly string[] {
    if (!this.addresses.has(of)) return [];
    this.pointers.add(of);
    return [`${indent}let ${this.nameOf(of)}_words = u32(${this.nameOf(of)}) >> 2u;`];
  }

  /** Puts a local into its cell, where it has one. */
  private leave(of: Local, indent: string): readonly string[] {
    const cell = this.left.get(of);
    return cell === undefined ? [] : [`${indent}${cell} = bitcast<u32>(${this.nameOf(of)});`];
  }

  /** Numbers of a message are integers. */
  private whole(expr: Expr): string {
    return `i32(${this.expr(expr)})`;
  }

  /** The first words of arrays, found once. */
  private bases(): readonly string[] {
    return [...this.based]
      .filter((of) => this.given.has(of))
      .map((of) => `  let ${this.nameOf(of)}_words = u32(${this.nameOf(of)}) >> 2u;`);
  }
  private readonly based = new Set<Local>();
  private given: ReadonlySet<Local> = new Set();

  private element(base: Expr, index: Expr): string {
    const isFixed = base.kind === "local" && this.pointers.has(base.local);
    if (isFixed) this.based.add(base.local);
    const start = isFixed ? `${this.nameOf(base.local)}_words` : `(u32(${this.expr(base)}) >> 2u)`;
    if (index.kind === "const" && index.value === 0) return `memory[${start}]`;
    return `memory[${start} + u32(${this.expr(index)})]`;
  }

  /** As `expr`, of type bool. */
  private condition(expr: Expr): string {
    if (expr.kind === "op") {
      const operands = (): readonly string[] => expr.operands.map((each) => this.expr(each));
      const text = comparisonText(expr.op, expr.dtype, operands);
      if (expr.op === "is_nan") this.used.add("is_nan");
      if (text !== undefined) return text;
      const isLogic = expr.dtype === "bool";
      const inside = (): readonly string[] => expr.operands.map((each) => this.condition(each));
      if (isLogic && expr.op === "and") return `(${inside().join(" && ")})`;
      if (isLogic && expr.op === "or") return `(${inside().join(" || ")})`;
      if (isLogic && expr.op === "not") return `(!${inside().join("")})`;
    }
    return `(${this.expr(expr)} != 0)`;
  }

  private expr(expr: Expr): string {
    switch (expr.kind) {
      case "const":
        return this.constant(expr.value, isFloat(expr.dtype));
      case "local":
        return this.nameOf(expr.local);
      case "load": {
        const type = isFloat(expr.dtype) ? "f32" : "i32";
        return `bitcast<${type}>(${this.element(expr.base, expr.index)})`;
      }
      case "op":
        return this.operation(expr);
      case "cast": {
        const { text, uses } = castText(expr.from, expr.to, this.expr(expr.value));
        if (uses !== undefined) this.used.add(uses);
        return text;
      }
      case "madd":
        return `(${this.expr(expr.a)} * ${this.expr(expr.b)} + ${this.expr(expr.c)})`;
      case "when": {
        const [then, otherwise] = [this.expr(expr.then), this.expr(expr.otherwise)];
        return `select(${otherwise}, ${then}, ${this.condition(expr.condition)})`;
      }
      case "affine":
        throw new Error("an index was not turned into arithmetic");
      case "splat":
      case "lane":
      case "shuffle":
        throw new Error("WGSL has its own vectors");
    }
  }

  private operation(expr: Extract<Expr, { kind: "op" }>): string {
    const { op, dtype, operands } = expr;
    if (op === "select") {
      const [condition, x, y] = operands as readonly [Expr, Expr, Expr];
      return `select(${this.expr(y)}, ${this.expr(x)}, ${this.condition(condition)})`;
    }
    const comparison = comparisonText(op, dtype, () => operands.map((each) => this.expr(each)));
    if (comparison !== undefined) {
      if (op === "is_nan") this.used.add("is_nan");
      return `select(0, 1, ${comparison})`;
    }
    // The shader compiler refuses constants that overflow, and 0 as a divisor, which never run.
    const folded = operands.every(isConstant);
    const isHidden = (each: Expr): boolean =>
      isConstant(each) && (folded || (each.value === 0 && op.startsWith("index_")));
    const texts = operands.map((each) => (isHidden(each) ? this.hidden(each) : this.expr(each)));
    if (isFloat(dtype) && Object.hasOwn(elementary, op)) {
      this.used.add(op);
      return `f_${op}(${texts.join(", ")})`;
    }
    const spelling = Object.hasOwn(spellings, op) ? spellings[op] : undefined;
    if (spelling === undefined) throw new Error(`WGSL has no spelling of \`${op}\``);
    const { text, uses } = spelling(dtype, texts);
    if (uses !== undefined) this.used.add(uses);
    return text;
  }

  private hidden(expr: Expr): string {
    const isNumber = expr.kind === "const" && isFloat(expr.dtype);
    this.used.add(isNumber ? "hidden_f32" : "hidden_i32");
    return `${isNumber ? "hidden_f32" : "hidden_i32"}(${this.expr(expr)})`;
  }

  private constant(value: number, isNumber: boolean): string {
    if (!isNumber) {
      const whole = value | 0;
      return whole < 0 ? `i32(${whole})` : String(whole);
    }
    const single = Math.fround(value);
    if (Number.isFinite(single)) {
      const text = Object.is(single, -0) ? "-0.0" : String(single);
      return single < 0 || Object.is(single, -0) ? `(${text}f)` : `${text}f`;
    }
    this.used.add("of_bits");
    const bits = Number.isNaN(single) ? "0x7fc00000" : single > 0 ? "0x7f800000" : "0xff800000";
    return `of_bits(${bits}u)`;
  }
}

function functionName(name: string): string {
  return Object.hasOwn(elementary, name) ? `f_${name}` : name.startsWith("f_") ? name : `k_${name}`;
}

/**
 * The locals that are assigned once, in a block (or the blocks in it) where all that reads them comes
 * after: constants of the language.
 */
function constantSets(body: readonly Statement[]): ReadonlyMap<Local, Statement> {
  const counts = new Map<Local, number>();
  visitStatements(body, (statement) => {
    for (const of of assignedBy(statement)) counts.set(of, (counts.get(of) ?? 0) + 1);
  });
  const found = new Map<Local, Statement>();
  const visible = new Set<Local>();
  const spoilt = new Set<Local>();
  const visit = (list: readonly Statement[]): void => {
    const own: Local[] = [];
    const use = (exprs: readonly Expr[]): void => {
      for (const expr of exprs) {
        visitExpression(expr, (inner) => {
          if (inner.kind === "local" && !visible.has(inner.local)) spoilt.add(inner.local);
        });
      }
    };
    for (const statement of list) {
      // The condition of a `while` is read after what stands in front of it.
      if (statement.kind !== "while") use(ownExpressions(statement));
      if (statement.kind === "set" && counts.get(statement.local) === 1) {
        found.set(statement.local, statement);
        visible.add(statement.local);
        own.push(statement.local);
      }
      if (statement.kind === "while") {
        visit([...statement.before]);
        use([statement.condition]);
        visit(statement.body);
      } else for (const nested of nestedBodies(statement)) visit(nested);
    }
    for (const of of own) visible.delete(of);
  };
  visit(body);
  for (const of of spoilt) found.delete(of);
  return found;
}

/** Locals at whose address something is read or written. */
function addressesIn(body: readonly Statement[]): ReadonlySet<Local> {
  const found = new Set<Local>();
  const note = (base: Expr): void => {
    if (base.kind === "local") found.add(base.local);
  };
  visitStatements(body, (statement) => {
    if (statement.kind === "store") note(statement.base);
    for (const expr of ownExpressions(statement)) {
      visitExpression(expr, (inner) => {
        if (inner.kind === "load") note(inner.base);
      });
    }
  });
  return found;
}
