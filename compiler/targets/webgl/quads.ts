/**
 * Kernels for four neighbouring threads at a time: a fragment has all words of a texel,
 * and reads a texel where neighbours read neighbours.
 *
 *   for k < n { s += x[i, k] * y[k, j] }
 *     →   for k < n, four at a time { a = x[i, k…k+3]; s += a.x * y[k, j…j+3]; s += a.y * y[k+1, j…j+3]; … }
 *
 * Floats are vectors, integers are those of the first thread.
 */

import { type Dim, divideDim, multiplyDims, subtractDims } from "../../ir/dim.ts";
import { isFloat } from "../../ir/types.ts";
import {
  add,
  constant,
  type Expr,
  isConstant,
  type Local,
  read,
  type Statement,
} from "../../kernel/loop.ts";
import {
  assignedIn,
  mapOperands,
  visitExpression,
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
  /** In front of each round of four. */
  readonly each?: (round: number) => string;
  readonly after: readonly string[];
}

/** A kernel that is not of this form. */
class NoQuads extends Error {}

const infix: Readonly<Record<string, string>> = { add: "+", sub: "-", mul: "*", div: "/" };
const plain: ReadonlySet<string> = new Set(["abs", "floor", "ceil", "trunc", "sqrt"]);
const components = ["x", "y", "z", "w"] as const;
/** A fragment program has so many outputs everywhere. */
const rowsAtOnce = 4;

function mayBeQuads({ body, sites, isDirect, mayFail }: Gathering): boolean {
  let isKnown = true;
  visitStatements(body, ({ kind }) => {
    if (kind === "while" || kind === "call" || kind === "fault") isKnown = false;
  });
  const areCertain = sites.every(
    ({ isCertain, statement }) => isCertain && isFloat(statement.dtype),
  );
  return isDirect && !mayFail && isKnown && areCertain;
}

/** A kernel for four neighbours at a time. */
export interface Quads {
  readonly text: string;
  /** Parameters that it takes to be multiples of 16. */
  readonly aligned: readonly Local[];
  /** Parameters that have to be multiples of four. */
  readonly fours: readonly Local[];
  /** Functions of tables that it calls, and of those the ones that it calls of vectors. */
  readonly used: ReadonlySet<string>;
  readonly lifted: ReadonlySet<string>;
  /**
   * The same for rows of threads at a time, each so many threads after the one before, where rows
   * read the same: `y[k, j]` is read once for `s0 += x[i, k] * y[k, j]` and `s1 += x[i + 1, k] * y[k, j]`.
   */
  readonly rows?: { readonly neighbours: number | Local; readonly text: string };
}

/**
 * The forms of a kernel, the better one first: one that may need some of its parameters to be
 * multiples of four, and one that does not, where those differ and there is one.
 */
export function quadsOf(...given: Parameters<QuadText["thread"]>): readonly Quads[] {
  const [, gathering] = given;
  if (!mayBeQuads(gathering)) return [];
  const fast = formOf(given, new Set());
  if (fast === undefined || fast.fours.length === 0) return fast === undefined ? [] : [fast];
  const general = formOf(given);
  return general === undefined ? [fast] : [fast, general];
}

function formOf(given: Parameters<QuadText["thread"]>, fours?: Set<Local>): Quads | undefined {
  const [, { sites }] = given;
  const one = new QuadText({ fours });
  const text = one.threadOrNot(...given);
  if (text === undefined) return undefined;
  const { used, lifted, aligned } = one;
  const neighbours = sites.length === 1 ? one.cut : undefined;
  const several = neighbours === undefined ? undefined : new QuadText({ neighbours, fours });
  const rowText = several?.threadOrNot(...given);
  const isWorth = neighbours !== undefined && rowText !== undefined && several?.shared !== 0;
  return {
    text,
    aligned: [...new Set([...aligned, ...(several?.aligned ?? [])])],
    fours: [...(fours ?? [])],
    used,
    lifted,
    ...(isWorth ? { rows: { neighbours, text: rowText } } : {}),
  };
}

