/**
 * Straight-line code for one value of a loop counter → the same code for several at once.
 * `y[j] = x[j] * s` → `y[j..j+3] = x[j..j+3] * splat(s)`. Undefined where some part has no vector
 * form: an op without lanes, a store that is not to neighbours, a condition that changes in between.
 *
 * Lanes are in the order of memory: where the code walks down, the first round is in the last lane.
 */

import type { DType } from "../ir/types.ts";
import { addDims, type Dim, multiplyDims } from "../ir/dim.ts";
import { affine, coefficientOf, toAffine } from "./affine.ts";
import { resultDtype, vectorLanes } from "./dtypes.ts";
import {
  constant,
  type Expr,
  type Lanes,
  type Local,
  load,
  machine,
  op,
  read,
  splat,
  type Statement,
  store,
  temporary,
} from "./loop.ts";
import { mapOperands, operandsOf } from "./rewrite.ts";

const floatOps =
  "add sub mul div neg abs sqrt rsqrt floor ceil trunc max min sign eq ne lt le gt ge select " +
  "is_nan stop_gradient copy";
const singleOps = "exp log tanh expm1 log1p sin cos erf pow";
const doubleOps = "exp log tanh sin cos pow";
const integerOps =
  "add sub mul neg abs max min eq ne lt le gt ge select bit_and bit_or bit_xor bit_not " +
  "stop_gradient copy";

/** The elementwise ops that every target with vectors spells for lanes of a type. */
export const laneOps: Readonly<Record<DType, ReadonlySet<string>>> = {
  f64: names(`${floatOps} ${doubleOps}`),
  f32: names(`${floatOps} ${singleOps}`),
  f16: names("select stop_gradient copy"),
  i32: names(integerOps),
  u32: names(integerOps.replace("neg abs ", "")),
  u8: names(""),
  bool: names("and or xor not eq ne select stop_gradient copy"),
};

function names(text: string): ReadonlySet<string> {
  return new Set(text.split(" ").filter((name) => name !== ""));
}

/** Arithmetic on half vectors: without masks, which are as wide as what they were compared from. */
const halfOps: Readonly<Partial<Record<DType, ReadonlySet<string>>>> = {
  f32: names("add sub mul div neg abs sqrt floor ceil trunc max min stop_gradient copy"),
  i32: names("add sub mul neg bit_and bit_or bit_xor bit_not stop_gradient copy"),
  u32: names("add sub mul bit_and bit_or bit_xor bit_not stop_gradient copy"),
  // Bytes are loaded as integers, and are not stored.
  u8: names(""),
};

/** Conversions between two doubles and the lower half of a vector. */
const halfCasts: ReadonlySet<string> = names(
  "f32~f64 f64~f32 i32~f64 u32~f64 u8~i32 u8~u32 u8~f64",
);

/** Conversions between lanes. */
const laneCasts: ReadonlySet<string> = names(
  "i32~f32 u32~f32 f32~i32 i32~u32 u32~i32 bool~f32 bool~i32 bool~u32 bool~f64 f32~bool i32~bool " +
    "u32~bool f64~bool f16~f32 f32~f16 i32~f16 u32~f16 f16~i32 bool~f16 f16~bool f32~f32 f64~f64 i32~i32",
);

export interface Vectorised {
  readonly lanes: Lanes;
  readonly body: readonly Statement[];
  /** Locals of one round, and the vectors that hold them for all. */
  readonly vectors: ReadonlyMap<Local, Local>;
}

export interface VectorOptions {
  /** Whether the code walks up or down through memory. */
  readonly direction: 1 | -1;
  /** Loads that are not of neighbours are made one by one. */
  readonly gather: boolean;
}

const plainly: VectorOptions = { direction: 1, gather: false };

export function vectorise(
  body: readonly Statement[],
  counter: Local,
  options: VectorOptions = plainly,
): Vectorised | undefined {
  for (const lanes of [4, 2] as const) {
    const vectors = new Map<Local, Local>();
    const vectoriser = new Vectoriser(counter, lanes, vectors, options);
    const vector = statements(body, vectoriser, vectors, lanes);
    if (vector !== undefined) return { lanes, body: vector, vectors };
  }
  return undefined;
}

/** An expression for `lanes` values of the counter; undefined where it has none. */
export function vectorExpr(
  expr: Expr,
  dtype: DType,
  counter: Local,
  lanes: Lanes,
): Expr | undefined {
  return new Vectoriser(counter, lanes, new Map(), plainly).vector(expr, dtype);
}

