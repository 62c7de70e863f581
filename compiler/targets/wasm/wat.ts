/** The loop IR as WebAssembly text. */

import { roundHalf } from "../../../runtime/half.ts";
import { byteSize, type DType } from "../../ir/types.ts";
import {
  type Expr,
  hostFunctions,
  isConstant,
  type Lanes,
  type Local,
  type LoopFunction,
  type LoopModule,
  type Machine,
  type Statement,
} from "../../kernel/loop.ts";
import { assignedBy, readIn, visitExpressions, visitStatements } from "../../kernel/rewrite.ts";
import { withoutAliases } from "./aliases.ts";
import { placeConstants } from "./constants.ts";
import { helpersOf } from "./helpers.ts";
import { singlesOf } from "./singles.ts";
import { casts, laneCasts, laneShape, spellings, wholeNumber } from "./spelling.ts";

export interface Wat {
  readonly text: string;
  /** Names of the imported functions of `Math` and of the runtime. */
  readonly imports: readonly string[];
  /** The module's constants, and those of the helper functions. */
  readonly constants: Uint8Array;
}

export function wat(module: LoopModule, relaxed: boolean): Wat {
  const functions = module.functions.map((fn) =>
    new FunctionText(withoutAliases(fn), module.constantsBase, relaxed).text(),
  );
  const helpers = helpersOf(relaxed);
  const used = calledIn(functions.join("\n"), helpers);
  const helperText = used.map((name) => helpers[name] as string).join("\n");
  const all = [helperText, ...functions].join("\n");
  const { text: code, constants } = placeConstants(all, module.constants);
  const imports = importsOf(code);
  const lines = [
    `(import "env" "memory" (memory 1 32767))`,
    `(import "env" "constants" (global $constants i32))`,
    ...Object.entries({ fault, ...hostFunctions })
      .filter(([name]) => code.includes(`(call $${name} `))
      .map(([name, { parameters, results }]) => {
        const types = `${list("param", parameters)} ${list("result", results)}`.trim();
        return `(import "env" "${name}" (func $${name} ${types}))`;
      }),
    ...imports.map((name) => `(import "math" "${name}" (func $math_${name} ${mathType(name)}))`),
  ];
  const text = `(module\n${lines.join("\n")}\n${code}\n)\n`;
  return { text, imports, constants };
}

const fault = { parameters: ["i32", "i32", "i32"], results: [] } as const;

const binaryFunctions: ReadonlySet<string> = new Set(["pow", "atan2", "hypot", "rem"]);

function mathType(name: string): string {
  const result = name === "to_int32" ? "i32" : "f64";
  return `(param f64${binaryFunctions.has(name) ? " f64" : ""}) (result ${result})`;
}

function importsOf(code: string): readonly string[] {
  const names = new Set<string>();
  for (const [, name] of code.matchAll(/call \$math_(\w+)/g)) names.add(name as string);
  return [...names].sort();
}

/** The helper functions that code calls, and those that they call. */
function calledIn(code: string, helpers: Readonly<Record<string, string>>): readonly string[] {
  const names = new Set<string>();
  const visit = (text: string): void => {
    for (const [, name] of text.matchAll(/call \$(\w+)/g)) {
      if (name === undefined || names.has(name) || !Object.hasOwn(helpers, name)) continue;
      names.add(name);
      visit(helpers[name] as string);
    }
  };
  visit(code);
  return [...names];
}

function list(keyword: string, types: readonly string[]): string {
  return types.length === 0 ? "" : `(${keyword} ${types.join(" ")})`;
}

function valueType(machine: Machine): string {
  return machine === "f32x4" || machine === "f64x2" || machine === "i32x4" ? "v128" : machine;
}

/** Calls in one function that its code stands for. */
const mostInlined = 4;

const exported: ReadonlySet<string> = new Set(["run", "task"]);

class FunctionText {
  private readonly fn: LoopFunction;
  private readonly constantsBase: Local;
  private readonly relaxed: boolean;
  private readonly names = new Map<Local, string>();
  private readonly extra: string[] = [];
  private labels = 0;
  /** Statements for in front of the one that is being spelled. */
  private before: string[] = [];
  private loops = 0;
  private branches = 0;
  private inlined = 0;
  /** Functions of singles that are called for lanes. */
  private readonly inLanes = new Set<string>();