/** Throws a `NoQuads` where a kernel has none. */
class QuadText extends GlslText {
  private indices!: Indices;
  private definitions: ReadonlyMap<Local, Statement> = new Map();
  /** The value of a load of which the places are known in front of its loop, in a round. */
  private readonly ahead = new Map<Expr, (round: number, row: number) => string>();
  /** How many rows of threads are done at once, and how many threads are between them. */
  private readonly rows: number;
  private readonly neighbours: number | Local | undefined;
  /** Parameters that are taken to be multiples of four; undefined where none may be. */
  private readonly fours: Set<Local> | undefined;
  /** The row that the text is for, and the locals that each row has. */
  private row = 0;
  private own: ReadonlySet<Local> = new Set();
  private hasLoop = false;
  /** Loads that serve all rows. */
  shared = 0;
  /** The counter of the four rounds, and which of them it is. */
  private round: { readonly counter: Local; readonly number: number } | undefined;
  private count = 0;
  /** Parameters that are taken to be multiples of 16. */
  readonly aligned = new Set<Local>();
  /** What counters of loops are multiples of. */
  private readonly multiples = new Map<string, number>();

  constructor({
    neighbours,
    fours,
  }: {
    readonly neighbours?: number | Local;
    readonly fours: Set<Local> | undefined;
  }) {
    super(new Set());
    this.neighbours = neighbours;
    this.fours = fours;
    this.rows = neighbours === undefined ? 1 : rowsAtOnce;
  }

  /** How many threads are between two rows. */
  private get apart(): Dim | undefined {
    const { neighbours } = this;
    if (neighbours === undefined || typeof neighbours === "number") return neighbours;
    return this.indices.dim(read(neighbours));
  }

  /** Into how many neighbours the threads are cut, once the text is there. */
  get cut(): number | Local | undefined {
    return this.indices.neighbours();
  }

