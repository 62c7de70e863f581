/** The loop IR as the text of a JavaScript function from its environment to `run`. */

import { rowBits } from "../../../runtime/gpu/launches.ts";
import { roundHalf } from "../../../runtime/half.ts";
import { byteSize, type DType, isFloat } from "../../ir/types.ts";
import {
  type Expr,
  hostFunctions,
  isConstant,
  type Local,
  type LoopFunction,
  type LoopModule,
  type Statement,
} from "../../kernel/loop.ts";
import { assignedBy, readIn, visitExpressions, visitStatements } from "../../kernel/rewrite.ts";
import type { Emitted, JavaScriptCode } from "../target.ts";
import { spellCast, spellings } from "./spelling.ts";

export function emitJavaScript(module: LoopModule): Promise<Emitted<JavaScriptCode>> {
  const growing = growingFunctions(module);
  const names = module.functions.map(({ name }) => name);
  const functions = module.functions.map((fn) =>
    new FunctionText(fn, module.constantsBase, growing, names).text(),
  );
  const text = [
    "(environment) => {",
    "  const { constants, fault, allocate, release, math, views } = environment;",
    ...functions,
    "  return run;",
    "}",
    "",
  ].join("\n");
  return Promise.resolve({
    code: { kind: "js", text },
    text,
    imports: importsOf(text),
    constants: module.constants,
  });
}

export function importsOf(text: string): readonly string[] {
  const names = new Set<string>();
  for (const [, name] of text.matchAll(/\bmath\.(\w+)/g)) names.add(name as string);
  return [...names].sort();
}

/** A function that only computes numbers and calls the `provided` ones, which it is given. */
export function hostText(fn: LoopFunction, constants: Local, provided: readonly string[]): string {
  const text = new FunctionText(fn, constants, new Set(), provided).text();
  const names = ["constants", "math", ...provided].join(", ");
  return [`({ ${names} }) => {`, text, `  return ${fn.name};`, "}"].join("\n");
}

/**
 * Functions that compute in the words of a device's memory, of which the host has a copy: its `f32`
 * and `i32`, and `written`, a mark for each row of 2^rowBits words that something was stored in.
 */
export function wordsText(functions: readonly LoopFunction[], constants: Local): string {
  const names = functions.map(({ name }) => name);
  const texts = functions.map((fn) =>
    new FunctionText(fn, constants, new Set(), names, true).text(),
  );
  return [
    "({ constants, fault, math, views, copy, clear }) => {",
    ...texts,
    `  return ${names.at(-1)};`,
    "}",
  ].join("\n");
}

/** The functions during which memory may grow, so that views of it must be taken again. */
function growingFunctions(module: LoopModule): ReadonlySet<string> {
  const growing = new Set<string>(["allocate"]);
  for (let before = 0; before < growing.size;) {
    before = growing.size;
    for (const { name, body } of module.functions) {
      visitStatements(body, (statement) => {
        if (statement.kind === "call" && growing.has(statement.callee)) growing.add(name);
      });
    }
  }
  return growing;
}

type View = "f64" | "f32" | "i32" | "u16" | "u8" | "written";

function viewOf(dtype: DType, inWords: boolean): View {
  if (inWords) return isFloat(dtype) ? "f32" : "i32";
  if (dtype === "f64" || dtype === "f32") return dtype;
  if (dtype === "f16") return "u16";
  return byteSize(dtype) === 4 ? "i32" : "u8";
}

const words = (
  "arena constants fault allocate release math views environment f64 f32 i32 u16 u8 run Math Number " +
  "copy clear written " +
  "await break case catch class const continue debugger default delete do else enum export " +
  "extends false finally for function if implements import in instanceof interface let new null " +
  "package private protected public return static super switch this throw true try typeof var " +
  "void while with yield arguments eval"
).split(" ");

class FunctionText {
  private readonly fn: LoopFunction;
  private readonly constantsBase: Local;
  private readonly growing: ReadonlySet<string>;
  private readonly names = new Map<Local, string>();
  private readonly taken: Set<string>;
  private readonly used: readonly View[];
  /** True where every element has four bytes, and rows that are stored in are marked. */
  private readonly inWords: boolean;

  constructor(
    fn: LoopFunction,
    constantsBase: Local,
    growing: ReadonlySet<string>,
    functions: readonly string[],
    inWords = false,
  ) {
    this.inWords = inWords;
    this.fn = fn;
    this.constantsBase = constantsBase;
    this.growing = growing;
    this.taken = new Set([...words, ...Object.keys(hostFunctions), ...functions]);
    this.used = viewsOf(fn, inWords);
  }

