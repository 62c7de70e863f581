/** Indices of a thread as polynomials: over parameters, the thread's number, and what is unknown. */

import {
  addDims,
  type Dim,
  dimText,
  foldDim,
  multiplyDims,
  subtractDims,
  symbol,
  symbolsOf,
} from "../../ir/dim.ts";
import {
  add,
  constant,
  divide,
  type Expr,
  isConstant,
  type Local,
  multiply,
  read,
  type Statement,
} from "../../kernel/loop.ts";
import { mapOperands } from "../../kernel/rewrite.ts";

/** What is left of an index after all that is the same for all threads has a name. */
export interface Atom {
  /** An expression of the entry's parameters, where it is one. */
  readonly fixed: Expr | undefined;
  /** Of a remainder or a quotient. */
  readonly of?: undefined | { readonly kind: "rem" | "div"; readonly x: Dim; readonly y: Dim };
  /** What it is computed from, where that is known. */
  readonly operands?: readonly Dim[];
  /** The counter of a loop, which is the same for neighbours. */
  readonly isCounter?: boolean;
}

export class Indices {
  /** Locals that are the same for all threads. */
  private readonly fixed: ReadonlySet<Local>;
  readonly part: Local | undefined;
  /** Assignments that are the only one of their local. */
  private readonly constants: ReadonlyMap<Local, Statement>;
  private readonly known = new Map<Local, Dim>();
  private readonly names = new Map<string, string>();
  private readonly atoms = new Map<string, Atom>();
  private readonly numbers = new Map<Local, number>();
  /** Parameters that are taken to be multiples of four; undefined where nothing may be assumed. */
  private readonly fours: Set<Local> | undefined;

  constructor(
    fixed: ReadonlySet<Local>,
    part: Local | undefined,
    constants: ReadonlyMap<Local, Statement>,
    fours?: Set<Local>,
  ) {
    this.fixed = fixed;
    this.part = part;
    this.constants = constants;
    this.fours = fours;
  }

  /** What a local is from now on, if it is assigned only once. */
  set(statement: Extract<Statement, { readonly kind: "set" }>, value: Expr): void {
    const { local: of } = statement;
    if (this.constants.get(of) === statement && of.type === "i32") {
      this.known.set(of, this.dim(value));
    }
  }

  of(name: string): Atom | undefined {
    return this.atoms.get(name);
  }

  /** The counter of a loop that begins. */
  count(of: Local): string {
    const name = `c${this.atoms.size}`;
    this.atoms.set(name, { fixed: undefined, isCounter: true });
    this.known.set(of, symbol(name));
    return name;
  }

  /**
   * How much further an index is for the next one of four neighbours, the first of which has a
   * number that is a multiple of four: 0 or 1; undefined where it is something else.
   */
  laneStep(dim: Dim): 0 | 1 | undefined {
    if (typeof dim === "number") return 0;
    let step: 0 | 1 = 0;
    for (const { coefficient, factors } of dim.terms) {
      for (const factor of factors) {
        const own = typeof factor === "string" ? this.stepOf(factor) : undefined;
        if (own === 0) continue;
        if (own !== 1 || step === 1 || coefficient !== 1 || factors.length > 1) return undefined;
        step = 1;
      }
    }
    return step;
  }

  private stepOf(name: string): 0 | 1 | undefined {
    const atom = this.atoms.get(name);
    if (atom === undefined) return undefined;
    if (atom.fixed !== undefined || atom.isCounter === true) return 0;
    if (this.isThread(name)) return 1;
    if (atom.operands?.every((operand) => this.laneStep(operand) === 0) === true) return 0;
    // Of four neighbours that begin at a multiple of four
    const { of } = atom;
    if (of === undefined || !this.startsFour(of.x) || !this.isFourfold(of.y)) return undefined;
    return of.kind === "rem" ? 1 : 0;
  }

  private startsFour(dim: Dim): boolean {
    if (typeof dim === "number" || this.laneStep(dim) !== 1) return false;
    const others = dim.terms.filter(
      ({ factors }) => !factors.some((name) => typeof name === "string" && this.stepOf(name) === 1),
    );
    return this.isFourfold({ terms: others });
  }

  /** True of a multiple of four: of what is known to be one, and of what may be taken for one. */
  isFourfold(dim: Dim): boolean {
    if (typeof dim === "number") return dim % 4 === 0;
    const taken: Local[] = [];
    const areAll = dim.terms.every(({ coefficient, factors }) => {
      if (coefficient % 4 === 0) return true;
      const parameter = this.extentsOf(factors)[0];
      if (parameter !== undefined) taken.push(parameter);
      return parameter !== undefined;
    });
    if (areAll) for (const parameter of taken) this.fours?.add(parameter);
    return areAll;
  }