  constructor(fn: LoopFunction, constantsBase: Local, relaxed: boolean) {
    this.fn = fn;
    this.constantsBase = constantsBase;
    this.relaxed = relaxed;
    visitExpressions(fn.body, (expr) => {
      if (expr.kind === "op" && expr.dtype === "f32" && expr.lanes > 1) this.inLanes.add(expr.op);
    });
  }

  text(): string {
    const { name, comment, parameters, body, results, resultTypes } = this.fn;
    const locals = new Set<Local>();
    visitStatements(body, (statement) => {
      for (const target of assignedBy(statement)) locals.add(target);
    });
    for (const used of readIn(body)) locals.add(used);
    for (const parameter of parameters) {
      this.nameOf(parameter);
      locals.delete(parameter);
    }
    locals.delete(this.constantsBase);
    const head = [
      ...parameters.map(
        (parameter) => `(param ${this.nameOf(parameter)} ${valueType(parameter.type)})`,
      ),
      list("result", resultTypes.map(valueType)),
    ];
    const lines = this.statements(body, "    ");
    const ending = results.map((result) => `    ${this.expr(result)}`);
    const declared = [...locals].map((of) => `(local ${this.nameOf(of)} ${valueType(of.type)})`);
    const label = exported.has(name) ? `$${name} (export "${name}")` : `$${name}`;
    return [
      `  ;; ${comment.replaceAll("\n", " ")}`,
      `  (func ${label} ${head.filter((part) => part !== "").join(" ")}`,
      ...[...declared, ...this.extra].map((line) => `    ${line}`),
      ...lines,
      ...ending,
      "  )",
    ].join("\n");
  }

  private nameOf(of: Local): string {
    let name = this.names.get(of);
    if (name === undefined) {
      name = `$${of.name.replaceAll(/[^\w]/g, "_")}_${this.names.size}`;
      this.names.set(of, name);
    }
    return name;
  }

  private statements(body: readonly Statement[], indent: string): readonly string[] {
    return body.flatMap((statement) => this.statement(statement, indent));
  }

  private statement(statement: Statement, indent: string): readonly string[] {
    const outer = this.before;
    this.before = [];
    const lines = this.lines(statement, indent);
    const before = this.before.map((line) => `${indent}${line}`);
    this.before = outer;
    return [...before, ...lines];
  }

  private body(body: readonly Statement[], indent: string): readonly string[] {
    this.loops++;
    const lines = this.statements(body, indent);
    this.loops--;
    return lines;
  }

  private lines(statement: Statement, indent: string): readonly string[] {
    const deeper = `${indent}  `;
    switch (statement.kind) {
      case "set":
        return [
          `${indent}(local.set ${this.nameOf(statement.local)} ${this.expr(statement.value)})`,
        ];
      case "store":
        return [`${indent}${this.store(statement)}`];
      case "for": {
        const label = `$for_${this.labels++}`;
        const counter = this.nameOf(statement.local);
        const before = [`${indent}(local.set ${counter} ${this.expr(statement.from)})`];
        const end = this.stable(statement.to, before, indent);
        const goOn = `(i32.lt_s (local.get ${counter}) ${end})`;
        return [
          ...before,
          `${indent}(if ${goOn} (then (loop ${label}`,
          ...this.body(statement.body, deeper),
          `${deeper}(local.set ${counter} (i32.add (local.get ${counter}) (i32.const ${statement.step})))`,
          `${deeper}(br_if ${label} ${goOn}))))`,
        ];
      }
      case "while": {
        const label = this.labels++;
        return [
          `${indent}(block $end_${label} (loop $while_${label}`,
          ...this.statements(statement.before, deeper),
          `${deeper}(br_if $end_${label} (i32.eqz ${this.expr(statement.condition)}))`,
          ...this.body(statement.body, deeper),
          `${deeper}(br $while_${label})))`,
        ];
      }
      case "if":
        return [
          `${indent}(if ${this.expr(statement.condition)} (then`,
          ...this.statements(statement.then, deeper),
          ...(statement.otherwise.length === 0
            ? [`${indent}))`]
            : [`${indent}) (else`, ...this.statements(statement.otherwise, deeper), `${indent}))`]),
        ];
      case "call": {
        const operands = statement.operands.map((operand) => this.expr(operand));
        const text = `(call $${statement.callee} ${operands.join(" ")})`;
        const [only, ...others] = statement.results;
        if (only === undefined) return [`${indent}${text}`];
        if (others.length === 0) return [`${indent}(local.set ${this.nameOf(only)} ${text})`];
        return [
          `${indent}${text}`,
          ...[...statement.results]
            .reverse()
            .map((result) => `${indent}(local.set ${this.nameOf(result)})`),
        ];
      }
      case "copy": {
        const { to, from, bytes } = statement;
        return [`${indent}(memory.copy ${this.expr(to)} ${this.expr(from)} ${this.expr(bytes)})`];
      }
      case "clear":
        return [
          `${indent}(memory.fill ${this.expr(statement.to)} (i32.const 0) ${this.expr(statement.bytes)})`,
        ];
      case "fault": {
        const numbers = `${this.expr(statement.index)} ${this.expr(statement.extent)}`;
        return [
          `${indent}(call $fault (i32.const ${statement.site}) ${numbers})`,
          `${indent}unreachable`,
        ];
      }
    }
  }