  text(): string {
    const { name, comment, parameters, body, results } = this.fn;
    const locals = new Set<Local>();
    visitStatements(body, (statement) => {
      for (const target of assignedBy(statement)) locals.add(target);
    });
    for (const used of readIn(body)) locals.add(used);
    for (const parameter of parameters) locals.delete(parameter);
    locals.delete(this.constantsBase);
    const heads = parameters.map((parameter) => this.nameOf(parameter)).join(", ");
    const grows = this.growing.has(name);
    const views =
      this.used.length === 0
        ? []
        : [`    ${grows ? "let" : "const"} { ${this.used.join(", ")} } = views;`];
    const declared = [...locals].map((of) => `${this.nameOf(of)} = 0`);
    const values = results.map((result) => this.expr(result));
    return [
      `  // ${comment.replaceAll("\n", " ")}`,
      `  function ${name}(${heads}) {`,
      ...views,
      ...(declared.length === 0 ? [] : [`    let ${declared.join(", ")};`]),
      ...this.statements(body, "    "),
      ...(values.length === 0
        ? []
        : [`    return ${values.length === 1 ? values[0] : `[${values.join(", ")}]`};`]),
      "  }",
    ].join("\n");
  }

  private nameOf(of: Local): string {
    let name = this.names.get(of);
    if (name !== undefined) return name;
    const plain = of.name.replaceAll(/[^\w$]/g, "_");
    const stem = /^\d/.test(plain) ? `_${plain}` : plain;
    name = stem;
    for (let k = 1; this.taken.has(name); k++) name = `${stem}_${k}`;
    this.taken.add(name);
    this.names.set(of, name);
    return name;
  }

  private statements(body: readonly Statement[], indent: string): readonly string[] {
    return body.flatMap((statement) => this.statement(statement, indent));
  }

  private statement(statement: Statement, indent: string): readonly string[] {
    const deeper = `${indent}  `;
    switch (statement.kind) {
      case "set":
        return [`${indent}${this.nameOf(statement.local)} = ${this.expr(statement.value)};`];
      case "store": {
        const { base, index, dtype } = statement;
        const element = this.element(base, index, dtype);
        const value = this.expr(statement.value);
        if (this.inWords) {
          const row = `(${this.place(base, index, 2)}) >>> ${rowBits}`;
          return [`${indent}${element} = ${value};`, `${indent}written[${row}] = 1;`];
        }
        return [`${indent}${element} = ${dtype === "f16" ? `math.to_half(${value})` : value};`];
      }
      case "for": {
        const counter = this.nameOf(statement.local);
        const step = statement.step === 1 ? `${counter}++` : `${counter} += ${statement.step}`;
        const { from, to } = statement;
        return [
          `${indent}for (${counter} = ${this.expr(from)}; ${counter} < ${this.expr(to)}; ${step}) {`,
          ...this.statements(statement.body, deeper),
          `${indent}}`,
        ];
      }
      case "while":
        return [
          `${indent}for (;;) {`,
          ...this.statements(statement.before, deeper),
          `${deeper}if (!${this.expr(statement.condition)}) break;`,
          ...this.statements(statement.body, deeper),
          `${indent}}`,
        ];
      case "if":
        return [
          `${indent}if (${this.expr(statement.condition)}) {`,
          ...this.statements(statement.then, deeper),
          ...(statement.otherwise.length === 0
            ? []
            : [`${indent}} else {`, ...this.statements(statement.otherwise, deeper)]),
          `${indent}}`,
        ];
      case "call":
        return this.call(statement, indent);
      case "copy": {
        if (this.inWords) {
          const operands = [statement.to, statement.from, statement.bytes];
          return [`${indent}copy(${operands.map((each) => this.expr(each)).join(", ")});`];
        }
        const [to, from] = [this.expr(statement.to), this.expr(statement.from)];
        const end = `${from} + ${this.expr(statement.bytes)}`;
        return [`${indent}u8.copyWithin(${to}, ${from}, ${end});`];
      }
      case "clear": {
        if (this.inWords) {
          return [`${indent}clear(${this.expr(statement.to)}, ${this.expr(statement.bytes)});`];
        }
        const to = this.expr(statement.to);
        return [`${indent}u8.fill(0, ${to}, ${to} + ${this.expr(statement.bytes)});`];
      }
      case "fault": {
        const numbers = `${this.expr(statement.index)}, ${this.expr(statement.extent)}`;
        return [`${indent}fault(${statement.site}, ${numbers});`];
      }
    }
  }

