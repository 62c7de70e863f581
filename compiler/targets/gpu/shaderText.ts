/**
 * Functions of the loop IR as text of a shading language. WGSL and GLSL differ in how they declare
 * things, and in how bits become numbers: a `Dialect` says that. The rest is written so that it is
 * both: `i32`, `u32`, `f32` and `select` are macros of GLSL (`runtime/webgl/shader.ts`).
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
import { elementary } from "./elementary.ts";
import { firstParameter } from "../../../runtime/gpu/launches.ts";
import { castText, comparisonText, helpers, spellings } from "./spelling.ts";

import type { Entry } from "./split.ts";

export type Store = Extract<Statement, { readonly kind: "store" }>;
export type Move = Extract<Statement, { readonly kind: "copy" | "clear" }>;
export type ShaderType = "i32" | "u32" | "f32";

export interface Dialect {
  /** A variable, with its value if it has one. */
  readonly variable: (type: string, name: string, value?: string) => string;
  /** What is assigned once. */
  readonly constant: (type: string, name: string, value: string) => string;
  /** The head of a function; `result` is empty where there is none. */
  readonly head: (
    name: string,
    parameters: readonly (readonly [name: string, type: string])[],
    result: string,
  ) => string;
  readonly struct: (
    name: string,
    fields: readonly (readonly [name: string, type: string])[],
  ) => string;
  /** The number that has the bits of another one. */
  readonly bits: (type: ShaderType, value: string) => string;
  /** A floating-point number, from its decimal digits. */
  readonly decimal: (digits: string) => string;
  /** The word of the memory at a place, an expression of type u32. */
  readonly word: (place: string) => string;
  /** The name of the function that a text defines. */
  readonly defined: RegExp;
}

