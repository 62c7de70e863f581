/**
 * Kernels with loops for four neighbouring threads at a time: a fragment has all words of a texel,
 * and reads a texel where neighbours read neighbours.
 *
 *   for k < n { s += x[i, k] * y[k, j] }
 *     →   for k < n, four at a time { a = x[i, k…k+3]; s += a.x * y[k, j…j+3]; s += a.y * y[k+1, j…j+3]; … }
 *
 * Floats are vectors, integers are those of the first thread.
 */

import { type Dim, subtractDims } from "../../ir/dim.ts";
import { isFloat } from "../../ir/types.ts";
import {
  add,
  constant,
  type Expr,
  isConstant,
  type Local,
  type Statement,
} from "../../kernel/loop.ts";
import {
  assignedIn,
  mapOperands,
  visitExpressions,
  visitStatements,
} from "../../kernel/rewrite.ts";
import { elementary } from "../gpu/elementary.ts";
import { constantSets, type Store } from "../gpu/shaderText.ts";
import type { Entry } from "../gpu/split.ts";
import type { Gathering } from "./gather.ts";
import { type Cells, GlslText } from "./glsl.ts";
import { coefficientOf, Indices } from "./indices.ts";

type For = Extract<Statement, { readonly kind: "for" }>;
type Load = Extract<Expr, { readonly kind: "load" }>;

/** What is done for a load in front of a loop, of its rounds, and after them. */
interface Walk {
  readonly before: readonly string[];
  readonly ahead: readonly string[];
  readonly after: readonly string[];
}

/** A kernel that is not of this form. */
class NoQuads extends Error {}

const infix: Readonly<Record<string, string>> = { add: "+", sub: "-", mul: "*", div: "/" };
const plain: ReadonlySet<string> = new Set(["abs", "floor", "ceil", "trunc", "sqrt"]);
const components = ["x", "y", "z", "w"] as const;

export function mayBeQuads({ body, sites, isDirect, mayFail }: Gathering): boolean {
  let hasLoop = false;
  let isKnown = true;
  visitStatements(body, ({ kind }) => {
    if (kind === "for") hasLoop = true;
    if (kind === "while" || kind === "call" || kind === "fault") isKnown = false;
  });
  const areCertain = sites.every(
    ({ isCertain, statement }) => isCertain && isFloat(statement.dtype),
  );
  return isDirect && !mayFail && hasLoop && isKnown && areCertain;
}

/** Throws a `NoQuads` where a kernel has none. */
export class QuadText extends GlslText {
  private indices!: Indices;
  private definitions: ReadonlyMap<Local, Statement> = new Map();
  /** The value of a load of which the places are known in front of its loop, in a round. */
  private readonly ahead = new Map<Expr, (round: number) => string>();
  /** The counter of the four rounds, and which of them it is. */
  private round: { readonly counter: Local; readonly number: number } | undefined;
  private count = 0;
  /** Parameters that are taken to be multiples of 16. */
  readonly aligned = new Set<Local>();
  /** What counters of loops are multiples of. */
  private readonly multiples = new Map<string, number>();

  override thread(entry: Entry, gathering: Gathering, cells: Cells, canFail: boolean): string {
    const { body } = gathering;
    const assigned = assignedIn(body);
    const fixed = [...entry.parameters, cells.base].filter((of) => !assigned.has(of));
    this.definitions = constantSets(body);
    this.indices = new Indices(new Set(fixed), entry.part, this.definitions);
    return super.thread(entry, gathering, cells, canFail);
  }

  /** Undefined where a kernel has no such form. */
  threadOrNot(...given: Parameters<QuadText["thread"]>): string | undefined {
    try {
      return this.thread(...given);
    } catch (error) {
      if (error instanceof NoQuads) return undefined;
      throw error;
    }
  }

  protected override typeOf(of: Local): string {
    return of.type === "i32" || this.isParameter(of) ? super.typeOf(of) : "vec4";
  }

  protected override assignable(of: Local, value: Expr): string {
    return of.type === "i32" ? this.expr(value) : this.vector(value);
  }

  protected override store(statement: Store, indent: string): readonly string[] {
    const value = `floatBitsToUint(${this.vector(statement.value)})`;
    return [`${indent}o${this.siteOf(statement)} = ${value};`];
  }

  protected override statement(statement: Statement, indent: string): readonly string[] {
    switch (statement.kind) {
      case "set": {
        const { local: of, value } = statement;
        if (of.type === "i32") {
          if (!isIndex(value)) throw new NoQuads();
          this.indices.set(statement, value);
        }
        break;
      }
      case "if":
        if (!this.isSame(statement.condition)) throw new NoQuads();
        break;
      case "for": {
        if (![statement.from, statement.to].every((each) => this.isSame(each))) throw new NoQuads();
        return this.loop(statement, indent);
      }
      default:
        break;
    }
    return super.statement(statement, indent);
  }