  private call(statement: Extract<Statement, { kind: "call" }>, indent: string): readonly string[] {
    const { callee, results } = statement;
    const operands = statement.operands.map((operand) => this.expr(operand)).join(", ");
    const names = results.map((result) => this.nameOf(result));
    const target =
      names.length === 0 ? "" : names.length === 1 ? `${names[0]} = ` : `[${names.join(", ")}] = `;
    const lines = [`${indent}${target}${callee}(${operands});`];
    if (this.growing.has(callee) && this.used.length > 0) {
      lines.push(`${indent}({ ${this.used.join(", ")} } = views);`);
    }
    return lines;
  }

  private expr(expr: Expr): string {
    switch (expr.kind) {
      case "const":
        return constantText(expr.value, expr.dtype);
      case "local":
        return expr.local === this.constantsBase ? "constants" : this.nameOf(expr.local);
      case "affine":
        throw new Error("an index was not turned into arithmetic");
      case "load":
        return expr.dtype === "f16" && !this.inWords
          ? `math.from_half(${this.element(expr.base, expr.index, expr.dtype)})`
          : this.element(expr.base, expr.index, expr.dtype);
      case "op": {
        const spelling = Object.hasOwn(spellings, expr.op) ? spellings[expr.op] : undefined;
        if (spelling === undefined) throw new Error(`js has no spelling of \`${expr.op}\``);
        const operands = expr.operands.map((operand) => this.expr(operand));
        const text = spelling(expr.dtype, operands);
        return /^(Math\.|math\.|\()/.test(text) && balanced(text) ? text : `(${text})`;
      }
      case "cast":
        return spellCast(expr.from, expr.to, this.expr(expr.value));
      case "madd": {
        const sum = `(${this.expr(expr.a)} * ${this.expr(expr.b)} + ${this.expr(expr.c)})`;
        return expr.dtype === "f32" ? `Math.fround${sum}` : sum;
      }
      case "when":
        return `(${this.expr(expr.condition)} ? ${this.expr(expr.then)} : ${this.expr(expr.otherwise)})`;
      case "splat":
      case "lane":
      case "shuffle":
        throw new Error("JavaScript has no vectors");
    }
  }

  /** `f64[(base >> 3) + index]`. */
  private element(base: Expr, index: Expr, dtype: DType): string {
    const shift = this.inWords ? 2 : Math.log2(byteSize(dtype));
    return `${viewOf(dtype, this.inWords)}[${this.place(base, index, shift)}]`;
  }

  private place(base: Expr, index: Expr, shift: number): string {
    const start = shift === 0 ? this.expr(base) : `(${this.expr(base)} >> ${shift})`;
    return isConstant(index) && index.value === 0 ? start : `${start} + ${this.expr(index)}`;
  }
}

/** True when the first parenthesis closes at the very end. */
function balanced(text: string): boolean {
  let depth = 0;
  for (let k = 0; k < text.length; k++) {
    if (text[k] === "(") depth++;
    if (text[k] === ")" && --depth === 0) return k === text.length - 1;
  }
  return false;
}

function viewsOf({ body, results }: LoopFunction, inWords: boolean): readonly View[] {
  const used = new Set<View>();
  const visitResult: Statement[] = results.map((value) => ({
    kind: "call",
    callee: "",
    operands: [value],
    results: [],
  }));
  visitExpressions([...body, ...visitResult], (expr) => {
    if (expr.kind === "load") used.add(viewOf(expr.dtype, inWords));
  });
  visitStatements(body, (statement) => {
    if (statement.kind === "store") used.add(viewOf(statement.dtype, inWords));
    if (statement.kind === "store" && inWords) used.add("written");
    if (!inWords && (statement.kind === "copy" || statement.kind === "clear")) used.add("u8");
  });
  return [...used];
}

function roundedTo(dtype: DType, value: number): number {
  if (dtype === "f16") return roundHalf(value);
  return dtype === "f32" ? Math.fround(value) : value;
}

function constantText(value: number, dtype: DType): string {
  const number = isFloat(dtype) ? roundedTo(dtype, value) : value | 0;
  if (Object.is(number, -0)) return "(-0)";
  return number < 0 ? `(${number})` : String(number);
}
