/**
 * Functions of singles of the loop IR as JavaScript, on machines that differ in what is not promised.
 * Arithmetic that meets or makes infinity or NaN is an error, as are casts out of range and
 * operations that such functions may not have.
 */

import type { Expr, Local, LoopFunction, Statement } from "../../compiler/kernel/loop.ts";
import { visitStatements } from "../../compiler/kernel/rewrite.ts";

export interface Machine {
  /** Sums of products round once. */
  readonly contracts?: boolean;
  /** Denormal operands and results of arithmetic are zeros. */
  readonly flushes?: boolean;
  /** Quotients and roots are up to 2.5 units off. */
  readonly divides?: "loosely";
}

export type Fn = (...operands: readonly number[]) => number;

/** All functions of a table; what one calls stands before it. */
export function evaluated(
  table: Readonly<Record<string, LoopFunction>>,
  machine: Machine = {},
): Readonly<Record<string, Fn>> {
  const names = Object.keys(table);
  const texts = names.map((name, k) =>
    new Text(table[name]!, machine, new Set(names.slice(0, k))).text(name),
  );
  const text = [
    prelude,
    ...texts,
    `return { ${names.map((name) => `${name}: $${name}`).join(", ")} };`,
  ];
  // oxlint-disable-next-line typescript/no-implied-eval
  return new Function(text.join("\n"))() as Record<string, Fn>;
}

const prelude = `
"use strict";
const { fround, imul, abs, floor, ceil, trunc, sqrt } = Math;
const single = new Float32Array(1);
const whole = new Int32Array(single.buffer);
function bitsOf(x) { single[0] = x; return whole[0]; }
function ofBits(x) { whole[0] = x; return single[0]; }
function finite(x) { if (x - x !== 0) throw new Error("arithmetic with " + x); return x; }
function flushed(x) { return x < 2 ** -126 && x > -(2 ** -126) ? x * 0 : x; }
function inRange(x) {
  if (!(x > -2147483649 && x < 2147483648)) throw new Error("cast of " + x);
  return x | 0;
}
/** Some number within 2.5 units of a normal one, the same for the same operand. */
function loosened(x) {
  const word = bitsOf(x);
  if ((word & 0x7fffffff) < 0x01000000) return x;
  return ofBits(word + (imul(word, 0x9e3779b1) >>> 29) % 5 - 2);
}
`;

const infix: Readonly<Record<string, string>> = { add: "+", sub: "-", mul: "*", div: "/" };
const compared: Readonly<Record<string, string>> = {
  eq: "===",
  ne: "!==",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};
const bitwise: Readonly<Record<string, string>> = {
  bit_and: "&",
  bit_or: "|",
  bit_xor: "^",
  shift_left: "<<",
};

class Text {
  private readonly fn: LoopFunction;
  private readonly machine: Machine;
  private readonly callable: ReadonlySet<string>;
  /** Products that are kept in a local, which a machine that contracts knows. */
  private readonly products = new Map<Local, Expr>();
  private readonly known = new Map<string, Local>();

  constructor(fn: LoopFunction, machine: Machine, callable: ReadonlySet<string>) {
    this.fn = fn;
    this.machine = machine;
    this.callable = callable;
  }

  text(name: string): string {
    const { parameters, body, results, resultTypes } = this.fn;
    if (results.length !== 1 || resultTypes[0] !== "f32")
      throw new Error(`${name} gives no single`);
    const heads = parameters.map((parameter) => this.nameOf(parameter));
    const locals = assignedIn(body);
    const lines = body.map((statement) => this.statement(statement));
    const result = this.expr(results[0] as Expr);
    const declared = [...locals].map((of) => `let ${this.nameOf(of)} = 0;`);
    return [
      `function $${name}(${heads.join(", ")}) {`,
      ...declared,
      ...lines,
      `return ${result};}`,
    ].join("\n");
  }