  private loop(statement: For, indent: string): readonly string[] {
    const name = this.indices.count(statement.local);
    const { from, to, step, body, local: counter } = statement;
    if (!body.every(({ kind }) => kind === "set") || step !== 1) {
      return super.statement(statement, indent);
    }
    const rounds = subtractDims(this.indices.dim(to), this.indices.dim(from));
    const width = typeof rounds === "number" && rounds % 4 === 0 && rounds > 0 ? 4 : 1;
    if (isConstant(from) && from.value % 4 === 0) this.multiples.set(name, width);
    const deeper = `${indent}  `;
    // Their indices may name what the rounds compute.
    for (const inner of body) {
      if (inner.kind === "set" && inner.local.type === "i32") this.indices.set(inner, inner.value);
    }
    const walks: Walk[] = [];
    visitExpressions(body, (expr) => {
      const walk = expr.kind === "load" ? this.walk(expr, name, statement, width) : undefined;
      if (walk !== undefined) walks.push(walk);
    });
    const lines: string[] = [];
    for (let number = 0; number < width; number++) {
      this.round = { counter, number };
      lines.push(`${deeper}{`, ...this.list(body, `${deeper}  `), `${deeper}}`);
    }
    this.round = undefined;
    const first = this.nameOf(counter);
    const head = `${first} = ${this.expr(from)}; ${first} < ${this.expr(to)}; ${first} = ${first} + ${width}`;
    return [
      ...walks.flatMap(({ before }) => before.map((line) => indent + line)),
      `${indent}for (${head}) {`,
      ...walks.flatMap(({ ahead }) => ahead.map((line) => deeper + line)),
      ...lines,
      ...walks.flatMap(({ after }) => after.map((line) => deeper + line)),
      `${indent}}`,
    ];
  }

  /**
   * A load whose place moves on by the same number of words in each round: its places are found in
   * front of the loop. Neighbouring words of four rounds are read at once.
   */
  private walk(
    load: Load,
    name: string,
    { local: counter, from }: For,
    width: number,
  ): Walk | undefined {
    const { indices } = this;
    if (!isFloat(load.dtype)) throw new NoQuads();
    const address = indices.address(load.base, load.index);
    const stride = coefficientOf(address, name);
    if (typeof stride !== "number" || stride % 4 !== 0 || !indices.isPlainIn(address, name)) {
      return undefined;
    }
    const step = this.stepOf(load);
    const lanes = step === undefined ? [0, 1, 2, 3] : [0];
    const names = lanes.map(() => `n${this.count++}`);
    const starts = lanes.map(
      (lane, k) => `u32 ${names[k]} = ${this.placeOf(load, lane, { counter, from })};`,
    );
    const words = stride / 4;
    const after = names.map((each) => `${each} += ${unsigned(words * width)};`);
    const at = (each: string, round: number): string =>
      round === 0 || words === 0 ? each : `${each} + ${unsigned(words * round)}`;
    if (words === 1 && width === 4 && step !== 1) {
      const parts = names.map((each) => `${each}_words`);
      this.ahead.set(load, (round) => {
        const values = parts.map((part) => `${part}.${components[round]}`);
        return `vec4(${values.join(", ")})`;
      });
      const read = this.fourOf(address);
      const ahead = names.map((each, k) => `vec4 ${parts[k]} = ${read}(${each});`);
      return { before: starts, ahead, after };
    }
    const four = step === 1 ? this.fourOf(address) : "";
    this.ahead.set(load, (round) => {
      if (step === 1) return `${four}(${at(names[0] as string, round)})`;
      return `vec4(${names.map((each) => `as_f32(load(${at(each, round)}))`).join(", ")})`;
    });
    return { before: starts, ahead: [], after: words === 0 ? [] : after };
  }

  /** The function that reads four words from an address on. */
  private fourOf(address: Dim): string {
    const pointers = this.indices.alignedWith(address, this.multiples);
    if (pointers === undefined) return "load4";
    for (const pointer of pointers) this.aligned.add(pointer);
    return "load4a";
  }

  /** The word that a load reads for one of the four threads, in the first round of a loop. */
  private placeOf(
    { base, index }: Load,
    lane: number,
    start?: { readonly counter: Local; readonly from: Expr },
  ): string {
    const { part } = this.indices;
    const moved = (expr: Expr): Expr => {
      if (expr.kind === "local" && expr.local === part) return add(expr, constant(lane));
      if (expr.kind === "local" && expr.local === start?.counter) return start.from;
      return mapOperands(expr, moved);
    };
    const [at, of] = [this.indices.spelled(base), this.indices.spelled(index)].map(moved);
    return this.place(at as Expr, of as Expr);
  }