/** The text of the functions of tables that other text uses, callees first. */
export function sharedText(dialect: Dialect, used: Set<string>): readonly string[] {
  const needed = withCallees(used);
  const table = Object.entries(elementary)
    .filter(([name]) => needed.has(name))
    .map(([name, fn]) => new ShaderText(dialect, used).text({ ...fn, name: `f_${name}` }));
  const own = Object.entries(helpers)
    .filter(([name]) => used.has(name))
    .map(([, text]) => text(dialect));
  return [...own, ...table];
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

export function typeText(type: Machine): ShaderType {
  if (type === "i32") return "i32";
  if (type === "f32" || type === "f64") return "f32";
  throw new Error("a shader has its own vectors");
}

export class ShaderText {
  protected readonly dialect: Dialect;
  private readonly names = new Map<Local, string>();
  private readonly counts = new Map<string, number>();
  /** Helpers that the text calls. */
  readonly used: Set<string>;
  private result = "return;";
  /** Assignments that are the only one of their local, in front of all its uses. */
  private constants: ReadonlySet<Statement> = new Set();
  /** Addresses that do not change in the function. */
  private readonly pointers = new Set<Local>();
  /** Locals that are addresses of elements. */
  private addresses: ReadonlySet<Local> = new Set();

  constructor(dialect: Dialect, used: Set<string>) {
    this.dialect = dialect;
    this.used = used;
  }

  text(fn: LoopFunction): string {
    const { name, parameters, body, results, resultTypes } = fn;
    const { dialect } = this;
    const assigned = assignedIn(body);
    const heads = parameters.map((parameter) => {
      const suffix = assigned.has(parameter) ? "_in" : "";
      return [`${this.nameOf(parameter)}${suffix}`, typeText(parameter.type)] as const;
    });
    const copies = parameters
      .filter((parameter) => assigned.has(parameter))
      .map((of) => {
        const own = this.nameOf(of);
        return `  ${dialect.variable(typeText(of.type), own, `${own}_in`)}`;
      });
    const types = resultTypes.map(typeText);
    const isStruct = types.length > 1;
    const type = isStruct ? `R_${name}` : (types[0] ?? "");
    const whole = (values: readonly string[]): string =>
      isStruct ? `${type}(${values.join(", ")})` : (values[0] as string);
    this.result = type === "" ? "return;" : `return ${whole(types.map((each) => `${each}(0)`))};`;
    this.addresses = addressesIn(body);
    const fixed = parameters.filter((parameter) => !assigned.has(parameter));
    for (const parameter of fixed) this.pointers.add(parameter);
    this.given = new Set(fixed);
    const locals = this.declared(body, new Set(parameters), results);
    const lines = this.list(body, "  ");
    const values = results.map((result) => this.expr(result));
    return [
      ...(isStruct
        ? [
            dialect.struct(
              type,
              types.map((each, k) => [`r${k}`, each]),
            ),
          ]
        : []),
      `${dialect.head(functionName(name), heads, type)} {`,
      ...copies,
      ...locals,
      ...this.bases(),
      ...lines,
      ...(values.length === 0 ? [] : [`  return ${whole(values)};`]),
      "}",
    ].join("\n");
  }

  /** What an entry begins with: its locals, and what it finds in the window and in cells. */
  protected opening(
    { parameters, loads, stores, body, part }: Entry,
    cell: (of: Local) => string,
    others: readonly Local[] = [],
  ): readonly string[] {
    const from = (of: Local, word: string): string =>
      `  ${this.nameOf(of)} = ${this.bits(of, word)};`;
    return [
      ...this.declared(
        body,
        new Set(part === undefined ? [] : [part]),
        [],
        [...parameters, ...loads, ...stores, ...others],
      ),
      ...parameters.map((of, k) => from(of, `word(${firstParameter + k}u)`)),
      ...loads.map((of) => from(of, cell(of))),
    ];
  }

  protected bits(of: Local, word: string): string {
    return this.dialect.bits(typeText(of.type), word);
  }

  protected declared(
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
      .map((of) => `  ${this.dialect.variable(this.typeOf(of), this.nameOf(of))}`);
  }

  protected typeOf(of: Local): string {
    return typeText(of.type);
  }

  protected nameOf(of: Local): string {
    const known = this.names.get(of);
    if (known !== undefined) return known;
    const stem = `v_${of.name.replaceAll(/\W/g, "_")}`;
    const count = this.counts.get(stem) ?? 0;
    this.counts.set(stem, count + 1);
    const name = `${stem}_${count}`;
    this.names.set(of, name);
    return name;
  }

  protected list(body: readonly Statement[], indent: string): readonly string[] {
    return body.flatMap((statement) => this.statement(statement, indent));
  }

  protected statement(statement: Statement, indent: string): readonly string[] {
    const deeper = `${indent}  `;
    switch (statement.kind) {
      case "set": {
        const { local: of, value } = statement;
        const [name, text] = [this.nameOf(of), this.assignable(of, value)];
        if (!this.constants.has(statement)) {
          return [`${indent}${name} = ${text};`, ...this.leave(of, indent)];
        }
        const fixed = this.dialect.constant(this.typeOf(of), name, text);
        return [indent + fixed, ...this.leave(of, indent), ...this.wordsOf(of, indent)];
      }
      case "store":
        return this.store(statement, indent);
      case "for": {
        const counter = this.nameOf(statement.local);
        const { from, to, step, body } = statement;
        const head = `${counter} = ${this.expr(from)}; ${counter} < ${this.expr(to)}; ${counter} = ${counter} + ${step}`;
        return [`${indent}for (${head}) {`, ...this.list(body, deeper), `${indent}}`];
      }
      case "while":
        return [
          `${indent}while (true) {`,
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
        const both = this.dialect.constant(`R_${callee}`, "both", call);
        return [`${indent}{`, deeper + both, ...parts, `${indent}}`, ...left];
      }
      case "copy":
      case "clear":
        return this.move(statement, indent);
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
    return [`${indent}${this.firstWord(of)}`];
  }

  private firstWord(of: Local): string {
    const name = this.nameOf(of);
    return this.dialect.constant("u32", `${name}_words`, `u32(${name}) >> 2u`);
  }

  /** The text of a value for a local. */
  protected assignable(_of: Local, value: Expr): string {
    return this.expr(value);
  }

  /** What else an assignment does. */
  protected leave(_of: Local, _indent: string): readonly string[] {
    return [];
  }

  /** Functions that write are not for every device. */
  protected store(statement: Store, _indent: string): readonly string[] {
    throw new Error(`a \`${statement.kind}\` that a shader cannot do`);
  }

  protected move(statement: Move, _indent: string): readonly string[] {
    throw new Error(`a \`${statement.kind}\` that a shader cannot do`);
  }

  /** Numbers of a message are integers. */
  protected whole(expr: Expr): string {
    return `i32(${this.expr(expr)})`;
  }

  /** The first words of arrays, found once. */
  protected bases(): readonly string[] {
    return [...this.based]
      .filter((of) => this.given.has(of))
      .map((of) => `  ${this.firstWord(of)}`);
  }
  private readonly based = new Set<Local>();
  private given: ReadonlySet<Local> = new Set();

  protected place(base: Expr, index: Expr): string {
    const isFixed = base.kind === "local" && this.pointers.has(base.local);
    if (isFixed) this.based.add(base.local);
    const start = isFixed ? `${this.nameOf(base.local)}_words` : `(u32(${this.expr(base)}) >> 2u)`;
    return index.kind === "const" && index.value === 0
      ? start
      : `${start} + u32(${this.expr(index)})`;
  }

  /** As `expr`, of type bool. */
  protected condition(expr: Expr): string {
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

  protected expr(expr: Expr): string {
    switch (expr.kind) {
      case "const":
        return this.constant(expr.value, isFloat(expr.dtype));
      case "local":
        return this.nameOf(expr.local);
      case "load": {
        const type = isFloat(expr.dtype) ? "f32" : "i32";
        return this.dialect.bits(type, this.dialect.word(this.place(expr.base, expr.index)));
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
        throw new Error("a shader has its own vectors");
    }
  }

  protected operation(expr: Extract<Expr, { kind: "op" }>): string {
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
    if (spelling === undefined) throw new Error(`shaders have no spelling of \`${op}\``);
    const { text, uses } = spelling(dtype, texts, this.dialect);
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
      // The least integer has no literal.
      if (whole === -(2 ** 31)) return "i32(0x80000000u)";
      return whole < 0 ? `i32(${whole})` : String(whole);
    }
    const single = Math.fround(value);
    if (Number.isFinite(single)) {
      const isNegative = single < 0 || Object.is(single, -0);
      const text = this.dialect.decimal(String(Math.abs(single)));
      return isNegative ? `(-${text})` : text;
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
export function constantSets(body: readonly Statement[]): ReadonlyMap<Local, Statement> {
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