  /** An expression that is evaluated once, in front of a loop. */
  private stable(expr: Expr, before: string[], indent: string): string {
    if (expr.kind === "const" || expr.kind === "local") return this.expr(expr);
    const name = `$limit_${this.labels++}`;
    this.extra.push(`(local ${name} i32)`);
    before.push(`${indent}(local.set ${name} ${this.expr(expr)})`);
    return `(local.get ${name})`;
  }

  private expr(expr: Expr): string {
    switch (expr.kind) {
      case "const":
        return constantText(expr.value, expr.dtype, expr.lanes);
      case "local":
        if (expr.local === this.constantsBase) return "(global.get $constants)";
        return `(local.get ${this.nameOf(expr.local)})`;
      case "affine":
        throw new Error("an index was not turned into arithmetic");
      case "load":
        return this.load(expr.base, expr.index, expr.dtype, expr.lanes);
      case "op": {
        const clamped = this.clamped(expr);
        if (clamped !== undefined) return clamped;
        const spelling = Object.hasOwn(spellings, expr.op) ? spellings[expr.op] : undefined;
        if (spelling === undefined) throw new Error(`wasm has no spelling of \`${expr.op}\``);
        const operands = expr.operands.map((operand) => this.expr(operand));
        if (this.isLast(expr)) {
          const lanes = operands.map((operand) => `(f32x4.splat ${operand})`);
          return `(f32x4.extract_lane 0 ${spelling(expr.dtype, 4, lanes)})`;
        }
        const text = spelling(expr.dtype, expr.lanes, operands);
        return this.inlinedCall(text, operands) ?? text;
      }
      case "cast": {
        if (expr.from === expr.to) return this.expr(expr.value);
        if (expr.whole) return wholeNumber(this.expr(expr.value));
        const table = expr.lanes === 1 ? casts : laneCasts;
        const spelling = table[`${expr.from} ${expr.to}`];
        if (spelling === undefined) throw new Error(`wasm cannot cast ${expr.from} to ${expr.to}`);
        return spelling(this.expr(expr.value));
      }
      case "splat":
        return this.splat(expr.value, expr.dtype, expr.lanes);
      case "lane":
        return `(${laneShape(expr.dtype, expr.lanes)}.extract_lane ${expr.lane} ${this.expr(expr.value)})`;
      case "shuffle": {
        const size = 16 / expr.lanes;
        const bytes = expr.picks.flatMap((pick) =>
          [...Array(size).keys()].map((byte) => pick * size + byte),
        );
        return `(i8x16.shuffle ${bytes.join(" ")} ${this.expr(expr.a)} ${this.expr(expr.b)})`;
      }
      case "madd": {
        const shape = laneShape(expr.dtype, expr.lanes);
        const [a, b, c] = [this.expr(expr.a), this.expr(expr.b), this.expr(expr.c)];
        const floating = expr.dtype === "f32" || expr.dtype === "f64";
        if (this.relaxed && expr.lanes > 1 && floating)
          return `(${shape}.relaxed_madd ${a} ${b} ${c})`;
        return `(${shape}.add (${shape}.mul ${a} ${b}) ${c})`;
      }
      case "when": {
        const type = expr.lanes > 1 ? "v128" : laneShape(expr.dtype, 1);
        const condition = this.expr(expr.condition);
        this.branches++;
        const [then, otherwise] = [this.expr(expr.then), this.expr(expr.otherwise)];
        this.branches--;
        return `(if (result ${type}) ${condition} (then ${then}) (else ${otherwise}))`;
      }
    }
  }