  /** The parameters among factors that may be taken for multiples of four, those that are first. */
  private extentsOf(factors: readonly unknown[]): readonly Local[] {
    const { fours } = this;
    if (fours === undefined) return [];
    const extents = factors.flatMap((factor) => {
      const of = typeof factor === "string" ? this.atoms.get(factor)?.fixed : undefined;
      return of?.kind === "local" ? [of.local] : [];
    });
    return extents.toSorted((a, b) => Number(fours.has(b)) - Number(fours.has(a)));
  }

  /**
   * The parameters that have to be multiples of 16 for an address to be one: that of the first of
   * four neighbours or, with `isEach`, of each; undefined where that does not help. Counters are
   * multiples of `multiples`.
   */
  alignedWith(
    address: Dim,
    multiples: ReadonlyMap<string, number>,
    isEach: boolean,
  ): readonly Local[] | undefined {
    if (typeof address === "number") return address % 16 === 0 ? [] : undefined;
    const pointers: Local[] = [];
    const fours: Local[] = [];
    for (const { coefficient, factors } of address.terms) {
      let known = factors.reduce((product, factor) => {
        if (typeof factor !== "string") return product;
        const isThread = this.stepOf(factor) === 1 && !isEach;
        return product * (isThread ? 4 : (multiples.get(factor) ?? 1));
      }, coefficient);
      if (known % 16 === 0) continue;
      const [factor] = factors;
      const of = typeof factor === "string" ? this.atoms.get(factor)?.fixed : undefined;
      // What is a number of elements has four bytes each.
      if (coefficient === 1 && factors.length === 1) {
        if (of?.kind !== "local") return undefined;
        pointers.push(of.local);
        continue;
      }
      for (const extent of this.extentsOf(factors)) {
        if (known % 16 === 0) break;
        known *= 4;
        fours.push(extent);
      }
      if (known % 16 !== 0) return undefined;
    }
    for (const extent of fours) this.fours?.add(extent);
    return pointers;
  }

  /** Into how many neighbours threads are cut, as `thread % n` says; a multiple of four. */
  neighbours(): number | Local | undefined {
    for (const { of } of this.atoms.values()) {
      if (of?.kind !== "rem" || !this.isThreadItself(of.x)) continue;
      const [name = ""] = symbolsOf(of.y);
      const extent = this.atoms.get(name)?.fixed;
      const isExtent = extent?.kind === "local" && subtractDims(of.y, symbol(name)) === 0;
      const neighbours = typeof of.y === "number" ? of.y : isExtent ? extent.local : undefined;
      if (neighbours !== undefined && this.isFourfold(of.y)) return neighbours;
    }
    return undefined;
  }

  private isThreadItself(dim: Dim): boolean {
    const { part } = this;
    return part !== undefined && subtractDims(dim, this.dim(read(part))) === 0;
  }

  /** True of what is the same for threads that are a multiple of `neighbours` apart. */
  isInAllRows(dim: Dim, neighbours?: Dim): boolean {
    return symbolsOf(dim).every((name) => {
      const atom = this.atoms.get(name);
      if (atom === undefined) return false;
      if (atom.fixed !== undefined || atom.isCounter === true) return true;
      const { of, operands } = atom;
      if (of?.kind === "rem" && neighbours !== undefined && this.isThreadItself(of.x)) {
        if (subtractDims(of.y, neighbours) === 0) return true;
      }
      return operands?.every((operand) => this.isInAllRows(operand, neighbours)) === true;
    });
  }

  /** True where a symbol is in nothing but a sum. */
  isPlainIn(dim: Dim, name: string): boolean {
    return symbolsOf(dim).every((other) => other === name || !this.dependsOn(other, name));
  }

  private dependsOn(name: string, on: string): boolean {
    const atom = this.atoms.get(name);
    if (atom === undefined) return true;
    if (atom.fixed !== undefined || atom.isCounter === true) return false;
    const operands = atom.operands ?? [];
    if (operands.length === 0) return !this.isThread(name);
    return operands.some((operand) =>
      symbolsOf(operand).some((other) => other === on || this.dependsOn(other, on)),
    );
  }

  private isThread(name: string): boolean {
    const { part } = this;
    return part !== undefined && this.names.get(`local ${this.numbers.get(part)}`) === name;
  }