  private stepOf({ base, index }: Load): 0 | 1 | undefined {
    const { indices } = this;
    if (indices.laneStep(indices.dim(base)) !== 0) return undefined;
    return indices.laneStep(indices.simplified(indices.dim(index)));
  }

  /** True where all four threads have the same value. */
  private isSame(expr: Expr): boolean {
    if (expr.kind === "load") return false;
    if (expr.kind === "op" || expr.kind === "cast") {
      const operands = expr.kind === "op" ? expr.operands : [expr.value];
      return operands.every((operand) => this.isSame(operand));
    }
    if (expr.kind === "local" && expr.local.type !== "i32") return this.isParameter(expr.local);
    if (expr.kind !== "local" && expr.kind !== "const") return false;
    return this.indices.laneStep(this.indices.dim(expr)) === 0;
  }

  // Values

  protected override expr(expr: Expr): string {
    const { round } = this;
    if (expr.kind === "local" && expr.local === round?.counter && round.number > 0) {
      return `(${super.expr(expr)} + ${round.number})`;
    }
    return super.expr(expr);
  }

  /** A value of all four threads. */
  private vector(expr: Expr): string {
    switch (expr.kind) {
      case "const":
        return `vec4(${this.expr(expr)})`;
      case "local":
        if (expr.local.type === "i32") throw new NoQuads();
        return this.isParameter(expr.local) ? `vec4(${this.expr(expr)})` : this.expr(expr);
      case "load":
        return this.loaded(expr);
      case "madd":
        return `(${this.vector(expr.a)} * ${this.vector(expr.b)} + ${this.vector(expr.c)})`;
      case "when":
        if (!this.isSame(expr.condition)) throw new NoQuads();
        return `(${this.condition(expr.condition)} ? ${this.vector(expr.then)} : ${this.vector(expr.otherwise)})`;
      case "op":
        return this.vectorOperation(expr);
      default:
        throw new NoQuads();
    }
  }

  private vectorOperation(expr: Extract<Expr, { readonly kind: "op" }>): string {
    const { op, dtype, operands } = expr;
    if (op === "select") {
      const [condition, x, y] = operands as readonly [Expr, Expr, Expr];
      if (!isFloat(dtype) || !this.isSame(condition)) throw new NoQuads();
      return `(${this.condition(condition)} ? ${this.vector(x)} : ${this.vector(y)})`;
    }
    if (!isFloat(dtype) || isConstant(expr)) throw new NoQuads();
    const texts = operands.map((operand) => this.vector(operand));
    const operator = infix[op];
    if (operator !== undefined && Object.hasOwn(infix, op))
      return `(${texts.join(` ${operator} `)})`;
    if (op === "neg") return `(-${texts.join()})`;
    if (plain.has(op)) return `${op}(${texts.join(", ")})`;
    if (!Object.hasOwn(elementary, op)) throw new NoQuads();
    this.used.add(op);
    this.lifted.add(op);
    return `q_${op}(${texts.join(", ")})`;
  }
  /** Functions of single numbers that are used of vectors. */
  readonly lifted = new Set<string>();

  private loaded(load: Load): string {
    if (!isFloat(load.dtype)) throw new NoQuads();
    const { round } = this;
    const ahead = this.ahead.get(load);
    if (ahead !== undefined) return ahead(round?.number ?? 0);
    const step = this.stepOf(load);
    if (step === 1) {
      const address = this.indices.address(load.base, load.index);
      return `${this.fourOf(address)}(${this.place(load.base, load.index)})`;
    }
    if (step === 0) return `vec4(as_f32(load(${this.place(load.base, load.index)})))`;
    const lanes = components.map((_, lane) => `as_f32(load(${this.placeOf(load, lane)}))`);
    return `vec4(${lanes.join(", ")})`;
  }
}

/** The text of a function of single numbers, of four. */
export function liftedText(name: string): string {
  const count = elementary[name]?.parameters.length ?? 1;
  const names = ["x", "y"].slice(0, count);
  const head = names.map((each) => `vec4 ${each}`).join(", ");
  const parts = components.map(
    (component) => `f_${name}(${names.map((each) => `${each}.${component}`).join(", ")})`,
  );
  return `vec4 q_${name}(${head}) { return vec4(${parts.join(", ")}); }`;
}

/** True of what indices are computed with. */
function isIndex(expr: Expr): boolean {
  if (expr.kind === "load" || expr.kind === "cast" || expr.kind === "when") return false;
  if (expr.kind === "op") return expr.dtype === "i32" && expr.operands.every(isIndex);
  return expr.kind === "const" || (expr.kind === "local" && expr.local.type === "i32");
}

function unsigned(words: number): string {
  return words < 0 ? `u32(${words})` : `${words}u`;
}