function statements(
  body: readonly Statement[],
  vectoriser: Vectoriser,
  renamed: Map<Local, Local>,
  lanes: Lanes,
): readonly Statement[] | undefined {
  const result: Statement[] = [];
  for (const statement of body) {
    if (statement.kind === "if") {
      if (vectoriser.varies(statement.condition)) return undefined;
      const then = statements(statement.then, vectoriser, renamed, lanes);
      const otherwise = statements(statement.otherwise, vectoriser, renamed, lanes);
      if (then === undefined || otherwise === undefined) return undefined;
      result.push({ ...statement, then, otherwise });
    } else if (statement.kind === "set") {
      if (!vectoriser.varies(statement.value)) {
        result.push(statement);
        continue;
      }
      const dtype = dtypeOf(statement.value);
      const value = dtype && vectoriser.vector(statement.value, dtype);
      if (dtype === undefined || value === undefined) return undefined;
      const target = temporary(statement.local.name, machine(dtype, lanes));
      renamed.set(statement.local, target);
      result.push({ kind: "set", local: target, value });
    } else if (statement.kind === "store") {
      const { base, index, dtype } = statement;
      const isByte = dtype === "u8" || (dtype === "bool" && lanes !== 4);
      if (!vectoriser.fits(dtype) || isByte) return undefined;
      const first = vectoriser.varies(base) ? undefined : vectoriser.first(index);
      const value = first && vectoriser.vector(statement.value, dtype);
      if (first === undefined || value === undefined) return undefined;
      result.push(store(base, first, dtype, value, lanes));
    } else return undefined;
  }
  return result;
}

class Vectoriser {
  private readonly counter: Local;
  private readonly lanes: Lanes;
  private readonly renamed: ReadonlyMap<Local, Local>;
  private readonly options: VectorOptions;

  constructor(
    counter: Local,
    lanes: Lanes,
    renamed: ReadonlyMap<Local, Local>,
    options: VectorOptions,
  ) {
    this.counter = counter;
    this.lanes = lanes;
    this.renamed = renamed;
    this.options = options;
  }

  /** Beside two doubles, two elements of half their size are the lower half of a vector. */
  fits(dtype: DType): boolean {
    return dtype === "bool" || vectorLanes(dtype) === this.lanes || this.isHalf(dtype);
  }

  private isHalf(dtype: DType): boolean {
    return this.lanes === 2 && halfOps[dtype] !== undefined;
  }

  varies(expr: Expr): boolean {
    if (expr.kind === "local") return expr.local === this.counter || this.renamed.has(expr.local);
    if (expr.kind === "affine") {
      return expr.terms.some(({ local }) => local === this.counter || this.renamed.has(local));
    }
    return operandsOf(expr).some((operand) => this.varies(operand));
  }

  /** How far an index moves when the counter moves by one; undefined where that is not known. */
  private step(index: Expr): Dim | undefined {
    const form = toAffine(index);
    if (form === undefined || form.terms.some(({ local }) => this.renamed.has(local))) {
      return undefined;
    }
    return coefficientOf(form, this.counter);
  }

  /** Where the lowest of neighbours stands; undefined where they are not neighbours. */
  first(index: Expr): Expr | undefined {
    const { direction } = this.options;
    if (this.step(index) !== direction) return undefined;
    return direction === 1 ? index : this.inRound(index, this.lanes - 1);
  }

  /** An expression with the counter moved on. */
  private inRound(expr: Expr, by: number): Expr {
    return by === 0 ? expr : moved(expr, this.counter, by);
  }

  /** A vector of what several rounds compute one by one. */
  private gathered(expr: Expr, dtype: DType): Expr | undefined {
    const { lanes } = this;
    const { direction, gather } = this.options;
    if (!gather || dtype === "bool" || this.isHalf(dtype) || this.readsVectors(expr)) {
      return undefined;
    }
    const rounds = [...Array(lanes).keys()].map((lane) =>
      splat(this.inRound(expr, direction === 1 ? lane : lanes - 1 - lane), dtype, lanes),
    );
    const join = (a: Expr, b: Expr, picks: readonly number[]): Expr => ({
      kind: "shuffle",
      dtype,
      lanes,
      picks,
      a,
      b,
    });
    const [a, b, c, d] = rounds as [Expr, Expr, Expr?, Expr?];
    if (c === undefined || d === undefined) return join(a, b, [0, 2]);
    return join(join(a, b, [0, 4, 0, 4]), join(c, d, [0, 4, 0, 4]), [0, 1, 4, 5]);
  }