  /** An expression of the parameters; undefined where they do not say what it is. */
  fixedOf(dim: Dim): Expr | undefined {
    if (!this.isFixed(dim)) return undefined;
    return foldDim<Expr>(dim, {
      constant: (value) => constant(value),
      symbol: (name) => this.of(name)?.fixed as Expr,
      add,
      multiply,
      divide: (a, divisor) => divide(a, constant(divisor)),
    });
  }

  private isFixed(dim: Dim): boolean {
    return symbolsOf(dim).every((name) => this.atoms.get(name)?.fixed !== undefined);
  }

  /** Bytes from the start of the memory. */
  address(base: Expr, index: Expr): Dim {
    return this.simplified(addDims(this.dim(base), multiplyDims(4, this.dim(index))));
  }

  dim(expr: Expr): Dim {
    if (isConstant(expr)) return expr.value;
    if (expr.kind === "local") {
      const known = this.known.get(expr.local);
      if (known !== undefined) return known;
      const isFixed = this.fixed.has(expr.local);
      if (isFixed || expr.local === this.part) {
        const fixed = isFixed ? expr : undefined;
        return this.atom(`local ${this.numberOf(expr.local)}`, { fixed });
      }
    }
    if (expr.kind === "op" && expr.dtype !== "f32" && expr.dtype !== "f64") {
      const operands = expr.operands.map((operand) => this.dim(operand));
      const [x, y] = operands as [Dim, Dim];
      switch (expr.op) {
        case "add":
          return addDims(x, y);
        case "sub":
          return subtractDims(x, y);
        case "mul":
          return multiplyDims(x, y);
        case "shift_left":
          if (typeof y === "number") return multiplyDims(x, 2 ** (y & 31));
          break;
        default:
          break;
      }
      const key = `${expr.op} ${expr.dtype} ${operands.map(dimText).join(" ")}`;
      const isFixed = operands.every((each) => this.isFixed(each));
      const isQuotient = expr.op === "index_div" || expr.op === "index_rem";
      const of = isQuotient
        ? { kind: expr.op === "index_div" ? ("div" as const) : ("rem" as const), x, y }
        : undefined;
      return this.atom(key, { fixed: isFixed ? this.spelled(expr) : undefined, of, operands });
    }
    // Another value at another time
    return this.atom(`unknown ${this.atoms.size}`, { fixed: undefined });
  }

  /** An expression with the locals of the thread replaced by what they are. */
  spelled(expr: Expr): Expr {
    if (expr.kind === "local") {
      const definition = this.constants.get(expr.local);
      return definition?.kind === "set" ? this.spelled(definition.value) : expr;
    }
    return mapOperands(expr, (operand) => this.spelled(operand));
  }

  private atom(key: string, atom: Atom): Dim {
    let name = this.names.get(key);
    if (name === undefined) {
      name = `a${this.atoms.size}`;
      this.names.set(key, name);
      this.atoms.set(name, atom);
    }
    return symbol(name);
  }

  private numberOf(of: Local): number {
    const known = this.numbers.get(of) ?? this.numbers.size;
    this.numbers.set(of, known);
    return known;
  }

  /** With `x / y · y + x % y` as `x`. */
  simplified(dim: Dim): Dim {
    for (const name of symbolsOf(dim)) {
      const of = this.atoms.get(name)?.of;
      if (of?.kind !== "rem") continue;
      const factor = coefficientOf(dim, name);
      if (factor === undefined) continue;
      const quotient = this.names.get(`index_div i32 ${dimText(of.x)} ${dimText(of.y)}`);
      if (quotient === undefined) continue;
      const whole = multiplyDims(factor, multiplyDims(of.y, symbol(quotient)));
      const without = subtractDims(subtractDims(dim, multiplyDims(factor, symbol(name))), whole);
      const rest = new Set(symbolsOf(without));
      if (rest.has(name) || rest.has(quotient)) continue;
      return this.simplified(addDims(without, multiplyDims(factor, of.x)));
    }
    return dim;
  }
}

/** What a symbol is multiplied by, where it is never multiplied by itself. */
export function coefficientOf(dim: Dim, name: string): Dim | undefined {
  if (typeof dim === "number") return 0;
  let sum: Dim = 0;
  for (const { coefficient, factors } of dim.terms) {
    const count = factors.filter((factor) => factor === name).length;
    if (count > 1) return undefined;
    if (count === 0) continue;
    const others = factors.filter((factor) => factor !== name);
    sum = addDims(
      sum,
      others.length === 0 ? coefficient : { terms: [{ coefficient, factors: others }] },
    );
  }
  return sum;
}