  override thread(entry: Entry, gathering: Gathering, cells: Cells, canFail: boolean): string {
    const { body } = gathering;
    const assigned = assignedIn(body);
    const fixed = [...entry.parameters, cells.base].filter((of) => !assigned.has(of));
    this.definitions = constantSets(body);
    this.indices = new Indices(new Set(fixed), entry.part, this.definitions, this.fours);
    const counters = new Set<Local>();
    visitStatements(body, (statement) => {
      if (statement.kind === "for") counters.add(statement.local);
    });
    this.hasLoop = counters.size > 0;
    this.own = new Set(
      [...assigned, ...(entry.part ? [entry.part] : [])].filter((of) => !counters.has(of)),
    );
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

  // Rows

  /** The text of each row, what is the same for all of them once. */
  private inRows(text: () => readonly string[]): readonly string[] {
    const lines = Array.from({ length: this.rows }, (_, row) => {
      this.row = row;
      return text();
    }).flat();
    this.row = 0;
    return this.rows === 1 ? lines : [...new Set(lines)];
  }

  protected override nameOf(of: Local): string {
    const name = super.nameOf(of);
    return this.rows > 1 && this.own.has(of) ? `${name}r${this.row}` : name;
  }

  protected override threadName(part: Local): string {
    return this.rows > 1 ? "first" : super.threadName(part);
  }

  protected override threads(part: Local): readonly string[] {
    if (this.rows === 1) return [];
    const { neighbours = 0 } = this;
    const apart = typeof neighbours === "number" ? neighbours : this.nameOf(neighbours);
    return this.inRows(() => [`  i32 ${this.nameOf(part)} = first + ${this.row} * ${apart};`]);
  }

  protected override opening(...given: Parameters<GlslText["opening"]>): readonly string[] {
    return this.inRows(() => super.opening(...given));
  }

  protected override list(body: readonly Statement[], indent: string): readonly string[] {
    if (this.rows === 1) return super.list(body, indent);
    return body.flatMap((statement) => {
      const isOnce = statement.kind === "for" || statement.kind === "if";
      if (isOnce) return this.statement(statement, indent);
      return this.inRows(() => this.statement(statement, indent));
    });
  }

  protected override typeOf(of: Local): string {
    return of.type === "i32" || this.isParameter(of) ? super.typeOf(of) : "vec4";
  }

  protected override bits(of: Local, word: string): string {
    const text = super.bits(of, word);
    return this.typeOf(of) === "vec4" ? `vec4(${text})` : text;
  }

  protected override assignable(of: Local, value: Expr): string {
    return of.type === "i32" ? this.expr(value) : this.vector(value);
  }

  protected override store(statement: Store, indent: string): readonly string[] {
    const value = `floatBitsToUint(${this.vector(statement.value)})`;
    const output = this.rows > 1 ? this.row : this.siteOf(statement);
    return [`${indent}o${output} = ${value};`];
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
        if (!this.isSameInAll(statement.condition)) throw new NoQuads();
        break;
      case "for": {
        if (![statement.from, statement.to].every((each) => this.isSameInAll(each))) {
          throw new NoQuads();
        }
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
    const deeper = `${indent}  `;
    // Their indices may name what the rounds compute.
    for (const inner of body) {
      if (inner.kind === "set" && inner.local.type === "i32") this.indices.set(inner, inner.value);
    }
    const width = this.widthOf(statement, name);
    if (isConstant(from) && from.value % 4 === 0) this.multiples.set(name, width);
    const walks: Walk[] = [];
    visitExpressions(body, (expr) => {
      const walk = expr.kind === "load" ? this.walk(expr, name, statement, width) : undefined;
      if (walk !== undefined) walks.push(walk);
    });
    const lines: string[] = [];
    for (let number = 0; number < width; number++) {
      this.round = { counter, number };
      const each = walks.flatMap((walk) => walk.each?.(number) ?? []);
      const inside = [
        ...each.map((line) => `${deeper}  ${line}`),
        ...this.list(body, `${deeper}  `),
      ];
      lines.push(`${deeper}{`, ...inside, `${deeper}}`);
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

  /** How many words further an address is in each round of a loop, if that is always the same. */
  private strideOf(
    address: Dim,
    counter: string,
  ): { readonly words: Dim; readonly text: (rounds: number) => string } | undefined {
    const bytes = coefficientOf(address, counter);
    if (bytes === undefined) return undefined;
    const words = divideDim(bytes, 4);
    if (subtractDims(multiplyDims(4, words), bytes) !== 0) return undefined;
    if (typeof words === "number") return { words, text: (rounds) => String(words * rounds) };
    const expr = this.indices.fixedOf(words);
    return expr && { words, text: (rounds) => `${this.expr(expr)} * ${rounds}` };
  }

  /** How many rounds of a loop are done as one. */
  private widthOf({ from, to, body }: For, name: string): 1 | 4 {
    const { indices } = this;
    const rounds = subtractDims(indices.dim(to), indices.dim(from));
    if (typeof rounds === "number") return rounds % 4 === 0 && rounds > 0 ? 4 : 1;
    // Nothing is assumed of a loop where it does not let words be read four at a time.
    let pays = false;
    visitExpressions(body, (expr) => {
      if (expr.kind !== "load" || !isFloat(expr.dtype) || this.stepOf(expr) === 1) return;
      const address = indices.address(expr.base, expr.index);
      if (coefficientOf(address, name) === 4 && indices.isPlainIn(address, name)) pays = true;
    });
    return pays && indices.isFourfold(rounds) ? 4 : 1;
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
    const stride = this.strideOf(address, name);
    if (stride === undefined || !indices.isPlainIn(address, name)) return undefined;
    const isShared = this.rows > 1 && indices.isInAllRows(address, this.apart);
    if (isShared) this.shared++;
    const step = this.stepOf(load);
    const lanes = step === undefined ? [0, 1, 2, 3] : [0];
    const count = this.count++;
    const rows = Array.from({ length: isShared ? 1 : this.rows }, (_, row) => row);
    const named = (lane: number, row: number): string => `n${count}_${isShared ? 0 : row}_${lane}`;
    const each = <T>(text: (lane: number, row: number) => T): readonly T[] =>
      rows.flatMap((row) => {
        this.row = row;
        const all = lanes.map((lane) => text(lane, row));
        this.row = 0;
        return all;
      });
    const start = { counter, from };
    const { words, text } = stride;
    const isAhead = words === 1 && width === 4 && step !== 1;
    const four = isAhead || step === 1 ? this.fourOf(address, isAhead, step === undefined) : "";
    // Where texels are read whole, places are theirs.
    const isWhole = four === "load4a" && (isAhead || indices.isFourfold(words));
    const inUnits = (place: string): string => (isWhole ? `texels(${place})` : place);
    const further = (rounds: number): string => `u32(${inUnits(text(rounds))})`;
    const before = each((lane, row) => {
      const place = this.placeOf(load, lane, start);
      return `u32 ${named(lane, row)} = ${inUnits(place)};`;
    });
    const after =
      words === 0 ? [] : each((lane, row) => `${named(lane, row)} += ${further(width)};`);
    const at = (lane: number, round: number, row: number): string =>
      round === 0 || words === 0 ? named(lane, row) : `${named(lane, row)} + ${further(round)}`;
    const wide = isWhole ? "load4t" : four;
    if (isAhead) {
      const ahead = each(
        (lane, row) => `vec4 w${named(lane, row)} = ${wide}(${named(lane, row)});`,
      );
      this.ahead.set(load, (round, row) => {
        const values = lanes.map((lane) => `w${named(lane, row)}.${components[round]}`);
        return `vec4(${values.join(", ")})`;
      });
      return { before, ahead, after };
    }
    const value = (round: number, row: number): string => {
      if (step === 1) return `${wide}(${at(0, round, row)})`;
      return `vec4(${lanes.map((lane) => `as_f32(load(${at(lane, round, row)}))`).join(", ")})`;
    };
    if (!isShared) {
      this.ahead.set(load, value);
      return { before, ahead: [], after };
    }
    const shared = `s${count}`;
    this.ahead.set(load, () => shared);
    return { before, ahead: [], each: (round) => `vec4 ${shared} = ${value(round, 0)};`, after };
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

  /**
   * The function that reads four words from an address on: in every round or in the first of four,
   * for the first of four neighbours or for each.
   */
  private fourOf(address: Dim, isFirst: boolean, isEach: boolean): string {
    const multiples = isFirst ? this.multiples : new Map<string, number>();
    const pointers = this.indices.alignedWith(address, multiples, isEach);
    if (pointers === undefined) return "load4";
    for (const pointer of pointers) this.aligned.add(pointer);
    return "load4a";
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

  /** As `isSame`, and in all rows. */
  private isSameInAll(expr: Expr): boolean {
    if (!this.isSame(expr)) return false;
    if (this.rows === 1) return true;
    let isFree = true;
    visitExpression(expr, (inner) => {
      if (inner.kind !== "local" || inner.local.type !== "i32") return;
      if (!this.indices.isInAllRows(this.indices.dim(inner))) isFree = false;
    });
    return isFree;
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
    if (ahead !== undefined) return ahead(round?.number ?? 0, this.row);
    const step = this.stepOf(load);
    if (step === 1) {
      const address = this.indices.address(load.base, load.index);
      return `${this.fourOf(address, false, false)}(${this.place(load.base, load.index)})`;
    }
    if (step === 0) return `vec4(as_f32(load(${this.place(load.base, load.index)})))`;
    // Without a loop there is nothing that it pays to find four places for.
    if (!this.hasLoop) throw new NoQuads();
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