  private nameOf(of: Local): string {
    const known = this.known.get(of.name);
    if (known !== undefined && known !== of) throw new Error(`two locals are called ${of.name}`);
    if (of.type !== "f32" && of.type !== "i32") throw new Error(`a local is ${of.type}`);
    this.known.set(of.name, of);
    return `$${of.name}`;
  }

  private block(body: readonly Statement[]): string {
    return body.map((statement) => this.statement(statement)).join("\n");
  }

  private statement(statement: Statement): string {
    switch (statement.kind) {
      case "set": {
        const { local, value } = statement;
        if (local.once === true && isProduct(value)) this.products.set(local, value);
        return `${this.nameOf(local)} = ${this.expr(value)};`;
      }
      case "for": {
        const counter = this.nameOf(statement.local);
        const head = `${counter} = ${this.expr(statement.from)}; ${counter} < ${this.expr(statement.to)}`;
        return `for (${head}; ${counter} += ${statement.step}) {\n${this.block(statement.body)}\n}`;
      }
      case "if": {
        const [then, otherwise] = [this.block(statement.then), this.block(statement.otherwise)];
        return `if (${this.expr(statement.condition)}) {\n${then}\n} else {\n${otherwise}\n}`;
      }
      case "call": {
        const { callee, operands, results } = statement;
        if (!this.callable.has(callee)) throw new Error(`${callee} does not stand before its call`);
        const values = operands.map((operand) => this.expr(operand)).join(", ");
        return `${this.nameOf(results[0] as Local)} = $${callee}(${values});`;
      }
      case "while":
      case "store":
      case "copy":
      case "clear":
      case "fault":
        throw new Error(`a function of singles has a statement \`${statement.kind}\``);
    }
  }

  private expr(expr: Expr): string {
    switch (expr.kind) {
      case "local":
        return this.nameOf(expr.local);
      case "const":
        return constantText(expr.value, expr.dtype);
      case "cast": {
        const value = this.expr(expr.value);
        if (expr.from === "i32" && expr.to === "f32") return `fround(${value})`;
        if (expr.from === "f32" && expr.to === "i32") return `inRange(${value})`;
        throw new Error(`a cast from ${expr.from} to ${expr.to}`);
      }
      case "op":
        return this.op(expr);
      case "affine":
      case "load":
      case "splat":
      case "lane":
      case "shuffle":
      case "madd":
      case "when":
        throw new Error(`a function of singles has an expression \`${expr.kind}\``);
    }
  }

  private op(expr: Op): string {
    if (expr.lanes !== 1) throw new Error("a function of singles has lanes");
    if (expr.op === "select") {
      const [condition, x, y] = expr.operands.map((operand) => this.expr(operand));
      return `(${condition} ? ${x} : ${y})`;
    }
    if (expr.op === "bits_of" && expr.dtype === "i32") return `bitsOf(${this.texts(expr)[0]})`;
    if (expr.op === "of_bits" && expr.dtype === "f32") return `ofBits(${this.texts(expr)[0]})`;
    switch (expr.dtype) {
      case "f32":
        return this.singleOp(expr);
      case "i32":
      case "u32":
        return this.wordOp(expr);
      case "bool":
        return this.boolOp(expr);
      default:
        throw new Error(`an operation on ${expr.dtype}`);
    }
  }

  private texts(expr: Op): readonly string[] {
    return expr.operands.map((operand) => this.expr(operand));
  }

  private singleOp(expr: Op): string {
    const operands = expr.operands.map((operand) => this.operand(operand));
    const [x, y] = operands;
    const comparison = compared[expr.op];
    if (comparison !== undefined) return `(${x} ${comparison} ${y})`;
    if (expr.op in infix) {
      const sum = `${x} ${infix[expr.op]} ${y}`;
      const plain = expr.op === "add" || expr.op === "sub" ? (this.contracted(expr) ?? sum) : sum;
      return this.result(plain, expr.op === "div");
    }
    if (["abs", "floor", "ceil", "trunc", "sqrt"].includes(expr.op)) {
      return this.result(`${expr.op}(${x})`, expr.op === "sqrt");
    }
    if (expr.op === "neg") return this.result(`-${x}`);
    throw new Error(`an operation \`${expr.op}\` on f32`);
  }