  /** An index in several rounds as floating-point numbers; in doubles the differences are exact. */
  private counted(expr: Extract<Expr, { readonly kind: "cast" }>): Expr | undefined {
    const step = this.step(expr.value);
    const { direction, gather } = this.options;
    if (expr.to !== "f64" || typeof step !== "number" || !gather)
      return this.gathered(expr, expr.to);
    const rounds = [0, 1].map((lane) => splat(constant(lane * step * direction, "f64"), "f64", 2));
    const [a, b] = rounds as [Expr, Expr];
    const first = direction === 1 ? expr : this.inRound(expr, 1);
    const steps: Expr = { kind: "shuffle", dtype: "f64", lanes: 2, picks: [0, 2], a, b };
    return op("add", "f64", [splat(first, "f64", 2), steps], 2);
  }

  private readsVectors(expr: Expr): boolean {
    if (expr.kind === "local") return this.renamed.has(expr.local);
    if (expr.kind === "affine") return expr.terms.some(({ local }) => this.renamed.has(local));
    return operandsOf(expr).some((operand) => this.readsVectors(operand));
  }

  vector(expr: Expr, dtype: DType): Expr | undefined {
    const { lanes } = this;
    if (!this.fits(dtype)) return undefined;
    if (!this.varies(expr)) return splat(expr, dtype, lanes);
    switch (expr.kind) {
      case "local": {
        const target = this.renamed.get(expr.local);
        return target && read(target);
      }
      case "load": {
        if (this.varies(expr.base) || (expr.dtype === "bool" && lanes !== 4)) return undefined;
        const first = this.first(expr.index);
        if (first === undefined) return this.gathered(expr, expr.dtype);
        return load(expr.base, first, expr.dtype, lanes);
      }
      case "op": {
        const spelled = this.isHalf(expr.dtype) ? halfOps[expr.dtype] : laneOps[expr.dtype];
        if (spelled?.has(expr.op) !== true) return undefined;
        const operands: Expr[] = [];
        for (const [k, operand] of expr.operands.entries()) {
          const wanted = expr.op === "select" && k === 0 ? "bool" : expr.dtype;
          const vector = this.vector(operand, wanted);
          if (vector === undefined) return undefined;
          operands.push(vector);
        }
        return op(expr.op, expr.dtype, operands, lanes);
      }
      case "cast": {
        if (toAffine(expr.value) !== undefined && !this.readsVectors(expr.value)) {
          return this.fits(expr.to) ? this.counted(expr) : undefined;
        }
        const kinds = lanes === 2 ? halfCasts : laneCasts;
        const conversion = `${expr.from}~${expr.to}`;
        const isHalf = this.isHalf(expr.from) || this.isHalf(expr.to);
        if (!(isHalf ? kinds : laneCasts).has(conversion) || expr.whole === true) return undefined;
        const value = this.vector(expr.value, expr.from);
        if (value === undefined) return isHalf ? this.gathered(expr, expr.to) : undefined;
        return this.fits(expr.to) ? { ...expr, lanes, value } : undefined;
      }
      case "madd": {
        const a = this.vector(expr.a, dtype);
        const b = this.vector(expr.b, dtype);
        const c = this.vector(expr.c, dtype);
        return a && b && c && { kind: "madd", dtype, lanes, a, b, c };
      }
      case "when": {
        if (this.varies(expr.condition)) return undefined;
        const then = this.vector(expr.then, dtype);
        const otherwise = this.vector(expr.otherwise, dtype);
        return then && otherwise && { ...expr, lanes, then, otherwise };
      }
      case "affine":
        return undefined;
      default:
        return undefined;
    }
  }
}

/** An expression as it is when the counter has moved on. */
export function moved(expr: Expr, counter: Local, by: number): Expr {
  if (expr.kind === "local" && expr.local === counter) {
    return affine({ constant: by, terms: [{ local: counter, coefficient: 1 }] });
  }
  if (expr.kind !== "affine") return mapOperands(expr, (operand) => moved(operand, counter, by));
  const shift = multiplyDims(coefficientOf(expr, counter), by);
  return affine({ ...expr, constant: addDims(expr.constant, shift) });
}

/** The element type of an expression; undefined for a local, which may be one of several. */
export function dtypeOf(expr: Expr): DType | undefined {
  switch (expr.kind) {
    case "local":
      return expr.local.type === "f32" || expr.local.type === "f64" ? expr.local.type : undefined;
    case "affine":
      return "i32";
    case "cast":
      return expr.to;
    case "op":
      return resultDtype(expr.op, expr.dtype);
    default:
      return expr.dtype;
  }
}