  /** Elements that are left over are computed as those in lanes are: with the same function. */
  private isLast({ op, dtype, lanes }: Extract<Expr, { kind: "op" }>): boolean {
    if (dtype !== "f32" || lanes > 1 || !this.inLanes.has(op)) return false;
    return Object.hasOwn(singlesOf(this.relaxed), `${op}_f32x4`);
  }

  /**
   * Instead of the call of a function of four lanes its code, in front of the statement: in a loop a
   * call costs a quarter of the function. Not in a branch, which may guard what is computed.
   */
  private inlinedCall(text: string, operands: readonly string[]): string | undefined {
    const [, name = ""] = /^\(call \$(\w+_f32x4) /.exec(text) ?? [];
    const singles = singlesOf(this.relaxed);
    const single = Object.hasOwn(singles, name) ? singles[name] : undefined;
    const pays = this.loops > 0 && this.branches === 0 && this.inlined < mostInlined;
    if (single === undefined || !pays) return undefined;
    const result = `$${name}_${this.inlined++}`;
    const { lines, locals } = single.inline(operands, `${name}_`, result);
    for (const each of [result, ...locals]) {
      const declaration = `(local ${each} v128)`;
      if (!this.extra.includes(declaration)) this.extra.push(declaration);
    }
    this.before.push(...lines);
    return `(local.get ${result})`;
  }

  /**
   * `max x c` and `min x c` in lanes: what engines need eight instructions for takes one or two where
   * c is known. `pmax x c` is `x < c ? c : x`, so that NaN stays; of -0 and 0 it keeps x, which only
   * `max x 0` and `min x -0` may not.
   */
  private clamped({ op, dtype, lanes, operands }: Extract<Expr, { kind: "op" }>) {
    if (lanes === 1 || (op !== "max" && op !== "min")) return undefined;
    if (dtype !== "f32" && dtype !== "f64") return undefined;
    const [a, b] = operands as readonly [Expr, Expr];
    const [x, c] = a.kind === "const" ? [b, a] : [a, b];
    if (c.kind !== "const" || Number.isNaN(c.value)) return undefined;
    const shape = laneShape(dtype, lanes);
    const chosen = `(${shape}.p${op} ${this.expr(x)} ${this.expr(c)})`;
    const value = dtype === "f32" ? Math.fround(c.value) : c.value;
    // -0 + 0 is 0.
    if (op === "max" && Object.is(value, 0)) {
      return `(${shape}.add ${chosen} (${shape}.splat (${dtype}.const 0)))`;
    }
    return op === "min" && Object.is(value, -0) ? undefined : chosen;
  }

  private splat(value: Expr, dtype: DType, lanes: Lanes): string {
    if (dtype === "bool") {
      const mask = `(i32.sub (i32.const 0) ${this.expr(value)})`;
      return lanes === 4 ? `(i32x4.splat ${mask})` : `(i64x2.splat (i64.extend_i32_s ${mask}))`;
    }
    if (value.kind === "load" && value.lanes === 1 && dtype !== "f16") {
      const [at, offset] = this.address(value.base, value.index, value.dtype);
      return `(v128.load${8 * byteSize(dtype)}_splat${offset} ${at})`;
    }
    return `(${laneShape(dtype, lanes)}.splat ${this.expr(value)})`;
  }

  private load(base: Expr, index: Expr, dtype: DType, lanes: Lanes): string {
    const [at, offset] = this.address(base, index, dtype);
    if (lanes > 1) {
      if (isHalf(dtype, lanes)) return `(v128.load64_zero${offset} ${at})`;
      if (dtype === "u8") {
        const pair = `(v128.load16_splat${offset} ${at})`;
        return `(i32x4.extend_low_i16x8_u (i16x8.extend_low_i8x16_u ${pair}))`;
      }
      if (dtype === "f16") return `(call $from_half_f32x4 (v128.load64_zero${offset} ${at}))`;
      if (dtype !== "bool") return `(v128.load${offset} ${at})`;
      return `(call $load_mask ${offset === "" ? at : this.plainAddress(base, index, dtype)})`;
    }
    if (dtype === "f16") return `(call $from_half (i32.load16_u${offset} ${at}))`;
    if (byteSize(dtype) === 1) return `(i32.load8_u${offset} ${at})`;
    return `(${laneShape(dtype, 1)}.load${offset} ${at})`;
  }

  private store(statement: Extract<Statement, { kind: "store" }>): string {
    const { base, index, dtype, lanes } = statement;
    const [at, offset] = this.address(base, index, dtype);
    const value = this.expr(statement.value);
    if (dtype === "f16") {
      if (lanes === 1) return `(i32.store16${offset} ${at} (call $to_half ${value}))`;
      return `(v128.store64_lane${offset} 0 ${at} (call $to_half_f32x4 ${value}))`;
    }
    if (lanes > 1) {
      if (isHalf(dtype, lanes)) return `(v128.store64_lane${offset} 0 ${at} ${value})`;
      if (dtype !== "bool") return `(v128.store${offset} ${at} ${value})`;
      return `(call $store_mask ${this.plainAddress(base, index, dtype)} ${value})`;
    }
    if (byteSize(dtype) === 1) return `(i32.store8${offset} ${at} ${value})`;
    return `(${laneShape(dtype, 1)}.store${offset} ${at} ${value})`;
  }

  /** The text of an address, and a constant offset as an immediate. */
  private address(base: Expr, index: Expr, dtype: DType): readonly [string, string] {
    const size = byteSize(dtype);
    const [rest, offset] = splitConstant(index, lowestAddress / size);
    const immediate = offset === 0 ? "" : ` offset=${offset * size}`;
    if (rest === undefined) return [this.expr(base), immediate];
    return [`(i32.add ${this.expr(base)} ${this.scaled(rest, size)})`, immediate];
  }

  private plainAddress(base: Expr, index: Expr, dtype: DType): string {
    return `(i32.add ${this.expr(base)} ${this.scaled(index, byteSize(dtype))})`;
  }

  private scaled(index: Expr, size: number): string {
    if (size === 1) return this.expr(index);
    return `(i32.shl ${this.expr(index)} (i32.const ${Math.log2(size)}))`;
  }
}

type Constant = Extract<Expr, { readonly kind: "const" }>;

/** Nothing is stored below (`runtime/memory.ts`). */
const lowestAddress = 1024;

/**
 * `x + 3` → `x` and 3. An address is taken without its offset first, where it must not wrap below 0:
 * x may be negative, but the offset is smaller than any address.
 */
function splitConstant(index: Expr, below: number): readonly [Expr | undefined, number] {
  if (isConstant(index) && index.value >= 0) return [undefined, index.value];
  if (index.kind === "op" && index.op === "add") {
    const [left, right] = index.operands;
    if (left !== undefined && right !== undefined) {
      const isOffset = (term: Expr): boolean =>
        isConstant(term) && term.value >= 0 && term.value < below;
      if (isOffset(right)) return [left, (right as Constant).value];
      if (isOffset(left)) return [right, (left as Constant).value];
    }
  }
  return [index, 0];
}

/** Two elements in the lower half of a vector. */
function isHalf(dtype: DType, lanes: Lanes): boolean {
  return lanes === 2 && byteSize(dtype) === 4 && dtype !== "bool";
}

function constantText(value: number, dtype: DType, lanes: Lanes): string {
  if (lanes > 1) {
    if (dtype === "bool") {
      return lanes === 4
        ? `(i32x4.splat (i32.const ${value === 0 ? 0 : -1}))`
        : `(i64x2.splat (i64.const ${value === 0 ? 0 : -1}))`;
    }
    return `(${laneShape(dtype, lanes)}.splat ${constantText(value, dtype, 1)})`;
  }
  switch (dtype) {
    case "f64":
      return `(f64.const ${floatText(value)})`;
    case "f32":
      return `(f32.const ${floatText(Math.fround(value))})`;
    case "f16":
      return `(f32.const ${floatText(roundHalf(value))})`;
    default:
      return `(i32.const ${value | 0})`;
  }
}

function floatText(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  return Object.is(value, -0) ? "-0" : String(value);
}