  private operand(operand: Expr): string {
    const text = `finite(${this.expr(operand)})`;
    return this.machine.flushes === true ? `flushed(${text})` : text;
  }

  private result(text: string, mayBeLoose = false): string {
    const rounded = `fround(${text})`;
    const loose = mayBeLoose && this.machine.divides === "loosely";
    const value = `finite(${loose ? `loosened(${rounded})` : rounded})`;
    return this.machine.flushes === true ? `flushed(${value})` : value;
  }

  /** x y + z with one rounding: the product of two singles is exact as a double. */
  private contracted(expr: Op): string | undefined {
    if (this.machine.contracts !== true) return undefined;
    const [left, right] = expr.operands as [Expr, Expr];
    const sign = infix[expr.op];
    const first = this.productOf(left);
    if (first !== undefined) return `${first} ${sign} ${this.operand(right)}`;
    const second = this.productOf(right);
    return second === undefined ? undefined : `${this.operand(left)} ${sign} ${second}`;
  }

  private productOf(expr: Expr): string | undefined {
    const product = expr.kind === "local" ? this.products.get(expr.local) : expr;
    if (product === undefined || !isProduct(product)) return undefined;
    return `(${product.operands.map((operand) => this.operand(operand)).join(" * ")})`;
  }

  private wordOp(expr: Op): string {
    const [x, y] = this.texts(expr);
    if (expr.op === "shift_right")
      return expr.dtype === "u32" ? `(${x} >>> ${y} | 0)` : `(${x} >> ${y})`;
    if (expr.dtype === "u32") throw new Error(`an operation \`${expr.op}\` on u32`);
    if (expr.op === "mul") return `imul(${x}, ${y})`;
    if (expr.op === "add" || expr.op === "sub") return `(${x} ${infix[expr.op]} ${y} | 0)`;
    if (expr.op === "bit_not") return `(~${x})`;
    const comparison = compared[expr.op] ?? bitwise[expr.op];
    if (comparison === undefined) throw new Error(`an operation \`${expr.op}\` on i32`);
    return `(${x} ${comparison} ${y})`;
  }

  private boolOp(expr: Op): string {
    const [x, y] = this.texts(expr);
    if (expr.op === "and") return `(${x} && ${y})`;
    if (expr.op === "or") return `(${x} || ${y})`;
    if (expr.op === "not") return `(!${x})`;
    throw new Error(`an operation \`${expr.op}\` on bool`);
  }
}

type Op = Extract<Expr, { readonly kind: "op" }>;

function isProduct(expr: Expr): expr is Op {
  return expr.kind === "op" && expr.op === "mul" && expr.dtype === "f32";
}

function constantText(value: number, dtype: string): string {
  if (dtype === "i32" && value === (value | 0)) return `(${value})`;
  const isNormal = value === 0 || Math.abs(value) >= 2 ** -126;
  if (dtype === "f32" && Number.isFinite(value) && isNormal && Math.fround(value) === value) {
    return Object.is(value, -0) ? "(-0)" : `(${value})`;
  }
  throw new Error(`a constant ${value} of ${dtype}`);
}

/** The locals that statements assign; one that says so is assigned by one of them. */
function assignedIn(body: readonly Statement[]): ReadonlySet<Local> {
  const found = new Set<Local>();
  const assign = (target: Local): void => {
    if (target.once === true && found.has(target))
      throw new Error(`${target.name} is assigned twice`);
    found.add(target);
  };
  visitStatements(body, (statement) => {
    if (statement.kind === "set" || statement.kind === "for") assign(statement.local);
    if (statement.kind === "call") statement.results.forEach(assign);
  });
  return found;
}
